"""Reverb: Freeverb, eight damped combs in parallel and four all-passes in series a channel.

Schroeder's and Moorer's structure with the lengths of Jezar at Dreampoint's Freeverb (public
domain; J. O. Smith, "Physical Audio Signal Processing", "Freeverb").  The right channel's lines are
longer by :data:`SPREAD`; `width` mixes the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from ...parameters.parameter import Parameter
from .record import (
    STEP,
    arrive,
    depart,
    goal,
    line,
    now,
    places,
    renewed,
    slope,
    state,
    values,
    view_effect,
)
from .stage import Kind

F32 = np.float32
COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALLPASSES = (556, 441, 341, 225)
TUNED_AT, SPREAD = 44100, 23  # Hz, samples
LENGTHS = np.array(COMBS + ALLPASSES)
N_COMBS, N_LINES = len(COMBS), len(COMBS) + len(ALLPASSES)
PART = 64  # samples taken at a time
DAMPING, FEEDBACK, INPUT, NEAR, FAR, DRY, COUNT = 0, 1, 2, 3, 4, 5, 6


@njit(nogil=True, error_model="numpy", cache=True)
def _length(k, channel, rate):  # type: ignore[no-untyped-def]
    """Samples of line `k` of a channel."""
    return (LENGTHS[k] + SPREAD * (channel & 1)) * int(rate) // TUNED_AT


@njit(nogil=True, error_model="numpy", cache=True)
def _comb(x, y, memory, at, last, here, step, begin):  # type: ignore[no-untyped-def]
    """Add one comb's output to `y`; return where the line and its filter are then."""
    n, length = x.shape[0], memory.shape[0]
    done = 0
    while done < n:
        count = min(n - done, length - at)
        for i in range(count):
            k = begin + done + i + 1
            damping = F32(here[DAMPING] + step[DAMPING] * k)
            out = memory[at + i]
            last = out * (F32(1.0) - damping) + last * damping
            memory[at + i] = x[done + i] + last * F32(here[FEEDBACK] + step[FEEDBACK] * k)
            y[done + i] += out
        done += count
        at = at + count if at + count < length else 0
    return at, last


@njit(nogil=True, error_model="numpy", cache=True)
def _allpass(y, memory, at):  # type: ignore[no-untyped-def]
    n, length = y.shape[0], memory.shape[0]
    done = 0
    while done < n:
        count = min(n - done, length - at)
        for i in range(count):
            held = memory[at + i]
            x = y[done + i]
            memory[at + i] = x + F32(0.5) * held
            y[done + i] = held - x
        done += count
        at = at + count if at + count < length else 0
    return at


@njit(nogil=True, error_model="numpy", cache=True)
def _rooms(block, memory, lasts, at, here, step, rate):  # type: ignore[no-untyped-def]
    channels, n = block.shape
    linked = channels == 2
    scratch = memory.shape[1] - 2 * PART
    for begin in range(0, n, PART):
        m = min(PART, n - begin)
        for c in range(channels):
            x = memory[c, scratch : scratch + m]
            y = memory[c, scratch + PART : scratch + PART + m]
            for i in range(m):
                sound = block[c, begin + i]
                if linked:
                    sound = block[0, begin + i] + block[1, begin + i]
                x[i] = sound * F32(here[INPUT] + step[INPUT] * (begin + i + 1))
                y[i] = F32(0.0)
            start = 0
            for k in range(N_LINES):
                length = _length(k, c, rate)
                own = memory[c, start : start + length]
                if k < N_COMBS:
                    at[c, k], last = _comb(x, y, own, at[c, k], F32(lasts[c, k]), here, step, begin)
                    lasts[c, k] = last
                else:
                    at[c, k] = _allpass(y, own, at[c, k])
                start += length
        for i in range(m):
            k = begin + i + 1
            near, far = F32(here[NEAR] + step[NEAR] * k), F32(here[FAR] + step[FAR] * k)
            dry = F32(here[DRY] + step[DRY] * k)
            for c in range(channels):
                wet = memory[c, scratch + PART + i] * near
                if linked:
                    wet += memory[1 - c, scratch + PART + i] * far
                block[c, begin + i] = wet + block[c, begin + i] * dry


@cache
def reverb_step() -> Any:
    """Reverb."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def reverb(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            frozen = p[5] >= 0.5
            to[DAMPING] = 0.0 if frozen else 0.4 * float(p[1])
            to[FEEDBACK] = 1.0 if frozen else 0.28 * float(p[0]) + 0.7
            to[INPUT] = 0.0 if frozen else 0.015
            wet = 1.5 * float(p[2])
            to[NEAR], to[FAR] = wet * (1.0 + float(p[4])), wet * (1.0 - float(p[4]))
            to[DRY] = 2.0 * float(p[3])
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _rooms(block, line(e), state(e), places(e), now(e), slope(e), e.rate)
        arrive(e)
        return 0

    return reverb


def _room(rate: int, parameters: Sequence[Parameter]) -> int:
    return max(sum(_length(k, c, rate) for k in range(N_LINES)) for c in (0, 1)) + 2 * PART


REVERB = {"Reverb": Kind(reverb_step, COUNT, state=N_COMBS, places=N_LINES, room=_room)}
