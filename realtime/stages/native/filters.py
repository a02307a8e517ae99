"""Filters of first and second order, in the transposed direct form, with 64-bit state.

LowpassFilter and HighpassFilter are the bilinear transform of one pole; PeakFilter and the shelves
are those of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients".
While a parameter moves, the coefficients move along a straight line: the stable ones form a convex
set, so that every filter on the way is stable.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import STEP, arrive, depart, goal, now, renewed, slope, state, values, view_effect
from .stage import Kind

F32 = np.float32
HIGHEST = 0.49  # of the sample rate: a cutoff above is taken as that


@njit(nogil=True, error_model="numpy", cache=True)
def _first_order(block, memory, here, step):  # type: ignore[no-untyped-def]
    """Coefficients b0, b1, a1; one number of memory a channel."""
    for c in range(block.shape[0]):
        z = memory[c, 0]
        for i in range(block.shape[1]):
            k = i + 1
            x = float(block[c, i])
            y = (here[0] + step[0] * k) * x + z
            z = (here[1] + step[1] * k) * x - (here[2] + step[2] * k) * y
            block[c, i] = F32(y)
        memory[c, 0] = z


@njit(nogil=True, error_model="numpy", cache=True)
def _second_order(block, memory, here, step):  # type: ignore[no-untyped-def]
    """Coefficients b0, b1, b2, a1, a2; two numbers of memory a channel."""
    for c in range(block.shape[0]):
        z, w = memory[c, 0], memory[c, 1]
        for i in range(block.shape[1]):
            k = i + 1
            x = float(block[c, i])
            y = (here[0] + step[0] * k) * x + z
            z = (here[1] + step[1] * k) * x - (here[3] + step[3] * k) * y + w
            w = (here[2] + step[2] * k) * x - (here[4] + step[4] * k) * y
            block[c, i] = F32(y)
        memory[c, 0], memory[c, 1] = z, w


@njit(nogil=True, error_model="numpy", cache=True)
def angle(cutoff, rate):  # type: ignore[no-untyped-def]
    """Radians per sample of a cutoff frequency."""
    return 2.0 * math.pi * min(float(cutoff), HIGHEST * rate) / rate


@njit(nogil=True, error_model="numpy", cache=True)
def _set(to, b0, b1, b2, a0, a1, a2):  # type: ignore[no-untyped-def]
    to[0], to[1], to[2], to[3], to[4] = b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0


@njit(nogil=True, error_model="numpy", cache=True)
def peak(to, w, gain_db, q):  # type: ignore[no-untyped-def]
    """Write the coefficients of a peak of `gain_db` at `w` radians per sample."""
    a = 10.0 ** (float(gain_db) / 40.0)
    alpha, c = math.sin(w) / (2.0 * float(q)), math.cos(w)
    _set(to, 1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a, 1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a)


@njit(nogil=True, error_model="numpy", cache=True)
def shelf(to, w, gain_db, q, side):  # type: ignore[no-untyped-def]
    """Write the coefficients of a shelf below (`side` 1) or above (-1) `w` radians per sample."""
    a = 10.0 ** (float(gain_db) / 40.0)
    c = side * math.cos(w)
    beta = math.sin(w) * math.sqrt(a) / float(q)
    up, down = a + 1.0, a - 1.0
    _set(
        to,
        a * (up - down * c + beta),
        2.0 * side * a * (down - up * c),
        a * (up - down * c - beta),
        up + down * c + beta,
        -2.0 * side * (down + up * c),
        up + down * c - beta,
    )


@cache
def lowpass_step() -> Any:
    """LowpassFilter: 6 dB an octave."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def lowpass(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            t, to = math.tan(0.5 * angle(values(e)[0], e.rate)), goal(e)
            to[0] = to[1] = t / (t + 1.0)
            to[2] = (t - 1.0) / (t + 1.0)
        depart(e, n)
        _first_order(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return lowpass


@cache
def highpass_step() -> Any:
    """HighpassFilter: 6 dB an octave."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def highpass(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            t, to = math.tan(0.5 * angle(values(e)[0], e.rate)), goal(e)
            to[0] = 1.0 / (t + 1.0)
            to[1] = -to[0]
            to[2] = (t - 1.0) / (t + 1.0)
        depart(e, n)
        _first_order(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return highpass


@cache
def peak_step() -> Any:
    """PeakFilter."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def peak_filter(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p = values(e)
            peak(goal(e), angle(p[0], e.rate), p[1], p[2])
        depart(e, n)
        _second_order(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return peak_filter


@cache
def low_shelf_step() -> Any:
    """LowShelfFilter."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def low_shelf(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p = values(e)
            shelf(goal(e), angle(p[0], e.rate), p[1], p[2], 1.0)
        depart(e, n)
        _second_order(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return low_shelf


@cache
def high_shelf_step() -> Any:
    """HighShelfFilter."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def high_shelf(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p = values(e)
            shelf(goal(e), angle(p[0], e.rate), p[1], p[2], -1.0)
        depart(e, n)
        _second_order(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return high_shelf


FILTERS = {
    "LowpassFilter": Kind(lowpass_step, 3, state=1),
    "HighpassFilter": Kind(highpass_step, 3, state=1),
    "PeakFilter": Kind(peak_step, 5, state=2),
    "LowShelfFilter": Kind(low_shelf_step, 5, state=2),
    "HighShelfFilter": Kind(high_shelf_step, 5, state=2),
}
