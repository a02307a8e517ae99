"""The native interpreter of capture programs: one C function ``step(record)`` for any capture.

Signals are rows of float32 in time order.  A value that convolutions look back into keeps its past
in front of the new samples; the row slides back only when its room is used up, so a step copies
nothing as a rule.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ...dsp.functions import tanh
from ...dsp.mix import follow, same_channels
from ...native.intrinsics import view_f32, view_i64
from ...native.late_numba import cfunc, njit, types
from .activations import FAST_A, FAST_B, FAST_C, FAST_D, FAST_E
from .cell import BELOW, CELL, OWN, PAIRS, PAIRS_BELOW, TILE_SIZE, UNITS, VECTORS, move_units
from .cell import BIAS as BIASES
from .cell import NEXT as FOLLOWING
from .cell import WEIGHT as WEIGHTS
from .tile import LANES, LONG, blocks_of, layer_tile
from .tile import ROWS as ROWS_OF_TILES

F32 = np.float32

# record slots (int64): operations and values by address
N_OPS, OPS, N_VALUES, VALUES, COUNT, CHANNELS, X, Y, CONTROLS, REST, RECORD = range(11)
SETTLED, RECURRENT, N_RECURRENT = range(11, 14)
# channels that come first and whose sound the others have had since the reset (0: they have not),
# and how many that may be
LEADERS, MOST_LEADERS, N_CONTROLS, RECORD_SIZE = range(14, 18)
# one operation; MIX, INIT, HEAD, SKIP are values or -1
CODE, DST, SRC, THIRD, N_OUT, N_IN, TAPS, DILATION, WEIGHT, BIAS, KIND, EXTRA = range(12)
MIX, MIXED, INIT, SLOPE, HEAD, TOTAL, SECOND, SECOND_BIAS, OUTPUTS, SKIP, NEXT = range(12, 23)
WRITTEN, OP_SIZE = 23, 24
LAYER, ACTIVATE, ADD, MULTIPLY, BLEND, PART, SCALE, RECUR = range(8)
# one value: base address, floats a row, past, rows, offset of the new samples in a row, and the
# next value that has a past, or -1
BASE, STRIDE, PAST, ROWS, OFFSET, MOVES_NEXT, VALUE_SIZE = range(7)
MOST_ROWS = ROWS_OF_TILES[0]
FEWER_ROWS = (0, *(blocks_of(n)[0] for n in range(1, MOST_ROWS)))

_FAST = {"contract", "nsz", "nnan"}


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def activate(kind, x, y, p):  # type: ignore[no-untyped-def]
    """Apply activation number `kind` to a row; `p` are its parameters."""
    n = x.shape[0]
    half, one = F32(0.5), F32(1.0)
    if kind == 0:
        for i in range(n):
            y[i] = tanh(x[i])
    elif kind == 1:
        for i in range(n):
            y[i] = half + half * tanh(half * x[i])
    elif kind == 2:
        for i in range(n):
            y[i] = max(x[i], F32(0.0))
    elif kind == 3 or kind == 4:
        for i in range(n):
            y[i] = max(x[i], F32(0.0)) + p[0] * min(x[i], F32(0.0))
    elif kind == 5:
        for i in range(n):
            y[i] = min(max(x[i], -one), one)
    elif kind == 6:
        for i in range(n):
            above = (x[i] - p[1]) * p[3] + p[1] if x[i] > p[1] else x[i]
            y[i] = (x[i] - p[0]) * p[2] + p[0] if x[i] < p[0] else above
    elif kind == 7:
        for i in range(n):
            y[i] = x[i] * (half + half * tanh(half * x[i]))
    elif kind == 8:
        for i in range(n):
            y[i] = x[i] * min(max(x[i] + F32(3.0), F32(0.0)), F32(6.0)) / F32(6.0)
    elif kind == 9:
        for i in range(n):
            y[i] = x[i] / (one + abs(x[i]))
    elif kind == 10:
        for i in range(n):
            y[i] = half * (one + x[i] / (one + abs(x[i])))
    elif kind == 12:
        for i in range(n):
            t, size = np.float64(x[i]), abs(np.float64(x[i]))
            top = FAST_A + FAST_A * size + (FAST_B + FAST_C * size) * t * t
            y[i] = F32(t * top / (FAST_D + (FAST_D + t * t) * (size + FAST_E * size * size)))
    else:
        for i in range(n):
            y[i] = x[i]


@njit(nogil=True, error_model="numpy", inline="always")
def _now(value):  # type: ignore[no-untyped-def]
    """Address of a value's first new sample."""
    return value[BASE] + 4 * value[OFFSET]


