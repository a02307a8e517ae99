from __future__ import annotations

from typing import Any

import numpy as np
import pedalboard
import pytest
from scipy.signal import bilinear, lfilter

from realtime.errors import ChainError
from realtime.stages.effects import EffectStage
from realtime.stages.pedals import effect_names, make_plugin

from ..signals import Array, impulse, noise, sine

RATE = 48000
LENGTH = 128 * 150


def stage(name: str, block: int = 128, channels: int = 1, **parameters: Any) -> EffectStage:
    made = EffectStage(make_plugin(name, parameters), name)
    made.prepare(RATE, channels, block)
    return made


def blockwise(subject: EffectStage, x: Array, block: int = 128) -> Array:
    parts = []
    for start in range(0, x.shape[1], block):
        y = subject.process(x[:, start : start + block].copy())
        assert y.shape == (x.shape[0], block)
        assert y.dtype == np.float32
        parts.append(y)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block", [64, 128, 192])
@pytest.mark.parametrize(
    ("name", "parameters", "tolerance"),
    [
        ("Gain", {"gain_db": -3.0}, 0.0),
        ("Distortion", {"drive_db": 20.0}, 0.0),
        ("Clipping", {"threshold_db": -12.0}, 0.0),
        ("Bitcrush", {"bit_depth": 6}, 0.0),
        ("HighpassFilter", {"cutoff_frequency_hz": 300.0}, 0.0),
        ("LowpassFilter", {"cutoff_frequency_hz": 3000.0}, 0.0),
        ("PeakFilter", {"gain_db": 9.0}, 0.0),
        ("LadderFilter", {"cutoff_hz": 900.0}, 1e-6),
        ("Compressor", {"threshold_db": -30.0, "ratio": 8.0}, 1e-6),
        ("NoiseGate", {"threshold_db": -20.0}, 1e-6),
        ("Delay", {"delay_seconds": 0.01, "mix": 0.5}, 1e-6),
        ("Chorus", {}, 1e-6),
        ("Phaser", {}, 1e-3),
        ("Reverb", {"room_size": 0.7}, 1e-6),
    ],
)
def test_blocks_equal_pedalboard_on_the_whole_signal(
    name: str, parameters: dict[str, Any], tolerance: float, block: int, channels: int
) -> None:
    length = 192 * 2 * 50
    x = noise(length, channels=channels, level=0.5)
    subject = stage(name, block, channels, **parameters)
    assert subject.latency == 0
    found = blockwise(subject, x, block)
    whole = getattr(pedalboard, name)(**parameters)
    expected = whole.process(x, RATE, buffer_size=8192, reset=True)
    assert np.abs(found - expected).max() <= tolerance


def test_gain_equals_numpy() -> None:
    x = noise(LENGTH)
    assert np.allclose(blockwise(stage("Gain", gain_db=-20.0), x), 0.1 * x, rtol=1e-6)


def test_the_highpass_equals_scipys_first_order_filter() -> None:
    x = noise(LENGTH)
    cutoff = 500.0
    warped = 2 * RATE * np.tan(np.pi * cutoff / RATE)
    b, a = bilinear([1.0, 0.0], [1.0, warped], fs=RATE)
    found = blockwise(stage("HighpassFilter", cutoff_frequency_hz=cutoff), x)
    assert np.abs(found - lfilter(b, a, x.astype(np.float64))).max() <= 1e-6


@pytest.mark.parametrize("block", [64, 128, 480])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Resample", {"target_sample_rate": 24000.0}),
        ("Resample", {"target_sample_rate": 8000.0}),
        ("MP3Compressor", {"vbr_quality": 2.0}),
    ],
)
def test_effects_with_latency_declare_where_the_sound_arrives(
    name: str, parameters: dict[str, Any], block: int
) -> None:
    subject = stage(name, block, **parameters)
    assert subject.latency > 0
    length = 48000 // block * block
    x = sine(length, 220.0, 0.4) * np.hanning(length).astype(np.float32)
    x += 0.3 * np.sin(2 * np.pi * 173.0 * np.linspace(0, 1, length) ** 2).astype(np.float32)
    found = blockwise(subject, x.astype(np.float32), block)
    lags = np.arange(subject.latency - 400, subject.latency + 401)
    tail = x.shape[1] - lags[-1] - 1
    start = 4800
    similar = [found[0, start + k : tail + k] @ x[0, start:tail] for k in lags]
    off = int(lags[int(np.argmax(similar))]) - subject.latency
    assert abs(off) <= 2


