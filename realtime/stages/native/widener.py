"""Widener: one sound as wide as an ensemble's seats, the same as before to who hears it in mono.

What is between the channels is kept, and the middle comes back late on four paths whose delays
wander slowly; their sum is added to the left and taken from the right, after M. R. Schroeder, "An
Artificial Stereophonic Effect Obtained from a Single Audio Signal" (JAES 6:2, 1958, after
H. Lauridsen).  So the sum of both channels is what it was, and no frequency is much louder in their
power than another.  Lows stay in the middle.
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
PATHS = 4
DELAYS_MS = (7.3, 11.9, 17.1, 23.7)  # no two of them near a ratio of small numbers
PACES = (1.0, 0.81, 1.27, 0.67)  # of the wandering, times the rate
SIGNS = (1.0, -1.0, -1.0, 1.0)
SWING_MS = 2.5  # either way, at full depth
WIDTH, RATE, DEPTH, CORNER = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy", cache=True)
def _widen(block, late, low, phases, place, here, step, rate):  # type: ignore[no-untyped-def]
    """`late`: the middle of late, a ring; `low`: what two filters take out of the side."""
    room, at = late.shape[0], place[0]
    ms = rate / 1000.0
    share = 1.0 / math.sqrt(PATHS)
    for i in range(block.shape[1]):
        k = i + 1
        middle = 0.5 * (float(block[0, i]) + float(block[1, i]))
        late[at] = F32(middle)
        swing = SWING_MS * (here[DEPTH] + step[DEPTH] * k)
        pace = here[RATE] + step[RATE] * k
        side = 0.0
        for p in range(PATHS):
            delay = (DELAYS_MS[p] + swing * math.sin(phases[p])) * ms
            phases[p] += pace * PACES[p]
            if phases[p] > math.pi:
                phases[p] -= 2.0 * math.pi
            whole = int(delay)
            rest = delay - whole
            first = at - whole if at >= whole else at - whole + room
            second = first - 1 if first > 0 else room - 1
            side += SIGNS[p] * (late[first] + rest * (late[second] - late[first]))
        corner = here[CORNER] + step[CORNER] * k
        for f in range(2):
            v = corner * (side - low[f])
            bass = v + low[f]
            low[f] = bass + v
            side -= bass
        added = F32(share * (here[WIDTH] + step[WIDTH] * k) * side)
        block[0, i] += added
        block[1, i] -= added
        at = at + 1 if at + 1 < room else 0
    place[0] = at


@cache
def widener_step() -> Any:
    """Widener."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def widener(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if e.channels < 2:
            return 0
        if renewed(e):
            p, to = values(e), goal(e)
            to[WIDTH], to[DEPTH] = p[0], p[3]
            to[RATE] = 2.0 * math.pi * float(p[2]) / e.rate
            t = math.tan(math.pi * float(p[1]) / e.rate)
            to[CORNER] = t / (1.0 + t)
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        late, low = line(e)[0], state(e)[0]
        _widen(block, late, low, shared(e), places(e)[0], now(e), slope(e), e.rate)
        arrive(e)
        return 0

    return widener


def _room(rate: int, parameters: Sequence[Parameter]) -> int:
    return int((max(DELAYS_MS) + SWING_MS) * rate / 1000.0) + 4


WIDENER = {
    "Widener": Kind(widener_step, 4, state=2, places=1, shared=PATHS, room=_room, least_channels=2)
}
