"""Lines off the grid: known tones in known sounds are read at their level, noise is no line."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.proof.listener.lines import off_grid, powers

from .tools import RATE, tone, white

N = 33600


@pytest.mark.parametrize("hz", [82.4, 110.0, 164.8, 329.6, 1174.7])
@pytest.mark.parametrize("partials", [1, 4])
def test_a_clean_tone_has_no_line(hz: float, partials: int) -> None:
    found = off_grid(tone(hz, N, partials), RATE, [hz])
    assert found.line_db < -85 and found.noise_db < -85


@pytest.mark.parametrize("level", [-60.0, -35.0, 8.0])
@pytest.mark.parametrize("apart", [375.0, -375.0, 750.0])
def test_a_line_a_hop_rate_away_is_read_at_its_level(level: float, apart: float) -> None:
    hz, t = 493.9, np.arange(N) / RATE
    line = 0.1 * 10 ** (level / 20) * np.sin(2 * np.pi * (hz + apart) * t)
    found = off_grid(tone(hz, N) + line, RATE, [hz])
    assert found.line_db == pytest.approx(level, abs=0.1)
    assert found.line_hz == pytest.approx(hz + apart, abs=2)
    assert found.noise_db < -70


def test_several_lines_do_not_lower_each_other() -> None:
    t = np.arange(N) / RATE
    lines = sum(0.1 * np.sin(2 * np.pi * f * t) for f in (295.0, 595.0, 970.0, 1210.0))
    found = off_grid(tone(220, N) + lines, RATE, [220.0])
    assert found.line_db == pytest.approx(0.0, abs=0.1)


def test_noise_is_noise_and_hides_no_line() -> None:
    noisy = tone(220, N) + white(N, -43.0)  # -20 dB under the tone
    found = off_grid(noisy, RATE, [220.0])
    assert found.noise_db == pytest.approx(-20.0, abs=1.0) and found.line_db < -45
    t = np.arange(N) / RATE
    found = off_grid(noisy + 0.1 * 10 ** (-35 / 20) * np.sin(2 * np.pi * 595 * t), RATE, [220.0])
    assert found.line_db == pytest.approx(-35.0, abs=1.0) and abs(found.line_hz - 595) < 2


@pytest.mark.parametrize("seed", range(4))
def test_a_style_of_breath_alone_has_no_line(seed: int) -> None:
    y = white(N, -20.0, seed)
    assert off_grid(y, RATE, [220.0]).line_db < -22
    spectrum = np.fft.rfft(y) / (1 + np.fft.rfftfreq(N, 1 / RATE) / 300)
    assert off_grid(np.fft.irfft(spectrum, N), RATE, [220.0]).line_db < -14


def test_vibrato_and_detuned_ensembles_stay_on_the_grid() -> None:
    t = np.arange(N) / RATE
    vibrato = np.sin(2 * np.pi * 440 * t + 440 * 0.006 / 5.5 * np.sin(2 * np.pi * 5.5 * t))
    ensemble = sum(np.sin(2 * np.pi * 440 * (1 + cents / 1731) * t) for cents in (-9, -3, 4, 10))
    for y in (vibrato, ensemble):
        assert off_grid(y, RATE, [440.0]).line_db < -60


def test_a_line_in_steps_of_the_mask_is_found_wherever_it_comes_from() -> None:
    """A gain that alternates hop by hop makes lines 375 / 2 Hz beside the tone."""
    gain = 1 + 0.02 * (np.arange(N) // 128 % 2 * 2 - 1)
    found = off_grid(tone(440, N) * gain, RATE, [440.0])
    expected = 20 * np.log10(0.02 * 2 / np.pi)  # first harmonic of a square wave, one side band
    assert found.line_db == pytest.approx(expected, abs=0.5)


def test_from_silence_every_tone_is_a_line() -> None:
    t = np.arange(N) / RATE
    found = off_grid(1e-3 + 1e-2 * np.sin(2 * np.pi * 375 * t), RATE, [], 1.0)
    assert found.line_db == pytest.approx(-43.0, abs=0.1) and abs(found.line_hz - 375) < 1


def test_powers_sum_to_the_mean_square() -> None:
    y = white(N, -20.0)
    assert powers(y).sum() == pytest.approx(np.mean(y**2), rel=0.03)
