"""Delay, polarity, drift and every refusal, against gear whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pedalboard as pb
import pytest

from .gear import GEAR, RATE, Array, board, drifted, hum, late, noisy, short, through

from train.capture.delay import find_delay  # isort: skip  # after gear has looked for torch
from train.capture.heard import Heard, Refused, hear  # isort: skip


def heard(y: Array, channel: int | None = None) -> Heard:
    return hear(short(), y.astype(np.float32), channel=channel)


def test_a_hundred_delays_of_a_hundred_are_right_and_so_is_the_polarity() -> None:
    rng, signal, names = np.random.default_rng(1), short(), list(GEAR)
    a, b = list(signal.noises(0))[2]
    wrong = []
    for k in range(100):
        name, delay, sign = names[k % 5], int(rng.integers(10_000)), rng.choice([1, -1])
        y = noisy(late(sign * through(name)[: b + 20_000], delay), -70)
        found = find_delay(signal.samples[a:b], y + 5e-4 * hum(len(y)), a)
        if abs(found.samples - delay) > 1 or found.inverted != (sign < 0):
            wrong.append((name, delay, sign, found))
    assert not wrong


@pytest.mark.parametrize("ppm", [0.0, 4.0, 300.0, -300.0])
@pytest.mark.parametrize(("name", "delay"), [("tube", 0), ("distortion", 9999)])
def test_drift_is_found_and_taken_out(name: str, delay: int, ppm: float) -> None:
    y = -late(through(name), delay)
    found = heard(noisy(drifted(y, ppm) if ppm else y))
    assert found.delay == delay and found.inverted
    assert found.drift_ppm == pytest.approx(ppm, abs=0.3)
    n = len(through(name))
    apart = found.wet[:n] + through(name)  # its sign is kept
    assert np.mean(apart[2000:-2000] ** 2) < 3e-4 * np.mean(through(name) ** 2)


@pytest.mark.parametrize("name", list(GEAR))
def test_gear_is_taken_and_described(name: str) -> None:
    y = noisy(late(through(name), 321))
    found = heard(y)
    assert found.delay == 321 and not found.inverted and found.drift_ppm == 0 and not found.hum_hz
    assert found.noise_db == pytest.approx(-80, abs=1)
    assert len(found.wet) == len(short().samples)
    assert "321 samples late" in found.words()


def test_soft_hum_is_told_and_taken() -> None:
    for hz in (50, 60):
        y = noisy(late(through("tube"), 5))
        assert heard(y + 1e-3 * hum(len(y), hz)).hum_hz == hz


def _through(effect: pb.Plugin) -> Array:
    return noisy(late(board(effect)(through("tube")), 90))


def _gated() -> Array:
    gate = board(pb.NoiseGate(-40, 10, 1, 50))
    return noisy(late(GEAR["tube"](gate(short().samples.astype(float))), 90), -90)


def _cut(y: Array) -> Array:
    return np.delete(y, slice(len(y) // 3, len(y) // 3 + 256))


def _tube() -> Array:
    return noisy(late(through("tube"), 90))


BAD: dict[str, tuple[str, Callable[[], Array]]] = {
    "nothing plugged in": ("silence", lambda: noisy(0 * _tube(), -95)),
    "other playing": ("unrelated", lambda: noisy(0 * _tube(), -20)),
    "half of it": ("too short", lambda: _tube()[: len(_tube()) // 2]),
    "a hot input": ("clipping", lambda: np.clip(8 * _tube(), -1, 1)),
    "hiss": ("noise", lambda: noisy(_tube(), -25)),
    "a ground loop": ("hum", lambda: _tube() + 0.05 * hum(len(_tube()))),
    "a noise gate": ("gate", _gated),
    "chorus": ("time-varying", lambda: _through(pb.Chorus())),
    "phaser": ("time-varying", lambda: _through(pb.Phaser())),
    "delay": ("tail", lambda: _through(pb.Delay(0.3, 0.2, 0.3))),
    "reverb": ("tail", lambda: _through(pb.Reverb(wet_level=0.2))),
    "two clocks, far apart": ("drift", lambda: drifted(_tube(), 400)),
    "an xrun": ("dropout", lambda: _cut(_tube())),
    "a cable": ("loop", lambda: late(0.7 * short().samples.astype(float), 50)),
    "far too late": ("late", lambda: noisy(late(through("tube"), 10_200))),
    "damaged": ("damaged", lambda: np.where(np.arange(len(_tube())) == 9, np.nan, _tube())),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_takes_are_refused_by_name(name: str) -> None:
    cause, make = BAD[name]
    with pytest.raises(Refused) as refused:
        heard(make())
    assert refused.value.cause == cause
    assert "\n" not in str(refused.value) and len(str(refused.value)) > 40


def test_the_channel_with_the_sound_is_taken_and_a_wrong_one_named() -> None:
    both = np.stack([noisy(0 * _tube(), -50), _tube()])
    assert heard(both).delay == 90
    with pytest.raises(Refused, match="channel 2 does") as refused:
        heard(both, channel=0)
    assert refused.value.cause == "channel"
    with pytest.raises(Refused, match="no channel 3"):
        heard(both, channel=2)
    with pytest.raises(Refused, match="record at 48000 Hz"):
        hear(short(), both, 44100)


def test_the_signal_is_the_same_each_time_and_fits_24_bits() -> None:
    signal = short()
    assert np.array_equal(np.round(signal.samples * 2**23), signal.samples * 2**23)
    assert np.max(np.abs(signal.samples)) < 1
    first = signal.samples[signal.probes[0] :][: 2 * RATE]
    for place in signal.probes[1:]:
        assert np.array_equal(signal.samples[place:][: 2 * RATE], first)
    assert signal.learn[1] <= signal.judge[0] < signal.judge[1] <= signal.probes[2]
