"""AutoGain against loudness by BS.1770, on bursts like words with noise between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import sosfreqz

from realtime.dsp.loudness import loudness
from realtime.stages.native.auto_gain import k_weighting

from ...signals import Array
from .playing import RATE, prepared, stepped


def words(level_db: float, seconds: float = 12.0, noise_db: float = -75.0) -> Array:
    """Noise like speech in bursts of 0.3 s, pauses of 0.2 s, over a floor."""
    rng = np.random.default_rng(0)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    on = (t % 0.5) < 0.3
    x = rng.standard_normal(n) * on * 10 ** (level_db / 20)
    return (x + rng.standard_normal(n) * 10 ** (noise_db / 20))[None].astype(np.float32)


def played(x: Array, block: int = 64, **given: Any) -> Array:
    return stepped(prepared("AutoGain", channels=len(x), **given), x, [block])


def test_the_weighting_is_that_of_the_recommendation() -> None:
    to = np.zeros(15)
    k_weighting(to, 48000.0)
    assert to[:5] == pytest.approx(
        [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585]
    )
    assert to[8:10] == pytest.approx([-1.99004745483398, 0.99007225036621])
    k_weighting(to, 96000.0)  # the same curve at another rate
    sections = np.array([[*to[:3], 1.0, *to[3:5]], [*to[5:8], 1.0, *to[8:10]]])
    _, high = sosfreqz(sections, [1000.0], fs=96000.0)
    assert 20 * np.log10(abs(high[0])) == pytest.approx(0.66, abs=0.05)


@pytest.mark.parametrize("level", [-42.0, -32.0, -22.0, -12.0])
def test_speech_of_any_level_comes_out_at_one(level: float) -> None:
    y = played(words(level), target_lufs=-20.0, most_db=30.0, speed_db=10.0, ceiling_db=0.0)
    assert loudness(y[:, 6 * RATE :], RATE) == pytest.approx(-20.0, abs=1.5)


def test_nothing_is_above_the_ceiling_from_the_first_sample_on() -> None:
    x = words(-40.0)
    x[:, 7 * RATE :] *= 100.0  # a shout
    y = played(x, ceiling_db=-6.0, most_db=30.0, speed_db=20.0)
    assert np.abs(y).max() <= np.float32(10 ** (-6 / 20))


def test_noise_in_a_long_pause_is_not_raised() -> None:
    x = words(-30.0, 16.0, noise_db=-62.0)
    quiet = slice(8 * RATE, 16 * RATE)
    rng = np.random.default_rng(2)
    x[:, quiet] = (rng.standard_normal(8 * RATE) * 10 ** (-62 / 20)).astype(np.float32)
    y = played(x, target_lufs=-20.0, gate_lufs=-70.0, speed_db=10.0)
    gain = np.sqrt(np.mean(y[:, 9 * RATE :] ** 2) / np.mean(x[:, 9 * RATE :] ** 2))
    before = np.sqrt(
        np.mean(y[:, 7 * RATE : 8 * RATE] ** 2) / np.mean(x[:, 7 * RATE : 8 * RATE] ** 2)
    )
    assert gain == pytest.approx(before, rel=0.05)  # below the gate of what was heard of late


def test_gain_has_a_bound_and_speed() -> None:
    x = words(-45.0, 8.0, -120.0)
    y = played(x, target_lufs=-10.0, most_db=6.0, speed_db=20.0, gate_lufs=-70.0, ceiling_db=0.0)
    last = slice(6 * RATE, None)
    assert 20 * np.log10(np.abs(y[:, last]).max() / np.abs(x[:, last]).max()) == pytest.approx(
        6, abs=0.1
    )
    slow = played(x, target_lufs=-10.0, most_db=30.0, speed_db=1.0, gate_lufs=-70.0)
    assert 20 * np.log10(np.abs(slow).max() / np.abs(x).max()) < 8.1


def test_channels_move_together_and_blocks_do_not_matter() -> None:
    x = np.concatenate([words(-30.0, 2.0), 0.1 * words(-30.0, 2.0)])
    whole = played(x, 4096)
    ratio = whole[0] / np.where(np.abs(whole[1]) > 1e-6, whole[1], np.nan)
    assert np.nanmedian(ratio) == pytest.approx(10.0, rel=1e-3)
    for block in (16, 100, 1024):
        assert np.array_equal(played(x, block), whole)