@njit(nogil=True, error_model="numpy", cache=True)
def _layer(op, values, count):  # type: ignore[no-untyped-def]
    """One layer over `count` samples, tile by tile; rows are padded for whole tiles."""
    src, dst = values[op[SRC]], values[op[DST]]
    inputs, taps, step = op[N_IN], op[TAPS], 4 * op[DILATION]
    x, x_row = _now(src) - (taps - 1) * step, 4 * src[STRIDE]
    y, y_row = _now(dst), 4 * dst[STRIDE]
    mix = mix_row = init = init_row = head = head_row = out = out_row = 0
    if op[MIX] >= 0:
        mix, mix_row = _now(values[op[MIX]]), 4 * values[op[MIX], STRIDE]
    if op[INIT] >= 0:
        init, init_row = _now(values[op[INIT]]), 4 * values[op[INIT], STRIDE]
    if op[HEAD] >= 0:
        head, head_row = _now(values[op[HEAD]]), 4 * values[op[HEAD], STRIDE]
        out, out_row = _now(values[op[TOTAL]]), 4 * values[op[TOTAL], STRIDE]
    skip = skip_row = following = next_row = 0
    if op[OUTPUTS] > 0:
        following, next_row = _now(values[op[NEXT]]), 4 * values[op[NEXT], STRIDE]
        if op[SKIP] >= 0:
            skip, skip_row = _now(values[op[SKIP]]), 4 * values[op[SKIP], STRIDE]
    weight, bias, slope, left = op[WEIGHT], op[BIAS], op[SLOPE], op[N_OUT]
    while left > 0:
        rows = MOST_ROWS if left >= MOST_ROWS else FEWER_ROWS[left]
        t = 0
        while t < 4 * count:
            lanes = LONG if 4 * count - t > 4 * LANES else LANES
            layer_tile(
                rows, lanes, y + t if op[WRITTEN] else 0, y_row, x + t, x_row, weight, inputs, taps,
                step, mix + t, mix_row, op[MIXED], bias, init + t if init else 0, init_row,
                op[KIND], slope, head + t if head else 0, head_row, out + t, out_row, op[SECOND],
                op[SECOND_BIAS], op[OUTPUTS], skip + t if skip else 0, skip_row, following + t,
                next_row,
            )  # fmt: skip
            t += 4 * lanes
        weight += 4 * rows * (inputs * taps + op[MIXED])
        bias += 4 * rows
        slope += 4 * rows
        y += rows * y_row
        init += rows * init_row
        head += rows * head_row
        out += rows * out_row
        left -= rows


@njit(nogil=True, error_model="numpy", inline="always")
def _rows(value):  # type: ignore[no-untyped-def]
    return view_f32(value[BASE], (value[ROWS], value[STRIDE]))


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _combine(code, a, b, c, y):  # type: ignore[no-untyped-def]
    for i in range(y.shape[0]):
        if code == ADD:
            y[i] = a[i] + b[i]
        elif code == MULTIPLY:
            y[i] = a[i] * b[i]
        else:
            y[i] = a[i] + c[i] * (b[i] - a[i])


@njit(nogil=True, error_model="numpy", cache=True)
def _recur(op, src, dst, count):  # type: ignore[no-untyped-def]
    """LSTM layers on top of each other, sample by sample; see ``cell.py``."""
    inputs, size, n_tiles, top = op[N_IN], op[N_OUT], op[KIND], op[TAPS]
    tiles = view_i64(op[WEIGHT], (2, n_tiles, TILE_SIZE))
    odd = view_f32(op[EXTRA], 1)
    phase = 1 if odd[0] != 0 else 0
    a, b = _rows(src), _rows(dst)
    p, q = src[OFFSET], dst[OFFSET]
    for t in range(count):
        x = view_f32(tiles[phase, 0, OWN], inputs)
        for i in range(inputs):
            x[i] = a[i, p + t]
        for k in range(n_tiles):
            tile = tiles[phase, k]
            move_units(
                tile[UNITS], tile[VECTORS], tile[WEIGHTS], tile[BIASES], tile[OWN], tile[PAIRS],
                tile[BELOW], tile[PAIRS_BELOW], tile[CELL], tile[FOLLOWING],
            )  # fmt: skip
        hidden = view_f32(tiles[phase, top, FOLLOWING], size)
        for j in range(size):
            b[j, q + t] = hidden[j]
        phase = 1 - phase
    odd[0] = phase


@njit(nogil=True, error_model="numpy", cache=True)
def _advance(value, count, slack):  # type: ignore[no-untyped-def]
    """Move past the `count` new samples; slide the row back when its room is used up."""
    past, stride = value[PAST], value[STRIDE]
    if past == 0:
        return
    at = value[OFFSET] + count
    if at + slack > stride:
        rows = _rows(value)
        for c in range(rows.shape[0]):
            for i in range(past):
                rows[c, i] = rows[c, at - past + i]
        at = past
    value[OFFSET] = at


