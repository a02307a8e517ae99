"""Doubling and halving of a sample rate by two allpass branches: a half-band filter that is short.

Every second sample comes from one branch, the others from the other.  The filter is elliptic, so it
has the least delay of all of its steepness; its passband is flat within 1e-7 dB, and its delay
grows towards the edge, which linear phase would avoid at ten times the latency.

Design: Valenzuela and Constantinides, "Digital signal processing schemes for efficient
interpolation and decimation", IEE Proceedings 130 (1983).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..native.late_numba import njit

Coefficients = npt.NDArray[np.float64]
MOST = 8  # coefficients of one filter


def design(count: int, edge: float) -> Coefficients:
    """Coefficients of the two branches in turn, rising.

    Parameters
    ----------
    count : int
        How many; the order is twice that and one.
    edge : float
        Where the passband ends, in cycles a sample of the higher rate, below 1/4; the stopband
        begins at 1/2 less that.
    """
    order = 2 * count + 1
    k = math.tan(math.pi * edge) ** 2
    root = (1.0 - k * k) ** 0.25
    e = 0.5 * (1.0 - root) / (1.0 + root)
    q = e + 2 * e**5 + 15 * e**9 + 150 * e**13
    found = []
    for i in range(1, count + 1):
        above = sum(
            (-1) ** m * q ** (m * (m + 1)) * math.sin((2 * m + 1) * math.pi * i / order)
            for m in range(8)
        )
        below = sum(
            (-1) ** m * q ** (m * m) * math.cos(2 * m * math.pi * i / order) for m in range(1, 8)
        )
        w = (q**0.25 * above / (0.5 + below)) ** 2
        x = math.sqrt((1 - w * k) * (1 - w / k)) / (1 + w)
        found.append((1 - x) / (1 + x))
    return np.array(found)


def delay(coefficients: Coefficients) -> float:
    """Delay of doubling and halving together at low frequencies [samples of the lower rate]."""
    first = coefficients[0::2]
    return float(2.0 * np.sum((1.0 - first) / (1.0 + first)) - 0.5)


@njit(nogil=True, error_model="numpy", inline="always")
def _branch(a, n, begin, state, x):  # type: ignore[no-untyped-def]
    """Pass a sample through the sections ``begin, begin + 2 ...`` of `n`; state ``[2, n]``."""
    for k in range(begin, n, 2):
        y = a[k] * (x - state[1, k]) + state[0, k]
        state[0, k], state[1, k] = x, y
        x = y
    return x


@njit(nogil=True, error_model="numpy", cache=True)
def double(a, n, state, x, y, count):  # type: ignore[no-untyped-def]
    """Write ``y [2 count]`` from ``x [count]``.

    Parameters
    ----------
    a : ndarray [shape=(>= n,), float64]
        The `n` coefficients.
    state : ndarray [shape=(2, >= n), float64]
        Zeros at first.
    x, y : ndarray, float64
        Different memory.
    """
    for i in range(count):
        y[2 * i] = _branch(a, n, 0, state, x[i])
        y[2 * i + 1] = _branch(a, n, 1, state, x[i])


@njit(nogil=True, error_model="numpy", cache=True)
def halve(a, n, state, x, y, count):  # type: ignore[no-untyped-def]
    """Write ``y [count]`` from ``x [2 count]``; see :func:`double`."""
    for i in range(count):
        early = _branch(a, n, 1, state, x[2 * i])
        y[i] = 0.5 * (_branch(a, n, 0, state, x[2 * i + 1]) + early)