def test_the_resamplers_impulse_arrives_at_the_declared_latency() -> None:
    subject = stage("Resample", target_sample_rate=24000.0)
    found = blockwise(subject, impulse(LENGTH, 5000))
    assert abs(int(np.abs(found).argmax()) - 5000 - subject.latency) <= 1


def test_reset_repeats_the_same_bits() -> None:
    for name, parameters in (("Resample", {"target_sample_rate": 8000.0}), ("Reverb", {})):
        subject = stage(name, **parameters)
        x = noise(LENGTH)
        first = blockwise(subject, x)
        subject.reset()
        assert np.array_equal(first, blockwise(subject, x))


def test_an_effect_that_turns_short_later_still_gives_whole_blocks() -> None:
    class Miser:
        """Holds back 10 samples from its third block on."""

        calls = 0

        def process(self, block: Array, rate: int, buffer_size: int, reset: bool) -> Array:
            self.calls += 1
            return block[:, 10:] if self.calls == 3 else block

        def reset(self) -> None:
            pass

    subject = EffectStage(Miser(), "miser")
    subject._block, subject._channels, subject._rate = 64, 1, RATE
    subject.reset()
    found = blockwise(subject, noise(64 * 10), 64)
    assert found.shape == (1, 640)


@pytest.mark.parametrize("channels", [1, 2])
def test_pitch_shift_is_refused_because_it_cannot_stream(channels: int) -> None:
    with pytest.raises(ChainError, match="PitchShift cannot stream.*250 ms"):
        stage("PitchShift", channels=channels, semitones=3.0)


@pytest.mark.parametrize("block", [64, 128, 480])
def test_gsm_is_refused_because_it_is_silent_in_short_blocks(block: int) -> None:
    with pytest.raises(ChainError, match=f"blocks of {block} samples it loses the sound"):
        stage("GSMFullRateCompressor", block)


def test_a_rate_an_effect_cannot_take_is_refused_before_it_is_called() -> None:
    made = EffectStage(make_plugin("MP3Compressor", {}))
    with pytest.raises(ChainError, match="up to 48000 Hz.*96000 Hz"):
        made.prepare(96000, 1, 128)


def test_unknown_names_and_parameters_are_refused_with_the_nearest() -> None:
    with pytest.raises(ChainError, match="unknown effect 'Revreb'; did you mean 'Reverb'"):
        make_plugin("Revreb", {})
    with pytest.raises(ChainError, match="no parameter 'room'; did you mean 'room_size'"):
        make_plugin("Reverb", {"room": 0.3})
    with pytest.raises(ChainError, match="Reverb refuses.*room_size"):
        make_plugin("Reverb", {"room_size": "big"})


@pytest.mark.parametrize("name", ["VST3Plugin", "Pedalboard", "Plugin", "os", ""])
def test_names_that_are_no_effects_are_refused(name: str) -> None:
    assert name not in effect_names()
    with pytest.raises(ChainError, match="unknown effect"):
        make_plugin(name, {})


@pytest.mark.parametrize("name", sorted(set(effect_names()) - {"Convolution", "PitchShift"}))
def test_every_listed_effect_streams_with_its_defaults(name: str) -> None:
    try:
        subject = stage(name)
    except ChainError as error:
        assert "\n" not in str(error)
        return
    y = blockwise(subject, noise(LENGTH, level=0.3))
    assert np.isfinite(y).all()
