"""Dry/wet mix with a dry path that is delayed by exactly the latency of the wet one."""

from __future__ import annotations

import numpy as np
from numba import njit

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
def delay(x, line, position, y):  # type: ignore[no-untyped-def]
    """Delay a block by ``line.shape[1]`` samples; return the new position.

    Parameters
    ----------
    x, y : ndarray [shape=(channels, n), float32]
        Input, and output to write; must not be the same memory.
    line : ndarray [shape=(channels, delay), float32]
        State, circular.
    position : int
        Oldest sample in `line`.
    """
    length = line.shape[1]
    if length == 0:
        for c in range(x.shape[0]):
            for i in range(x.shape[1]):
                y[c, i] = x[c, i]
        return 0
    end = position
    for c in range(x.shape[0]):
        end = position
        for i in range(x.shape[1]):
            y[c, i] = line[c, end]
            line[c, end] = x[c, i]
            end += 1
            if end == length:
                end = 0
    return end


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
