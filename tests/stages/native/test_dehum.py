"""DeHum against a notch in closed form, and on mains that are not quite where they should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from ...signals import Array, sine
from .playing import RATE, null_db, prepared, stepped

SECONDS = 6


def mains(hz: float, seconds: float = SECONDS, harmonics: int = 12) -> Array:
    """Hum of falling harmonics."""
    t = np.arange(round(seconds * RATE)) / RATE
    y = sum(np.cos(2 * np.pi * k * hz * t + k) / k for k in range(1, harmonics + 1))
    return (0.02 * y)[None].astype(np.float32)


def played(x: Array, block: int = 64, **given: Any) -> Array:
    return stepped(prepared("DeHum", channels=len(x), **given), x, [block])


def level_db(y: Array, x: Array, begin: float = 4.5) -> float:
    part = slice(round(begin * RATE), None)
    return float(10 * np.log10(np.mean(y[:, part] ** 2) / np.mean(x[:, part] ** 2)))


@pytest.mark.parametrize("hz", [50.0, 49.8, 50.15, 60.0, 59.93, 60.2])
def test_hum_goes_where_the_mains_are(hz: float) -> None:
    x = mains(hz)
    assert level_db(played(x), x) < -40.0


def test_mains_that_drift_are_followed() -> None:
    t = np.arange(8 * RATE) / RATE
    phase = 2 * np.pi * (50.0 * t + 0.1 / (2 * np.pi * 0.05) * np.sin(2 * np.pi * 0.05 * t))
    x = sum(0.02 / k * np.cos(k * phase) for k in range(1, 13))[None].astype(np.float32)
    assert level_db(played(x, mains="50 Hz"), x, 4.0) < -25.0


def test_at_a_steady_frequency_it_is_the_notch_that_theory_gives() -> None:
    # Glover: one canceller is x (z^2 - 2 z cos w + 1) over the same with poles drawn in by the step
    rng = np.random.default_rng(0)
    x = (0.1 * rng.standard_normal((1, 2 * RATE))).astype(np.float32)
    # noise has no mains: the frequency would wander within its bounds, so it is held by the hum
    x += mains(50.0, 2, 1)
    w, g = 2 * np.pi * 50.0 / RATE, 2 * np.pi * 3.0 / RATE
    b = [1.0, -2 * np.cos(w), 1.0]
    a = [1.0, -(2 - g) * np.cos(w), 1.0 - g]
    expected = lfilter(b, a, x.astype(np.float64))
    found = played(x, mains="50 Hz", harmonics=1.0, width_hz=3.0)
    assert null_db(found[:, RATE:], expected[:, RATE:]) < -28.0


def test_a_voice_beside_the_hum_keeps_its_level_and_its_neighbours() -> None:
    tone = sine(SECONDS * RATE, 233.0, 0.2) + sine(SECONDS * RATE, 1310.0, 0.1)
    y = played(tone + mains(50.0))
    assert null_db(y[:, 2 * RATE :], tone[:, 2 * RATE :]) < -28.0


def test_strength_and_silence() -> None:
    x = mains(50.0)
    assert np.array_equal(played(x, strength=0.0), x)
    assert -7.0 < level_db(played(x, strength=0.5), x) < -5.0
    assert not played(np.zeros((2, RATE), np.float32)).any()


def test_blocks_of_any_size_give_the_same_bits() -> None:
    x = np.concatenate([mains(50.1, 0.5), mains(59.9, 0.5)])
    x += np.random.default_rng(1).standard_normal(x.shape).astype(np.float32) * 0.05
    whole = played(x, 4096)
    for block in (16, 100, 1024):
        assert np.array_equal(played(x, block), whole)
