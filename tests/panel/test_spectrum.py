"""Spectrogram columns and levels against sines of known level and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import spectrogram

from realtime.panel.levels import FULL_SCALE, Level
from realtime.panel.spectrum import BANDS, HIGHEST_HZ, LOWEST_HZ, Spectrum

from ..signals import noise, sine

EDGES = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)


def decibels(column: bytes) -> np.ndarray:
    return np.frombuffer(column, dtype=np.uint8) / 255.0 * 100.0 - 100.0


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("frequency", [60.0, 440.0, 3000.0, 15_000.0])
@pytest.mark.parametrize("level", [1.0, 0.1, 0.001])
def test_a_sine_shows_in_its_band_at_its_level(rate: int, frequency: float, level: float) -> None:
    spectrum = Spectrum(rate)
    x = sine(rate, frequency, level, rate)
    for part in np.split(x, 100, axis=1):
        spectrum.take(part)
    found = decibels(spectrum.column())
    band = int(np.searchsorted(EDGES, frequency)) - 1
    assert abs(int(found.argmax()) - band) <= (3 if frequency < 100 else 1)
    assert found.max() == pytest.approx(20 * np.log10(level), abs=1.7)
    far = np.abs(np.arange(BANDS) - band) > 24
    assert found[far].max() < max(-95.0, 20 * np.log10(level) - 60)


def test_a_wide_band_shows_its_strongest_bin_as_scipy_has_it() -> None:
    rate, x = 48_000, noise(48_000, level=0.5)
    spectrum = Spectrum(rate)
    spectrum.take(x)
    found = decibels(spectrum.column())
    n = 4096
    f, _, power = spectrogram(
        x[0, -n:], rate, window="hann", nperseg=n, noverlap=0, detrend=False, scaling="spectrum"
    )
    amplitude = np.sqrt(2.0 * power[:, 0])  # of a sine with that power
    for band in range(60, BANDS):
        inside = (f >= EDGES[band]) & (f < EDGES[band + 1])
        expected = 20 * np.log10(amplitude[inside].max())
        assert found[band] == pytest.approx(expected, abs=0.5)


def test_bands_above_half_the_rate_are_silent_and_nan_is_too() -> None:
    spectrum = Spectrum(16_000)
    spectrum.take(noise(16_000, level=0.5))
    found = decibels(spectrum.column())
    assert (found[EDGES[:-1] > 8000] == -100.0).all() and found[:60].max() > -60
    spectrum.take(np.full((1, 16_000), np.nan, dtype=np.float32))
    assert (decibels(spectrum.column()) == -100.0).all()


def test_two_channels_are_averaged_by_power() -> None:
    x = sine(48_000, 1000.0, 0.5)
    both, one = Spectrum(48_000), Spectrum(48_000)
    both.take(np.concatenate([x, -x]))
    one.take(x)
    assert both.column() == one.column()


def test_levels_are_exact() -> None:
    level = Level()
    x = sine(48_000, 1000.0, 0.5)
    for part in np.split(x, 30, axis=1):
        level.take(part, 48_000)
    found = level.to_dict()
    assert found["peak_db"] == pytest.approx(-6.02, abs=0.01)
    assert found["rms_db"] == pytest.approx(-9.03, abs=0.02)
    assert not found["clip"]
    level.take(sine(4_800, 1000.0, 1.0), 48_000)  # its peaks just reach full scale
    assert not level.to_dict()["clip"] and level.to_dict()["peak_db"] == 0.0
    level.take(np.full((1, 64), FULL_SCALE, dtype=np.float32), 48_000)
    assert level.to_dict()["clip"]
    level.take(np.zeros((1, 0), dtype=np.float32), 48_000)
    assert level.to_dict()["clip"]  # no news
    level.take(np.zeros((1, 64), dtype=np.float32), 48_000)
    assert (level.to_dict()["clip"], level.to_dict()["peak_db"]) == (False, -120.0)
