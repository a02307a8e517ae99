"""Rate, channels, speed, silence and segments against scipy and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import resample_poly

from realtime.errors import ConfigError
from train.data.sound import denoise, loudness, preprocess, stretch

RATE = 48000
EVERY: dict[str, Callable[[np.ndarray], object]] = {
    "resample": lambda x: preprocess.resample(x, 16000, RATE),
    "change_speed": lambda x: preprocess.change_speed(x, 1.1),
    "crop_silence": lambda x: preprocess.crop_silence(x, RATE),
    "loudness_normalise": lambda x: loudness.loudness_normalise(x, RATE),
    "spectral_gate": lambda x: denoise.spectral_gate(x, RATE),
    "time_stretch": lambda x: stretch.time_stretch(x, 1.2),
    "pitch_shift": lambda x: stretch.pitch_shift(x, 3.0),
}


def sine(hz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def noise(n: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_silence_and_single_samples_pass_through(name: str) -> None:
    for n in (0, 1, 7, 100, 5000):
        y = np.asarray(EVERY[name](np.zeros(n, dtype=np.float32)))
        assert y.dtype == np.float32 and y.ndim == 1 and not np.any(y)
    for n in (1, 2, 7, 100, 3000):
        y = np.asarray(EVERY[name](noise(n)))
        assert y.dtype == np.float32 and np.isfinite(y).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(name: str, bad: float) -> None:
    x = noise(4000)
    x[17] = bad
    with pytest.raises(ConfigError, match="1 samples are NaN or infinite"):
        EVERY[name](x)


@pytest.mark.parametrize("name", EVERY)
def test_two_channels_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="one channel"):
        EVERY[name](np.zeros((2, 100), dtype=np.float32))


@pytest.mark.parametrize(("source", "target"), [(16000, RATE), (44100, RATE), (22050, RATE)])
def test_resampling_a_tone_gives_the_tone(source: int, target: int) -> None:
    y = preprocess.resample(sine(1000, rate=source), source, target)
    assert len(y) == target
    inner = slice(4800, -4800)
    np.testing.assert_allclose(y[inner], sine(1000)[inner], atol=1e-4)


def test_resampling_agrees_with_scipy_and_does_not_alias() -> None:
    x = np.convolve(noise(16000), np.hanning(32) / 16, "same").astype(np.float32)
    ours, theirs = preprocess.resample(x, 16000, RATE), resample_poly(x, 3, 1)
    error = np.square(ours - theirs)[500:-500].mean() / np.square(theirs).mean()
    assert 10 * np.log10(error) < -50
    assert np.abs(preprocess.resample(sine(10000), RATE, 16000)[500:-500]).max() < 1e-4


def test_mono_is_the_mean_unless_channels_cancel() -> None:
    x = np.stack([noise(500, 1), noise(500, 2)])
    np.testing.assert_allclose(preprocess.to_mono(x), x.mean(axis=0), atol=1e-7)
    np.testing.assert_array_equal(preprocess.to_mono(np.stack([x[0], -x[0]])), x[0])
    np.testing.assert_array_equal(preprocess.to_mono(x[0]), x[0])
    assert len(preprocess.to_mono(np.zeros((2, 0), dtype=np.float32))) == 0


@pytest.mark.parametrize("speed", [0.5, 0.9, 1.1, 2.0])
def test_speed_moves_pitch_and_length_together(speed: float) -> None:
    y = preprocess.change_speed(sine(1000), speed)
    assert len(y) == round(RATE / speed)
    expected = np.sin(2 * np.pi * 1000 * speed * np.arange(len(y)) / RATE)
    np.testing.assert_allclose(y[4000:-4000], expected[4000:-4000], atol=1e-3)


def test_silence_is_cropped_to_ten_milliseconds() -> None:
    x = np.concatenate([1e-5 * noise(RATE), sine(440), np.zeros(RATE)]).astype(np.float32)
    y = preprocess.crop_silence(x, RATE, keep_ms=0)
    assert abs(len(y) - RATE) <= 2 * 480
    start = int(np.flatnonzero(np.abs(x) > 0.01)[0])
    assert np.abs(y[:500]).max() > 0.01 and start >= RATE
    kept = preprocess.crop_silence(x, RATE, keep_ms=100)
    assert len(kept) == len(y) + 2 * 4800
    assert len(preprocess.crop_silence(np.zeros(RATE, dtype=np.float32), RATE)) == 0


def test_pauses_inside_are_shortened_where_asked() -> None:
    gap = np.zeros(RATE, dtype=np.float32)
    x = np.concatenate([sine(440, 0.5), gap, sine(440, 0.5)])
    assert len(preprocess.crop_silence(x, RATE)) == len(x)
    y = preprocess.crop_silence(x, RATE, longest_ms=200)
    assert abs(len(y) - round(1.2 * RATE)) <= 2 * 480
    np.testing.assert_array_equal(y[: RATE // 2], x[: RATE // 2])
    np.testing.assert_array_equal(y[-RATE // 2 :], x[-RATE // 2 :])


def test_segments_cover_everything_once() -> None:
    x = noise(1050)
    pieces = preprocess.segment(x, 100)
    assert len(pieces) == 11 and all(len(p) == 100 for p in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces)[:1050], x)
    assert len(preprocess.segment(x, 100, pad=False)) == 10
    over = preprocess.segment(x, 100, hop=50)
    np.testing.assert_array_equal(over[3], x[150:250])
    assert preprocess.segment(x[:0], 100) == [] and len(preprocess.segment(x[:3], 100)) == 1
    with pytest.raises(ConfigError):
        preprocess.segment(x, 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: preprocess.resample(x, 0, RATE),
        lambda x: preprocess.change_speed(x, 0.0),
        lambda x: preprocess.change_speed(x, float("nan")),
        lambda x: stretch.time_stretch(x, 9.0),
        lambda x: stretch.pitch_shift(x, 60.0),
        lambda x: loudness.loudness_normalise(x, RATE, 3.0),
        lambda x: denoise.spectral_gate(x, RATE, reduction_db=-1),
    ],
)
def test_impossible_settings_are_refused(call: Callable[[np.ndarray], object]) -> None:
    with pytest.raises(ConfigError):
        call(noise(5000))
