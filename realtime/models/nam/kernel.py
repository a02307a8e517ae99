"""The native interpreter of capture programs: one C function ``step(record)`` for any capture.

Signals are rows of float32 in time order.  A value that convolutions look back into keeps its past
in front of the new samples; the row slides back only when its room is used up, so a step copies
nothing as a rule.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit, types

from ...native.intrinsics import view_f32, view_i64
from .activations import FAST_A, FAST_B, FAST_C, FAST_D, FAST_E
from .tile import LANES, make_tile

F32 = np.float32

# record slots (int64): operations and values by address
N_OPS, OPS, N_VALUES, VALUES, COUNT, CHANNELS, X, Y, CONTROLS, PER_CHANNEL, RECORD = range(11)
# one operation
CODE, DST, SRC, THIRD, N_OUT, N_IN, TAPS, DILATION, WEIGHT, BIAS, KIND, EXTRA, OP_SIZE = range(13)
CONV, ACTIVATE, ADD, MULTIPLY, BLEND, PART, SCALE, RECUR = range(8)
# one value: base address, floats a row, past, rows, offset of the new samples in a row
BASE, STRIDE, PAST, ROWS, OFFSET, VALUE_SIZE = range(6)

_tile8, _tile8_init = make_tile(8, False), make_tile(8, True)
_tile4, _tile4_init = make_tile(4, False), make_tile(4, True)
_tile1, _tile1_init = make_tile(1, False), make_tile(1, True)

# tanh(t) = t P(t^2) / Q(t^2) for |t| <= 9 within 1.3e-9, fitted by scripts/fit_tanh.py; evaluated
# in float64 so that what remains is float32's own rounding
P0, P1, P2 = 0.999999998735599, 0.1368084013637412, 0.003869487257571105
P3, P4, P5 = 2.8030876559967844e-05, 3.064143121808432e-08, -1.2245396217781653e-11
Q1, Q2 = 0.47014172232039275, 0.027250081497617012
Q3, Q4 = 0.0003940676223179559, 1.2890040074233516e-06
_FAST = {"contract", "nsz", "nnan"}


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def tanh(x):  # type: ignore[no-untyped-def]
    """Hyperbolic tangent of a float32 that compiles to vector code."""
    wide = np.float64(x)
    low = wide if wide < 9.0 else 9.0
    t = low if low > -9.0 else -9.0
    u = t * t
    p = P0 + u * (P1 + u * (P2 + u * (P3 + u * (P4 + u * P5))))
    q = 1.0 + u * (Q1 + u * (Q2 + u * (Q3 + u * Q4)))
    return F32(t * p / q)


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


@njit(nogil=True, error_model="numpy", cache=True)
def _convolve(op, dst, src, init, count):  # type: ignore[no-untyped-def]
    """One convolution over `count` samples, tile by tile; rows are padded for whole tiles."""
    inputs, taps, step = op[N_IN], op[TAPS], 4 * op[DILATION]
    past = (taps - 1) * op[DILATION]
    x = src[BASE] + 4 * (src[OFFSET] - past)
    y = dst[BASE] + 4 * dst[OFFSET]
    x_row, y_row, z_row = 4 * src[STRIDE], 4 * dst[STRIDE], 4 * init[STRIDE]
    z = init[BASE] + 4 * init[OFFSET]
    weight, bias = op[WEIGHT], op[BIAS]
    with_init = op[THIRD] >= 0
    row = 0
    while row < op[N_OUT]:
        left = op[N_OUT] - row
        size = 8 if left >= 8 else 4 if left >= 4 else 1
        for t in range(0, 4 * count, 4 * LANES):
            a, b, c = y + row * y_row + t, x + t, z + row * z_row + t
            if size == 8:
                if with_init:
                    _tile8_init(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
                else:
                    _tile8(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
            elif size == 4:
                if with_init:
                    _tile4_init(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
                else:
                    _tile4(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
            elif with_init:
                _tile1_init(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
            else:
                _tile1(a, y_row, b, x_row, weight, inputs, taps, step, c, z_row, bias)
        weight += 4 * size * inputs * taps
        bias += 4 * size
        row += size


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
    """LSTM layer sample by sample; state ``[hidden, cell, gates]`` follows the bias."""
    size, inputs = op[N_OUT], op[N_IN]
    width = inputs + size
    weight = view_f32(op[WEIGHT], (4 * size, width))
    bias = view_f32(op[BIAS], 4 * size)
    state = view_f32(op[EXTRA], 6 * size)
    half = F32(0.5)
    x, y = _rows(src), _rows(dst)
    for t in range(count):
        for g in range(4 * size):
            total = bias[g]
            for i in range(inputs):
                total += weight[g, i] * x[i, src[OFFSET] + t]
            for i in range(size):
                total += weight[g, inputs + i] * state[i]
            state[2 * size + g] = total
        for j in range(size):
            gate_in = half + half * tanh(half * state[2 * size + j])
            forget = half + half * tanh(half * state[3 * size + j])
            gate_out = half + half * tanh(half * state[5 * size + j])
            cell = forget * state[size + j] + gate_in * tanh(state[4 * size + j])
            state[size + j] = cell
            state[j] = gate_out * tanh(cell)
            y[j, dst[OFFSET] + t] = state[j]


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
        dst, src = values[op[DST]], values[op[SRC]]
        code = op[CODE]
        if code == CONV:
            _convolve(op, dst, src, values[max(op[THIRD], 0)], count)
            continue
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
                if op[KIND] >= 0:
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
    for v in range(values.shape[0]):
        _advance(values[v], count, r[COUNT] + LANES)


@cache
def step_function() -> Any:
    """C function ``step(record) -> 0``: one hop for every channel."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def nam_step(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, 16)
        x = view_f32(r[X], (r[CHANNELS], r[COUNT]))
        y = view_f32(r[Y], (r[CHANNELS], r[COUNT]))
        controls = view_f32(r[CONTROLS], 2)
        ops = view_i64(r[OPS], (r[CHANNELS], r[N_OPS], OP_SIZE))
        values = view_i64(r[VALUES], (r[CHANNELS], r[N_VALUES], VALUE_SIZE))
        for c in range(r[CHANNELS]):
            run_program(r, ops[c], values[c], x[c], y[c], controls)
        return 0

    return nam_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: copy the settled state back over the running one."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def nam_reset(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, 16)
        table = view_i64(r[PER_CHANNEL], (3, 3))  # settled, running, 8-byte words
        for k in range(3):
            source, target = view_i64(table[k, 0], table[k, 2]), view_i64(table[k, 1], table[k, 2])
            for i in range(table[k, 2]):
                target[i] = source[i]
        return 0

    return nam_reset
