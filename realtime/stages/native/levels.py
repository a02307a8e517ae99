"""Gain, Invert, Distortion, Clipping and Bitcrush: a function of one sample each."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import STEP, arrive, decibels, depart, goal, now, renewed, slope, values, view_effect
from .stage import Kind

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def scale(block, start, step):  # type: ignore[no-untyped-def]
    """Multiply in place by ``start + step (i + 1)``."""
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            block[c, i] *= F32(start + step * (i + 1))


@njit(nogil=True, error_model="numpy", cache=True)
def _saturate(block):  # type: ignore[no-untyped-def]
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            block[c, i] = math.tanh(block[c, i])


@njit(nogil=True, error_model="numpy", cache=True)
def _clip(block, start, step):  # type: ignore[no-untyped-def]
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            most = F32(start + step * (i + 1))
            block[c, i] = min(most, max(-most, block[c, i]))


@njit(nogil=True, error_model="numpy", cache=True)
def _crush(block, start, step):  # type: ignore[no-untyped-def]
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            steps = start + step * (i + 1)
            block[c, i] = F32(np.rint(block[c, i] * steps) / steps)


@cache
def gain_step() -> Any:
    """Gain: a factor."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def gain(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            goal(e)[0] = decibels(values(e)[0])
        depart(e, n)
        scale(view_f32(block_address, (e.channels, n)), now(e)[0], slope(e)[0])
        arrive(e)
        return 0

    return gain


@cache
def invert_step() -> Any:
    """Invert: the factor -1."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def invert(address, block_address, n):  # type: ignore[no-untyped-def]
        scale(view_f32(block_address, (view_effect(address).channels, n)), -1.0, 0.0)
        return 0

    return invert


@cache
def distortion_step() -> Any:
    """Distortion: tanh after a gain."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def distortion(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        block = view_f32(block_address, (e.channels, n))
        if renewed(e):
            goal(e)[0] = decibels(values(e)[0])
        depart(e, n)
        scale(block, now(e)[0], slope(e)[0])
        _saturate(block)
        arrive(e)
        return 0

    return distortion


@cache
def clipping_step() -> Any:
    """Clipping: no sample beyond the threshold."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def clipping(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            goal(e)[0] = decibels(values(e)[0])
        depart(e, n)
        _clip(view_f32(block_address, (e.channels, n)), now(e)[0], slope(e)[0])
        arrive(e)
        return 0

    return clipping


@cache
def bitcrush_step() -> Any:
    """Bitcrush: rounded to a multiple of ``2 ** -bits``."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def bitcrush(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            goal(e)[0] = 2.0 ** float(values(e)[0])
        depart(e, n)
        _crush(view_f32(block_address, (e.channels, n)), now(e)[0], slope(e)[0])
        arrive(e)
        return 0

    return bitcrush


LEVELS = {
    "Gain": Kind(gain_step, 1),
    "Invert": Kind(invert_step, 0),
    "Distortion": Kind(distortion_step, 1),
    "Clipping": Kind(clipping_step, 1),
    "Bitcrush": Kind(bitcrush_step, 1),
}