@njit(nogil=True, error_model="numpy", cache=True)
def run_program(r, ops, values, x, y, controls):  # type: ignore[no-untyped-def]
    """Run all operations over the samples of ``x [n]`` into ``y [n]``."""
    count = x.shape[0]
    first = _rows(values[0])
    for i in range(count):
        first[0, values[0, OFFSET] + i] = x[i]
    for k in range(ops.shape[0]):
        op = ops[k]
        code = op[CODE]
        if code == LAYER:
            _layer(op, values, count)
            continue
        dst, src = values[op[DST]], values[op[SRC]]
        if code == RECUR:
            _recur(op, src, dst, count)
            continue
        a, b = _rows(src), _rows(dst)
        p, q = src[OFFSET], dst[OFFSET]
        parameters = view_f32(op[WEIGHT], (op[N_OUT], 4))
        for c in range(op[N_OUT]):
            row = b[c, q : q + count]
            if code == ACTIVATE:
                activate(op[KIND], a[c, p : p + count], row, parameters[c])
            elif code == PART:
                low = op[EXTRA]
                for i in range(count):
                    row[i] = a[c + low, p + i]
            elif code == SCALE:
                gain = parameters[0, 0]
                if op[KIND] >= 0 and controls[op[KIND]] != 0:
                    gain *= F32(10.0 ** (controls[op[KIND]] * parameters[0, 1] / 20.0))
                for i in range(count):
                    row[i] = a[c, p + i] * gain
            else:
                second, third = values[op[THIRD]], values[op[EXTRA]]
                other, weigh = _rows(second), _rows(third)
                s, t = second[OFFSET], third[OFFSET]
                _combine(
                    code, a[c, p : p + count], other[c, s : s + count], weigh[c, t : t + count], row
                )
    last = values[r[RECORD]]
    result = _rows(last)
    for i in range(count):
        y[i] = result[0, last[OFFSET] + i]
    v = 0
    while v >= 0:
        _advance(values[v], count, r[COUNT] + LANES)
        v = values[v, MOVES_NEXT]


@njit(nogil=True, error_model="numpy", cache=True)
def _follow(r, values):  # type: ignore[no-untyped-def]
    """Give the channels that were spared the state of those that ran for them."""
    floats, leaders = r[N_RECURRENT] // r[CHANNELS], r[LEADERS]
    recurrent = view_f32(r[RECURRENT], (r[CHANNELS], floats))
    for c in range(leaders, r[CHANNELS]):
        for v in range(r[N_VALUES]):
            value, first = values[c, v], values[c % leaders, v]
            value[OFFSET] = end = first[OFFSET]
            rows, source = _rows(value), _rows(first)
            for k in range(value[ROWS]):
                for i in range(end - value[PAST], end):
                    rows[k, i] = source[k, i]
        for i in range(floats):
            recurrent[c, i] = recurrent[c % leaders, i]


@cache
def step_function() -> Any:
    """C function ``step(record) -> 0``: one hop for every channel.

    Channels that have heard the same since the reset (one guitar in a stereo rig) are run once.
    """

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def nam_step(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        x = view_f32(r[X], (r[CHANNELS], r[COUNT]))
        y = view_f32(r[Y], (r[CHANNELS], r[COUNT]))
        controls = view_f32(r[CONTROLS], r[N_CONTROLS])
        ops = view_i64(r[OPS], (r[CHANNELS], r[N_OPS], OP_SIZE))
        values = view_i64(r[VALUES], (r[CHANNELS], r[N_VALUES], VALUE_SIZE))
        running = r[CHANNELS]
        if 0 < r[LEADERS] < r[CHANNELS]:
            if same_channels(x, r[LEADERS]):
                running = r[LEADERS]
            else:
                _follow(r, values)
                r[LEADERS] = 0
        for c in range(running):
            run_program(r, ops[c], values[c], x[c], y[c], controls)
        follow(y, running)
        return 0

    return nam_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: what silence left behind, in place of what was played."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def nam_reset(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        values = view_i64(r[VALUES], (r[CHANNELS], r[N_VALUES], VALUE_SIZE))
        for c in range(r[CHANNELS]):
            at = r[REST]
            for v in range(r[N_VALUES]):
                value = values[c, v]
                rows, rest = _rows(value), view_f32(at, value[ROWS])
                value[OFFSET] = value[PAST]
                for k in range(value[ROWS]):
                    for i in range(value[PAST]):
                        rows[k, i] = rest[k]
                at += 4 * value[ROWS]
        source, target = (
            view_f32(r[SETTLED], r[N_RECURRENT]),
            view_f32(r[RECURRENT], r[N_RECURRENT]),
        )
        for i in range(r[N_RECURRENT]):
            target[i] = source[i]
        r[LEADERS] = r[MOST_LEADERS]
        return 0

    return nam_reset
