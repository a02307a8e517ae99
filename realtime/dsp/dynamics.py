"""Gain ramps, scrubbing and the output limiter, on ``(channels, samples)`` blocks in place."""

from __future__ import annotations

import math

import numpy as np

from ..native.late_numba import njit

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def scrub(block):  # type: ignore[no-untyped-def]
    """Replace NaN and infinities by silence in place; return how many there were."""
    found = 0
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            if not np.isfinite(block[c, i]):
                block[c, i] = 0.0
                found += 1
    return found


@njit(nogil=True, error_model="numpy", cache=True)
def ramp_gain(block, start, end):  # type: ignore[no-untyped-def]
    """Multiply in place by a gain that moves linearly from `start` to `end` over the block."""
    n = block.shape[1]
    if start == 1.0 and end == 1.0:
        return
    step = (end - start) / n
    for c in range(block.shape[0]):
        for i in range(n):
            block[c, i] *= F32(start + step * (i + 1))


@njit(nogil=True, error_model="numpy", cache=True)
def limit(block, gain, release):  # type: ignore[no-untyped-def]
    """Keep every sample within -1..1 in place, without delay.

    The gain drops at once to what the loudest channel needs and returns to 1 exponentially; below
    full scale and with the gain at 1 the block passes unchanged, bit for bit.

    Parameters
    ----------
    block : ndarray [shape=(channels, n), float32]
        Finite samples.
    gain : float
        Gain at the end of the previous block, 0..1.
    release : float
        Share of the distance to 1 regained per sample.

    Returns
    -------
    gain : float
        To be handed to the next call.
    touched : int
        Samples that were reduced.
    """
    touched = 0
    for i in range(block.shape[1]):
        peak = F32(0.0)
        for c in range(block.shape[0]):
            peak = max(peak, abs(block[c, i]))
        gain += (1.0 - gain) * release
        if gain > 0.9999:
            gain = 1.0
        if peak * gain > 1.0:
            gain = 1.0 / peak
        if gain < 1.0:
            touched += 1
            for c in range(block.shape[0]):
                block[c, i] = min(F32(1.0), max(F32(-1.0), F32(block[c, i] * gain)))
    return gain, touched


@njit(inline="always")
def towards(now, goal, step):  # type: ignore[no-untyped-def]
    """`now`, moved towards `goal` by at most `step`: one sample of a linear fade."""
    return min(goal, now + step) if now < goal else max(goal, now - step)


def step_of_mean(corner: float, rate: float) -> float:
    """By how much of the difference a first-order mean moves in a sample; both in Hz."""
    return 1.0 - math.exp(-2.0 * math.pi * corner / rate)


def db_to_gain(db: float) -> float:
    """Convert decibels to an amplitude factor."""
    return float(10.0 ** (db / 20.0))


def gain_to_db(gain: float, floor: float = -120.0) -> float:
    """Convert an amplitude factor to decibels, not below `floor`."""
    return float(max(floor, 20.0 * np.log10(gain))) if gain > 0 else floor
