"""Widener against its own description in scipy, and what each listener hears of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from realtime.stages.native.widener import DELAYS_MS, PACES, SIGNS, SWING_MS

from ...signals import Array
from .playing import RATE, null_db, prepared, stepped

SIZES = (64, 16, 1024, 1, 333)


def noise(channels: int = 2, seconds: float = 2.0) -> Array:
    shape = (channels, round(seconds * RATE))
    return (0.1 * np.random.default_rng(1).standard_normal(shape)).astype(np.float32)


def played(x: Array, sizes: tuple[int, ...] = (64,), **given: Any) -> Array:
    return stepped(prepared("Widener", channels=len(x), **given), x, list(sizes))


def expected(x: Array, width: float, bass: float, pace: float, depth: float) -> Array:
    middle = x.astype(np.float64).mean(axis=0)
    n = np.arange(middle.size)
    side = np.zeros_like(middle)
    padded = np.concatenate([np.zeros(RATE), middle])
    for ms, speed, sign in zip(DELAYS_MS, PACES, SIGNS, strict=True):
        phase = 2.0 * np.pi * pace * speed * n / RATE
        late = n - (ms + depth * SWING_MS * np.sin(phase)) * RATE / 1000.0
        side += sign * 0.5 * np.interp(late + RATE, np.arange(padded.size), padded)
    g = np.tan(np.pi * bass / RATE)
    b, a = np.array([1.0, -1.0]) / (1.0 + g), [1.0, (g - 1.0) / (g + 1.0)]
    side = width * lfilter(b, a, lfilter(b, a, side))
    return (x + np.stack([side, -side])).astype(np.float32)


@pytest.mark.parametrize(
    ("width", "bass", "pace", "depth"), [(1.0, 120.0, 0.3, 0.0), (0.6, 500.0, 2.0, 1.0)]
)
def test_it_is_what_it_says(width: float, bass: float, pace: float, depth: float) -> None:
    x = noise()
    y = played(x, width=width, bass_hz=bass, rate_hz=pace, depth=depth)
    assert null_db(y, expected(x, width, bass, pace, depth)) < -110.0


def test_blocks_of_any_size_give_the_same_bits() -> None:
    x = noise()
    assert np.array_equal(played(x, SIZES), played(x))


def test_who_hears_it_in_mono_hears_no_difference() -> None:
    x = noise()
    y = played(x, width=1.0)
    assert np.abs(y.astype(np.float64).sum(axis=0) - x.astype(np.float64).sum(axis=0)).max() < 1e-7
    assert np.array_equal(played(x[:1]), x[:1])
    assert np.array_equal(played(x, width=0.0), x)


def test_what_has_no_middle_is_left_alone() -> None:
    x = np.concatenate([noise(1), -noise(1)])
    assert np.array_equal(played(x), x)


def test_it_is_wider_the_more_is_asked_without_a_colour_of_its_own() -> None:
    """Correlation of the channels falls; the power of both is louder alike from 400 Hz up."""
    x = np.repeat(noise(1, 8.0), 2, axis=0)
    likeness = []
    for width in (0.0, 0.3, 0.6, 1.0):
        y = played(x, width=width)[:, RATE:]
        likeness.append(float(np.corrcoef(y)[0, 1]))
        f, power = welch(y, RATE, nperseg=512)
        _, before = welch(x[:, RATE:], RATE, nperseg=512)
        gain = 10 * np.log10(power.sum(axis=0) / before.sum(axis=0))[(f > 400) & (f < 18000)]
        assert np.ptp(gain) < 3.0
    assert likeness == sorted(likeness, reverse=True) and likeness[0] == 1.0
    assert likeness[-1] < 0.3


def test_bass_stays_in_the_middle() -> None:
    t = np.arange(4 * RATE) / RATE
    tone = np.repeat((0.3 * np.sin(2 * np.pi * 41.2 * t)).astype(np.float32)[None], 2, axis=0)
    y = played(tone, width=1.0)
    side, middle = (y[0] - y[1])[RATE:], (y[0] + y[1])[RATE:]
    assert 20 * np.log10(np.std(side) / np.std(middle)) < -12.0
