"""Chorus and Phaser: a slow sine moves a delay, or the corner of six all-pass filters.

The all-pass filters are first-order and of V. Zavalishin's "The Art of VA Filter Design" (2012,
§3.10: topology-preserving transform).  The sine's phase is a 32-bit number as pedalboard's is: a
second's rounding changes where the two stand.
"""

from __future__ import annotations

import math
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
    shared,
    slope,
    state,
    values,
    view_effect,
)
from .stage import Kind

F32 = np.float32
TURN, HALF = F32(2.0 * math.pi), F32(math.pi)
RATE, DEPTH, CENTRE, FEEDBACK, MIX, COUNT = 0, 1, 2, 3, 4, 5
SWING_MS = F32(20.0)  # of the chorus' delay at full depth, from end to end
EVERY = 4  # samples between two corners of the phaser
POLES = 6
LOWEST_HZ, HIGHEST_HZ = 20.0, 20000.0


@njit(inline="always")
def _turned(phase, increment):  # type: ignore[no-untyped-def]
    phase = F32(phase + F32(increment))
    while phase >= TURN:
        phase = F32(phase - TURN)
    return phase


@njit(nogil=True, error_model="numpy", cache=True)
def _chorus(block, memory, shared, place, here, step, rate):  # type: ignore[no-untyped-def]
    """`memory`: the line, and after it what is fed back, one sample."""
    room = memory.shape[1] - 1
    phase, at = F32(shared[0]), place[0]
    to_samples = F32(rate / 1000.0)
    for i in range(block.shape[1]):
        k = i + 1
        wave = F32(math.sin(F32(phase - HALF)) * F32(here[DEPTH] + step[DEPTH] * k))
        phase = _turned(phase, here[RATE] + step[RATE] * k)
        centre = F32(here[CENTRE] + step[CENTRE] * k)
        delay = F32(max(F32(1.0), F32(SWING_MS * wave + centre)) * to_samples)
        whole = int(delay)
        rest = F32(delay - F32(whole))
        first = at - whole if at >= whole else at - whole + room
        second = first - 1 if first > 0 else room - 1
        feedback = F32(here[FEEDBACK] + step[FEEDBACK] * k)
        mix = F32(here[MIX] + step[MIX] * k)
        for c in range(block.shape[0]):
            x = block[c, i]
            memory[c, at] = x - memory[c, room]
            a = memory[c, first]
            y = a + rest * (memory[c, second] - a)
            memory[c, room] = y * feedback
            block[c, i] = x * (F32(1.0) - mix) + y * mix
        at = at + 1 if at + 1 < room else 0
    shared[0], place[0] = phase, at


@njit(nogil=True, error_model="numpy", cache=True)
def _phaser(block, memory, shared, place, here, step, rate):  # type: ignore[no-untyped-def]
    """`memory`: the six filters' states and what is fed back; `shared`: phase and corner."""
    highest = min(HIGHEST_HZ, 0.49 * rate)
    span = math.log(highest / LOWEST_HZ)
    phase, corner, count = F32(shared[0]), shared[1], place[0]
    for i in range(block.shape[1]):
        k = i + 1
        if count == 0:
            wave = float(math.sin(F32(phase - HALF))) * (here[DEPTH] + step[DEPTH] * k)
            phase = _turned(phase, here[RATE] + step[RATE] * k)
            height = min(max(wave + here[CENTRE] + step[CENTRE] * k, 0.0), 1.0)
            t = math.tan(math.pi / rate * LOWEST_HZ * math.exp(height * span))
            corner = t / (1.0 + t)
        count = count + 1 if count + 1 < EVERY else 0
        feedback, mix = here[FEEDBACK] + step[FEEDBACK] * k, here[MIX] + step[MIX] * k
        for c in range(block.shape[0]):
            s = memory[c]
            x = float(block[c, i])
            y = x - s[POLES]
            for p in range(POLES):
                v = corner * (y - s[p])
                low = v + s[p]
                s[p] = low + v
                y = 2.0 * low - y
            s[POLES] = y * feedback
            block[c, i] = F32(x * (1.0 - mix) + y * mix)
    shared[0], shared[1], place[0] = phase, corner, count


@cache
def chorus_step() -> Any:
    """Chorus."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def chorus(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            to[RATE] = p[0] * TURN / F32(e.rate)
            to[DEPTH], to[CENTRE] = p[1] * F32(0.5), p[2]
            to[FEEDBACK], to[MIX] = p[3], p[4]
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _chorus(block, line(e), shared(e), places(e)[0], now(e), slope(e), e.rate)
        arrive(e)
        return 0

    return chorus


@cache
def phaser_step() -> Any:
    """Phaser."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def phaser(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            span = math.log(min(HIGHEST_HZ, 0.49 * e.rate) / LOWEST_HZ)
            to[RATE] = p[0] * TURN / F32(e.rate / EVERY)
            to[DEPTH], to[CENTRE] = 0.5 * float(p[1]), math.log(float(p[2]) / LOWEST_HZ) / span
            to[FEEDBACK], to[MIX] = p[3], p[4]
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _phaser(block, state(e), shared(e), places(e)[0], now(e), slope(e), e.rate)
        arrive(e)
        return 0

    return phaser


def _room(rate: int, parameters: Sequence[Parameter]) -> int:
    longest = parameters[CENTRE].maximum + 0.5 * float(SWING_MS)
    return int(longest * rate / 1000.0) + 4


MODULATION = {
    "Chorus": Kind(chorus_step, COUNT, places=1, shared=1, room=_room),
    "Phaser": Kind(phaser_step, COUNT, state=POLES + 1, places=1, shared=2),
}
