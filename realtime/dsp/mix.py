"""Dry/wet mix with a dry path that is delayed by exactly the latency of the wet one."""

from __future__ import annotations

import numpy as np

from ..native.late_numba import njit

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def copy(x, y):  # type: ignore[no-untyped-def]
    """Copy ``x [channels, n]`` into `y`, whose memory is another.

    Assigning one array to another compiles to code that may allocate and raise.
    """
    for c in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[c, i] = x[c, i]


@njit(nogil=True, error_model="numpy", cache=True)
def same_channels(x, leaders):  # type: ignore[no-untyped-def]
    """Whether in ``x [channels, n]`` every channel from `leaders` on is one before it, in turn."""
    for c in range(leaders, x.shape[0]):
        for i in range(x.shape[1]):
            if x[c, i] != x[c - leaders, i]:
                return False
    return True


@njit(nogil=True, error_model="numpy", cache=True)
def follow(x, leaders):  # type: ignore[no-untyped-def]
    """Make in ``x [channels, n]`` every channel from `leaders` on one before it, in turn."""
    for c in range(leaders, x.shape[0]):
        for i in range(x.shape[1]):
            x[c, i] = x[c % leaders, i]


@njit(nogil=True, error_model="numpy", cache=True)
def mix(dry, wet, start, end):  # type: ignore[no-untyped-def]
    """Write ``(1 - m) dry + m wet`` into `wet`, `m` moving linearly from `start` to `end`.

    Both signals are aligned, so the amplitudes add; at ``m = 1`` and ``m = 0`` the result is the
    wet or the dry signal bit for bit.
    """
    n = dry.shape[1]
    if start == 1.0 and end == 1.0:
        return
    step = (end - start) / n
    for c in range(dry.shape[0]):
        for i in range(n):
            m = F32(start + step * (i + 1))
            wet[c, i] = (F32(1.0) - m) * dry[c, i] + m * wet[c, i]
