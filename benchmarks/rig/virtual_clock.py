"""A sound card's clock in virtual time: how fast, how steady, how punctual, when it stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit


@dataclass(frozen=True)
class Device:
    """One side: its rate, its error, its habits.

    Attributes
    ----------
    rate : int [Hz]
        Nominal.
    block : int [samples]
    ppm : float
        How much faster than nominal the clock runs.
    late_us : float
        Mean lateness of a callback, exponentially distributed, four times that at most.
    wander_ppm, wander_s : float
        A sine on top of `ppm`, and its period: a crystal that warms and cools.
    stop_s : tuple of float
        From when to when no callback comes, and the sound of that time is lost.
    """

    rate: int
    block: int
    ppm: float = 0.0
    late_us: float = 0.0
    wander_ppm: float = 0.0
    wander_s: float = 600.0
    stop_s: tuple[float, float] = (0.0, 0.0)

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the fields for the native loop, in its units."""
        speed = self.rate * (1.0 + 1e-6 * self.ppm)
        swing = self.rate * 1e-6 * self.wander_ppm * self.wander_s / (2.0 * np.pi)
        turn = 2.0 * np.pi / self.wander_s
        return np.array([speed, swing, turn, self.block, 1e-6 * self.late_us, *self.stop_s])


@njit(nogil=True, error_model="numpy", cache=True)
def samples_at(device, t):  # type: ignore[no-untyped-def]
    """How many samples this clock has counted at time `t` [s]."""
    return device[0] * t + device[1] * (1.0 - np.cos(device[2] * t))


@njit(nogil=True, error_model="numpy", cache=True)
def time_of(device, samples):  # type: ignore[no-untyped-def]
    """When it has counted so many: the inverse of :func:`samples_at`, by Newton's method."""
    t = samples / device[0]
    for _ in range(3):
        speed = device[0] + device[1] * device[2] * np.sin(device[2] * t)
        t -= (samples_at(device, t) - samples) / speed
    return t
