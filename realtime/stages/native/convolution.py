"""Convolution: a cabinet or a room by its impulse response."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...dsp.convolution import cell, convolve, silence, view_convolver, wet_of
from ...dsp.convolver import Convolver
from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit, types
from .record import STEP, arrive, depart, goal, now, renewed, slope, values, view_effect
from .response import at_rate, loudness, read_response
from .stage import Inner, Kind

F32 = np.float32
DRY, WET, LEVEL = 0, 1, 2
LEVEL_SECONDS = 0.02  # time constant of a change of `normalize`


@njit(nogil=True, error_model="numpy", cache=True)
def _play(v, block, here, step):  # type: ignore[no-untyped-def]
    done, n = 0, block.shape[1]
    while done < n:
        count = cell(v, n - done)
        convolve(v, block, done, count)
        wet = wet_of(v)
        for c in range(block.shape[0]):
            for i in range(count):
                k = done + i + 1
                heard = F32((here[WET] + step[WET] * k) * (here[LEVEL] + step[LEVEL] * k))
                dry = F32(here[DRY] + step[DRY] * k)
                block[c, done + i] = dry * block[c, done + i] + heard * wet[c, i]
        done += count


@cache
def convolution_step() -> Any:
    """Convolution."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def convolution(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p, to, here = values(e), goal(e), now(e)
        if renewed(e):
            to[DRY], to[WET] = 1.0 - float(p[0]), p[0]
        level = e.inner_level if p[1] >= 0.5 else 1.0
        to[LEVEL] = level
        if e.begun != 0 and abs(here[LEVEL] - level) > 1e-5 * level:
            share = 1.0 - math.exp(-n / (LEVEL_SECONDS * e.rate))
            to[LEVEL] = here[LEVEL] + (level - here[LEVEL]) * share
        depart(e, n)
        _play(view_convolver(e.inner), view_f32(block_address, (e.channels, n)), here, slope(e))
        arrive(e)
        return 0

    return convolution


@cache
def convolution_reset() -> Any:
    """C function ``reset(record) -> 0``."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def reset(address):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        silence(view_convolver(e.inner))
        e.begun = 0
        return 0

    return reset


class Response(Inner):
    """A response laid out for one rate; see :class:`realtime.stages.native.stage.Inner`."""

    def __init__(self, path: str | Path) -> None:
        self._clip = read_response(path)

    address: int
    level: float

    def __call__(self, sample_rate: int, channels: int, *_: object) -> Response:
        """Lay it out."""
        taps = at_rate(self._clip, sample_rate)[:channels]
        self._convolver = Convolver(taps, channels)
        self.address, self.level = self._convolver.address, loudness(taps, sample_rate)
        return self


def convolution(path: str | Path) -> Kind:
    """The effect for one impulse response.

    Raises
    ------
    AudioFileError, ChainError
        The file is none: see :func:`realtime.stages.native.response.read_response`.
    """
    return Kind(convolution_step, 3, inner=Response(path), reset=convolution_reset)
