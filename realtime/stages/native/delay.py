"""Delay: an echo, repeated.

Its length is a whole number of samples, and a new length fades in over the old one, so that it does
not bend the pitch of what rings.
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
    values,
    view_effect,
)
from .stage import Kind

F32 = np.float32
FADE = 1024  # samples
POSITION, LENGTH, NEXT, FADED = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy", cache=True)
def _steady(block, memory, at, length, here, step):  # type: ignore[no-untyped-def]
    """A block with one length; in runs that end where line or echo do."""
    channels, n = block.shape
    room = memory.shape[1]
    for c in range(channels):
        write, done = at, 0
        while done < n:
            read = write - length if write >= length else write - length + room
            count = min(n - done, length, room - write, room - read)
            for i in range(count):
                k = done + i
                feedback = F32(here[0] + step[0] * (k + 1))
                mix = F32(here[1] + step[1] * (k + 1))
                x, echo = block[c, k], memory[c, read + i]
                memory[c, write + i] = x + feedback * echo
                block[c, k] = x * (F32(1.0) - mix) + mix * echo
            done += count
            write = write + count if write + count < room else 0
    return (at + n) % room


@njit(nogil=True, error_model="numpy", cache=True)
def _tap(memory, c, at, length, x):  # type: ignore[no-untyped-def]
    if length == 0:
        return x
    return memory[c, at - length if at >= length else at - length + memory.shape[1]]


@njit(nogil=True, error_model="numpy", cache=True)
def _moving(block, memory, place, here, step):  # type: ignore[no-untyped-def]
    """A block in which the length changes, or is none."""
    room = memory.shape[1]
    at = place[POSITION]
    for i in range(block.shape[1]):
        mix = F32(here[1] + step[1] * (i + 1))
        g = F32(place[FADED]) / F32(FADE)
        same = place[NEXT] == place[LENGTH]
        for c in range(block.shape[0]):
            x = block[c, i]
            echo = _tap(memory, c, at, place[LENGTH], x)
            back = echo if place[LENGTH] > 0 else F32(0.0)
            if not same:
                other = _tap(memory, c, at, place[NEXT], x)
                echo = (F32(1.0) - g) * echo + g * other
                back = (F32(1.0) - g) * back + (g * other if place[NEXT] > 0 else F32(0.0))
            memory[c, at] = x + F32(here[0] + step[0] * (i + 1)) * back
            block[c, i] = x * (F32(1.0) - mix) + mix * echo
        if not same:
            place[FADED] += 1
            if place[FADED] >= FADE:
                place[LENGTH] = place[NEXT]
        at = at + 1 if at + 1 < room else 0
    place[POSITION] = at


@cache
def delay_step() -> Any:
    """Delay."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def delay(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p, place, memory = values(e), places(e)[0], line(e)
        # as pedalboard does it: what remains of a sample is cut off
        wanted = min(int(float(p[0]) * e.rate), memory.shape[1] - 1)
        if e.begun == 0:
            place[LENGTH] = place[NEXT] = wanted
        if renewed(e):
            goal(e)[0], goal(e)[1] = p[1], p[2]
        depart(e, n)
        if place[NEXT] == place[LENGTH] and wanted != place[LENGTH]:
            place[NEXT], place[FADED] = wanted, 0
        block = view_f32(block_address, (e.channels, n))
        if place[NEXT] == place[LENGTH] and place[LENGTH] > 0:
            place[POSITION] = _steady(
                block, memory, place[POSITION], place[LENGTH], now(e), slope(e)
            )
        else:
            _moving(block, memory, place, now(e), slope(e))
        arrive(e)
        return 0

    return delay


def _room(rate: int, parameters: Sequence[Parameter]) -> int:
    return int(parameters[0].maximum * rate) + 1


DELAY = {"Delay": Kind(delay_step, 2, places=4, room=_room)}
