"""The record of a native effect, and what all their steps do with it.

Parameters come ramped, one value a block.  An effect turns them into *coefficients* (gains, filter
coefficients, delays in samples): those it was at are kept in ``now``, where they are going is
written to ``goal``, and within a block they move along a straight line, sample by sample, so that
nothing steps.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...native.intrinsics import call_step, view_i64
from ...native.late_numba import cfunc, njit, types
from ...native.records import F32, F64, FLOAT, I64, INT, Array, Table

STEP = "int64(int64, int64, int64)"
"""``step(record, block, n) -> 0`` on ``block [channels, n]`` in place."""

EFFECT = Table(
    "effect",
    channels=INT, rate=FLOAT, begun=INT,
    n_parameters=INT, values=Array(F32, "n_parameters"), seen=Array(F32, "n_parameters"),
    n_coefficients=INT, now=Array(F64, "n_coefficients"), goal=Array(F64, "n_coefficients"),
    slope=Array(F64, "n_coefficients"),
    # what the effect remembers: of each channel, of all together, and sound
    n_state=INT, state=Array(F64, "channels, n_state"),
    n_shared=INT, shared=Array(F64, "n_shared"),
    n_places=INT, places=Array(I64, "channels, n_places"),
    room=INT, line=Array(F32, "channels, room"),
    # another record that does the work, and a number that goes with it
    inner=INT, inner_level=FLOAT,
    # address of the stream's position at the block's first sample, see `position`; samples so far
    clock=INT, counted=INT,
)  # fmt: skip
view_effect = EFFECT.view
values, seen = EFFECT.array("values"), EFFECT.array("seen")
now, goal, slope = EFFECT.array("now"), EFFECT.array("goal"), EFFECT.array("slope")
state, shared, line = EFFECT.array("state"), EFFECT.array("shared"), EFFECT.array("line")
places = EFFECT.array("places")


@njit(nogil=True, error_model="numpy", cache=True)
def renewed(e):  # type: ignore[no-untyped-def]
    """Whether a parameter is not what it was at the last block, so that goals are to be set."""
    given, known = values(e), seen(e)
    found = e.begun == 0
    for i in range(e.n_parameters):
        if given[i] != known[i]:
            known[i] = given[i]
            found = True
    return found


@njit(nogil=True, error_model="numpy", cache=True)
def arrive(e):  # type: ignore[no-untyped-def]
    """End a block: the coefficients are where they were to go."""
    here, there = now(e), goal(e)
    for k in range(e.n_coefficients):
        here[k] = there[k]


@njit(nogil=True, error_model="numpy", cache=True)
def depart(e, n):  # type: ignore[no-untyped-def]
    """Set the slopes that lead from ``now`` to ``goal`` in `n` samples; at the start be there."""
    here, there, steps = now(e), goal(e), slope(e)
    if e.begun == 0:
        arrive(e)
        e.begun = 1
    for k in range(e.n_coefficients):
        steps[k] = (there[k] - here[k]) / n


@njit(nogil=True, error_model="numpy", cache=True)
def position(e, n):  # type: ignore[no-untyped-def]
    """Position of the block's first sample in the stream; outside a path, samples so far."""
    at = e.counted if e.clock == 0 else view_i64(e.clock, 1)[0]
    e.counted += n
    return at


@njit(inline="always")
def decibels(value):  # type: ignore[no-untyped-def]
    """Amplitude factor of a value in dB."""
    return 10.0 ** (float(value) / 20.0)


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: silence behind, coefficients where the parameters are."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def effect_reset(address):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        state(e)[...] = 0.0
        shared(e)[...] = 0.0
        places(e)[...] = 0
        line(e)[...] = 0.0
        e.begun = e.counted = 0
        return 0

    return effect_reset


@njit(nogil=True, error_model="numpy", cache=True)
def reset_at(function, record):  # type: ignore[no-untyped-def]
    """Call a reset by addresses, for Python callers."""
    call_step(function, (record,))
