"""Loudness, denoising, stretching and pitch against independent measurements."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks, lfilter

from train.data.sound import loudness as loudness_module
from train.data.sound.denoise import spectral_gate
from train.data.sound.loudness import loudness, loudness_normalise, true_peak
from train.data.sound.stretch import pitch_shift, time_stretch

RATE = 48000


def bs1770(x: np.ndarray) -> float:
    """Integrated loudness written down from ITU-R BS.1770-4 with its 48 kHz coefficients."""
    shelf = (
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1.0, -1.69065929318241, 0.73248077421585],
    )
    high = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
    y = lfilter(*high, lfilter(*shelf, x.astype(np.float64)))
    blocks = np.lib.stride_tricks.sliding_window_view(y, 19200)[::4800]
    power = np.square(blocks).mean(axis=1)
    level = -0.691 + 10 * np.log10(power + 1e-30)
    kept = power[level > -70]
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    kept = power[(level > -70) & (level > gate)]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def sine(hz: float, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


def bursts(seconds: float = 4.0) -> np.ndarray:
    """Harmonic tones with pauses, as speech has."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 180 * k * time) / k for k in range(1, 12))
    return (0.1 * tone * (np.sin(2 * np.pi * 1.0 * time) > 0)).astype(np.float32)


def level_db(x: np.ndarray) -> float:
    return float(10 * np.log10(np.square(x, dtype=np.float64).mean() + 1e-30))


def partials(x: np.ndarray, count: int) -> np.ndarray:
    """Frequencies of the strongest partials, ascending, to about 0.1 Hz."""
    n = 1 << 19
    spectrum = np.abs(np.fft.rfft(x * np.blackman(len(x)), n))
    peaks, _ = find_peaks(spectrum, distance=round(30 * n / RATE))
    strongest = peaks[np.argsort(spectrum[peaks])[-count:]]
    return np.sort(strongest) * RATE / n


def test_a_full_scale_tone_has_the_loudness_the_standard_names() -> None:
    assert loudness(sine(997), RATE) == pytest.approx(-3.01, abs=0.1)


def test_loudness_agrees_with_the_standard_written_out() -> None:
    rng = np.random.default_rng(0)
    x = bursts() + (0.003 * rng.standard_normal(4 * RATE)).astype(np.float32)
    x[: RATE // 2] *= 0.01  # what the gates leave out
    assert loudness(x, RATE) == pytest.approx(bs1770(x), abs=0.05)


@pytest.mark.parametrize("target", [-30.0, -23.0, -18.0])
def test_normalised_sound_has_its_loudness(target: float) -> None:
    y = loudness_normalise(0.01 * bursts(), RATE, target)
    assert bs1770(y) == pytest.approx(target, abs=0.05)


def test_peaks_between_samples_are_seen_and_kept_below_the_ceiling() -> None:
    quarter = np.sin(2 * np.pi * np.arange(RATE) / 4 + np.pi / 4).astype(np.float32)
    assert np.abs(quarter).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(quarter[1000:-1000]) == pytest.approx(1.0, abs=0.1)
    clicks = np.zeros(2 * RATE, dtype=np.float32)
    clicks[::9600] = 0.5
    y = loudness_normalise(clicks, RATE, -14.0)
    assert true_peak(y) <= 10 ** (-1 / 20) + 1e-4
    np.testing.assert_allclose(y / np.abs(y).max(), clicks / 0.5, atol=1e-6)  # a gain, no limiter


def test_a_peak_is_the_same_wherever_the_sound_is_cut_for_work() -> None:
    x = np.random.default_rng(0).standard_normal(300).astype(np.float32) * 0.1
    whole = true_peak(x)
    for at in (loudness_module.PART - 150, loudness_module.PART - 2, 3):
        long = np.pad(x, (at, loudness_module.PART + 400 - at))
        assert true_peak(long) == pytest.approx(whole, rel=1e-9)


def test_short_sounds_and_silence_have_a_loudness_too() -> None:
    assert loudness(sine(997, 0.1), RATE) == pytest.approx(-3.01, abs=0.3)
    silence = np.zeros(RATE, dtype=np.float32)
    assert loudness(silence, RATE) == -np.inf
    np.testing.assert_array_equal(loudness_normalise(silence, RATE), silence)


@pytest.mark.parametrize("given", [False, True])
def test_the_gate_raises_the_signal_to_noise_ratio(given: bool) -> None:
    rng = np.random.default_rng(0)
    clean = bursts()
    hiss = (0.01 * rng.standard_normal(len(clean))).astype(np.float32)
    sample = (0.01 * rng.standard_normal(RATE)).astype(np.float32) if given else None
    y = spectral_gate(clean + hiss, RATE, sample)
    before, after = level_db(hiss), level_db(y - clean)
    assert after < before - 6
    pause = clean == 0
    middle = pause & np.roll(pause, 4800) & np.roll(pause, -4800)
    assert level_db(y[middle]) < level_db(hiss) - 15
    assert level_db(y[~pause]) == pytest.approx(level_db(clean[~pause]), abs=0.5)


def test_the_gate_leaves_clean_sound_and_asks_for_no_more_than_it_is_told() -> None:
    clean = bursts()
    assert level_db(spectral_gate(clean, RATE) - clean) < level_db(clean) - 25
    same = spectral_gate(clean, RATE, reduction_db=0.0)
    np.testing.assert_allclose(same, clean, atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_stretching_changes_the_length_and_no_frequency(factor: float) -> None:
    chord = np.asarray(sine(220) + 0.8 * sine(554.37) + 0.6 * sine(1318.5), dtype=np.float32)
    y = time_stretch(0.2 * chord, factor)
    assert len(y) == round(len(chord) * factor) and y.dtype == np.float32
    inner = y[4096:-4096]
    np.testing.assert_allclose(partials(inner, 3), (220, 554.37, 1318.5), rtol=1e-3)
    assert level_db(inner) == pytest.approx(level_db(0.2 * chord), abs=0.7)


@pytest.mark.parametrize("factor", [0.7, 1.5])
def test_stretched_beats_come_when_they_should(factor: float) -> None:
    rng = np.random.default_rng(0)
    x = np.zeros(3 * RATE, dtype=np.float32)
    starts = np.array([0.5, 1.0, 1.75, 2.4])
    for start in starts:
        at = round(start * RATE)
        x[at : at + 4800] = rng.standard_normal(4800) * np.exp(-np.arange(4800) / 800)
    y = time_stretch(x, factor)
    smooth = np.convolve(np.square(y), np.hanning(2400), "same")
    peaks, _ = find_peaks(smooth, height=0.2 * smooth.max(), distance=RATE // 10)
    assert len(peaks) == len(starts)
    np.testing.assert_allclose(peaks / RATE, starts * factor, atol=0.04)


@pytest.mark.parametrize("semitones", [-7.0, -2.0, 3.0, 12.0])
def test_pitch_moves_by_semitones_and_the_length_stays(semitones: float) -> None:
    tones = np.asarray(0.2 * (sine(330) + sine(495)), dtype=np.float32)
    y = pitch_shift(tones, semitones)
    assert len(y) == len(tones)
    expected = np.array([330, 495]) * 2 ** (semitones / 12)
    np.testing.assert_allclose(partials(y[6000:-6000], 2), expected, rtol=2e-3)


def test_no_change_is_the_very_same_sound() -> None:
    x = bursts(1.0)
    np.testing.assert_array_equal(time_stretch(x, 1.0), x)
    np.testing.assert_array_equal(pitch_shift(x, 0.0), x)
