"""Parameters that move: nothing steps, nothing rings on, nothing breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.stages.native import convolution, drop_tune, looper, record, tuner
from realtime.stages.native.kinds import KINDS

from ...native_code import faults
from ...signals import noise, sine
from .playing import PLAIN, RATE, Player

TURNS: list[tuple[str, dict[str, Any], str, float, float]] = [
    ("Bitcrush", {}, "bit_depth", 24.0, 20.0),
    ("Chorus", {"rate_hz": 0.2}, "mix", 0.0, 1.0),
    ("Chorus", {"rate_hz": 0.2}, "feedback", 0.0, 0.5),
    ("Clipping", {}, "threshold_db", 0.0, -12.0),
    ("Compressor", {"ratio": 4.0}, "threshold_db", 0.0, -30.0),
    ("Compressor", {"threshold_db": -30.0}, "ratio", 1.0, 20.0),
    ("Delay", {"mix": 1.0}, "delay_seconds", 0.1, 0.137),
    ("Delay", {"delay_seconds": 0.01}, "mix", 0.0, 1.0),
    ("Distortion", {}, "drive_db", 0.0, 12.0),
    ("Gain", {}, "gain_db", -40.0, 0.0),
    ("HighShelfFilter", {"cutoff_frequency_hz": 300.0}, "gain_db", -20.0, 0.0),
    ("HighpassFilter", {}, "cutoff_frequency_hz", 20.0, 5000.0),
    ("LadderFilter", {"cutoff_hz": 5000.0}, "mode", 0.0, 3.0),
    ("LadderFilter", {}, "cutoff_hz", 200.0, 8000.0),
    ("Limiter", {}, "threshold_db", -10.0, -30.0),
    ("LowShelfFilter", {}, "gain_db", -20.0, 20.0),
    ("LowpassFilter", {}, "cutoff_frequency_hz", 20.0, 10000.0),
    ("NoiseGate", {"ratio": 4.0, "threshold_db": -80.0}, "threshold_db", -80.0, 0.0),
    ("PeakFilter", {}, "q", 0.2, 8.0),
    ("PeakFilter", {"gain_db": 20.0}, "cutoff_frequency_hz", 200.0, 8000.0),
    ("Phaser", {"rate_hz": 0.2}, "mix", 0.0, 1.0),
    ("Phaser", {"rate_hz": 0.2}, "depth", 0.0, 1.0),
    ("Reverb", {"wet_level": 0.0}, "dry_level", 0.1, 0.4),
]


def high_part(x: np.ndarray) -> float:
    """Largest third difference: near nothing for a low tone, large for any step or corner."""
    return float(np.abs(np.diff(x, 3)).max())


@pytest.mark.parametrize(("name", "parameters", "turned", "start", "end"), TURNS)
def test_a_turned_knob_makes_no_zipper_noise(
    name: str, parameters: dict[str, Any], turned: str, start: float, end: float
) -> None:
    # a low tone; a step of 1 % of full scale would show as 0.01 in the third difference
    tone = sine(RATE, 60.0, 0.25)
    player = Player(name, **{**parameters, turned: start})
    player.play(tone[:, : RATE // 2])
    player.turn(turned, end)
    heard = player.play(tone[:, RATE // 2 :])[0]
    steady = Player(name, **{**parameters, turned: end})
    steady.play(tone[:, : RATE // 2])
    allowed = high_part(steady.play(tone[:, RATE // 2 :])[0])
    if name in ("Clipping", "Limiter", "Compressor", "Bitcrush"):  # corners are what they are for
        allowed = max(allowed, 2e-3)
    assert high_part(heard) <= 3.0 * allowed + 2e-3 * max(1.0, float(np.abs(heard).max()))


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_silence_stays_and_returns(name: str) -> None:
    player = Player(name, **PLAIN[name])
    assert not player.play(np.zeros((1, 6400), np.float32)).any()
    player.play(noise(6400, level=0.5))
    rest = player.play(np.zeros((1, 30 * RATE), np.float32))
    assert np.isfinite(rest).all()
    tail = np.abs(rest[:, -RATE:])
    smallest = np.finfo(np.float32).tiny
    assert not ((tail > 0) & (tail < smallest)).any()
    assert tail.max() < 1e-6


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_what_is_no_number_is_taken_out_before_it_gets_in(name: str) -> None:
    x = noise(12800, level=0.2)
    x[0, 3000:3003] = (np.nan, np.inf, -np.inf)
    player = Player(name, **PLAIN[name])
    y = player.play(x)
    assert np.isfinite(y).all()
    assert player.path.counters()["input_scrubbed"] == 3
    assert player.path.counters()["errors"] == 0
    assert np.abs(y[:, 6400:]).max() > 1e-4


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_huge_input_does_not_stay(name: str) -> None:
    x = noise(12800, level=0.2)
    x[0, 3000] = 3e38
    player = Player(name, **PLAIN[name])
    y = player.play(x)
    assert np.isfinite(y).all()
    player.path.reset()
    assert np.isfinite(player.play(noise(6400))).all()


def test_parameters_beyond_the_range_are_refused() -> None:
    from realtime.errors import ConfigError
    from realtime.stages.build import make_effect

    with pytest.raises(ConfigError, match="effect Gain: gain_db must be within -80..24 dB"):
        make_effect("Gain", {"gain_db": 100.0})
    with pytest.raises(ConfigError, match="effect Gain has no parameter 'gain'"):
        make_effect("Gain", {"gain": 1.0})


def test_a_delays_new_length_fades_in_without_bending_the_pitch() -> None:
    player = Player("Delay", delay_seconds=0.1, mix=1.0)
    x = sine(RATE, 1000.0, 0.4)
    first = player.play(x[:, : RATE // 2])
    player.turn("delay_seconds", 0.25)
    later = player.play(x[:, RATE // 2 :])
    y = np.concatenate([first, later], axis=1)[0, RATE // 4 :]
    phase = np.unwrap(np.angle(np.convolve(y, np.exp(2j * np.pi * np.arange(480) / 48), "valid")))
    turning = np.diff(phase) * RATE / (2 * np.pi)
    assert np.abs(turning - 1000.0).max() < 100.0  # gliding there would take it to thousands


@pytest.mark.parametrize(
    "function",
    [
        *(kind.step for kind in KINDS.values()), convolution.convolution_step,
        convolution.convolution_reset, drop_tune.drop_tune_reset, record.reset_function,
        looper.looper_reset,
        tuner.tuner_reset,
    ],
    ids=lambda f: f"{f.__module__.rpartition('.')[2]}.{f.__name__}",
)  # fmt: skip
def test_no_step_allocates_raises_or_asks_for_the_gil(function) -> None:
    assert faults(function()) == []
