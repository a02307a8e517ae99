"""Outputs that are known by construction, for judges of the listener's proof."""

from __future__ import annotations

import numpy as np

RATE = 48000


def tone(hz: float, n: int, partials: int = 1) -> np.ndarray:
    """Harmonics ``1 / k`` of amplitude 0.1, written without the package's own generator."""
    t = np.arange(n) / RATE
    return sum(0.1 / k * np.cos(2 * np.pi * k * hz * t + k) for k in range(1, partials + 1))


def db(amplitude: float) -> float:
    return 20 * np.log10(amplitude)


def white(n: int, rms_db: float, seed: int = 0) -> np.ndarray:
    return 10 ** (rms_db / 20) * np.random.default_rng(seed).standard_normal(n)
