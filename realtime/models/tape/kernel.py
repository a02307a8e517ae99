"""The native interpreter of tapes: one C function ``step(record)`` for any graph.

An instruction works on rows of float32; indices and truths are float32 too.  Nothing is allocated,
and no index that a graph computes leaves its array: a step with one that would fails.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...dsp.mix import follow, same_channels
from ...native.intrinsics import view_f32, view_i32, view_i64
from ...native.late_numba import cfunc, njit, types
from .elements import map_elements, reduce_axes
from .indices import gather, gather_elements, gather_nd, pick, sum_up, top
from .layout import CODE, FAULT, N_BASES, OUT, STATE_IN, STATE_OUT, WIDTH, Code
from .layout import X as X_BASE
from .matrices import matmul, norm, recurrent

# slots of the int64 record one step works on
PHASE, N_OPS, OPS, TABLE, BASES, SCRATCH, STATE_ROOM, STATES = range(8)  # STATES: one a phase
INITIAL, CHANNELS, TWINS, MAY_BE_TWINS, X, X_FLOATS, Y, Y_FLOATS = range(9, 17)
FAILED, RECORD_SIZE = 17, 18  # FAILED: whether a step has

(_MAP, _REDUCE, _MATMUL, _GATHER, _PICK, _GATHER_ND, _ELEMENTS, _TOP, _SUM_UP, _NORM,
 _GRU, _LSTM) = (int(c) for c in Code)  # fmt: skip


@njit(nogil=True, error_model="numpy", inline="always")
def run(ops, n, bases, table, scratch):  # type: ignore[no-untyped-def]
    """Work through a tape once, for one channel."""
    for i in range(n):
        op = ops[i]
        code = op[CODE]
        if code == _MAP:
            map_elements(op, bases, scratch)
        elif code == _MATMUL:
            matmul(op, bases, table)
        elif code == _REDUCE:
            reduce_axes(op, bases, scratch)
        elif code == _GATHER:
            gather(op, bases)
        elif code == _PICK:
            pick(op, bases, table)
        elif code == _GATHER_ND:
            gather_nd(op, bases)
        elif code == _ELEMENTS:
            gather_elements(op, bases)
        elif code == _TOP:
            top(op, bases, scratch)
        elif code == _SUM_UP:
            sum_up(op, bases)
        elif code == _NORM:
            norm(op, bases)
        elif code == _GRU or code == _LSTM:
            recurrent(op, bases, table, scratch)


@cache
def step_function() -> Any:
    """C function ``step(record) -> 0 or 1``: the tape, for every channel.

    Channels that have heard the same since the reset (one guitar in a stereo rig) are run once.
    """

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def tape_step(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        channels = r[CHANNELS]
        if r[TWINS] != 0:
            if same_channels(view_f32(r[X], (channels, r[X_FLOATS])), 1):
                channels = 1
            else:
                follow(view_f32(r[STATES + r[PHASE]], (channels, r[STATE_ROOM])), 1)
                r[TWINS] = 0
        bases = view_i64(r[BASES], N_BASES)
        ops = view_i32(r[OPS], (r[N_OPS], WIDTH))
        phase = r[PHASE]
        for c in range(channels):
            bases[X_BASE] = r[X] + 4 * c * r[X_FLOATS]
            bases[OUT] = r[Y] + 4 * c * r[Y_FLOATS]
            bases[STATE_IN] = r[STATES + phase] + 4 * c * r[STATE_ROOM]
            bases[STATE_OUT] = r[STATES + 1 - phase] + 4 * c * r[STATE_ROOM]
            run(ops, r[N_OPS], bases, r[TABLE], r[SCRATCH])
        if bases[FAULT] != 0:
            bases[FAULT], r[FAILED] = 0, 1
            return 1
        r[PHASE] = 1 - phase
        if r[TWINS] != 0:
            follow(view_f32(r[Y], (r[CHANNELS], r[Y_FLOATS])), 1)
        return 0

    return tape_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: put the initial state back, without the GIL."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def tape_reset(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        total = r[CHANNELS] * r[STATE_ROOM]
        source, target = view_f32(r[INITIAL], total), view_f32(r[STATES], total)
        for i in range(total):
            target[i] = source[i]
        r[PHASE] = 0
        r[TWINS] = r[MAY_BE_TWINS]
        return 0

    return tape_reset
