"""Instructions on elements: functions of one, two or three, and what a row comes to."""

from __future__ import annotations

import numpy as np

from ...dsp.functions import exp, log, sigmoid, sin_of, tanh
from ...native.intrinsics import view_f32
from ...native.late_numba import njit
from .layout import (
    A_AT,
    A_STEPS,
    B_AT,
    B_STEPS,
    C_AT,
    C_STEPS,
    EXTRA,
    KIND,
    PARAMETERS,
    SIZES,
    Y_AT,
    Y_STEPS,
    A,
    B,
    C,
    Map,
    Reduce,
    Y,
)

F32 = np.float32
CHUNK = 512  # floats of a row that are worked on at once
_FAST = {"contract", "nsz"}
_SUMS = {"contract", "nsz", "reassoc"}
_ZERO, _ONE = F32(0.0), F32(1.0)

(_COPY, _NEGATE, _ABS, _SQRT, _EXP, _LOG, _SIN, _COS, _TANH, _SIGMOID, _RELU, _FLOOR, _CEIL,
 _ROUND, _TRUNCATE, _RECIPROCAL, _NOT, _TRUTH, _SIGN, _SQUARE, _ADD, _SUBTRACT, _MULTIPLY, _DIVIDE,
 _POWER, _MAXIMUM, _MINIMUM, _LESS, _LESS_EQUAL, _GREATER, _GREATER_EQUAL, _EQUAL, _AND, _OR,
 _SLOPE, _REMAINDER, _WHERE) = (int(m) for m in Map)  # fmt: skip
_SUM, _MEAN, _LARGEST, _SMALLEST, _FIRST = (int(r) for r in Reduce)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _unary(kind, y, a):  # type: ignore[no-untyped-def]
    n = y.shape[0]
    if kind == _COPY:
        for i in range(n):
            y[i] = a[i]
    elif kind == _NEGATE:
        for i in range(n):
            y[i] = -a[i]
    elif kind == _ABS:
        for i in range(n):
            y[i] = abs(a[i])
    elif kind == _SQRT:
        for i in range(n):
            y[i] = np.sqrt(a[i])
    elif kind == _EXP:
        for i in range(n):
            y[i] = exp(a[i])
    elif kind == _LOG:
        for i in range(n):
            y[i] = log(a[i])
    elif kind == _SIN:
        for i in range(n):
            y[i] = sin_of(a[i], 0)
    elif kind == _COS:
        for i in range(n):
            y[i] = sin_of(a[i], 1)
    elif kind == _TANH:
        for i in range(n):
            y[i] = tanh(a[i])
    elif kind == _SIGMOID:
        for i in range(n):
            y[i] = sigmoid(a[i])
    elif kind == _RELU:
        for i in range(n):
            y[i] = _ZERO if a[i] < _ZERO else a[i]
    elif kind == _FLOOR:
        for i in range(n):
            y[i] = np.floor(a[i])
    elif kind == _CEIL:
        for i in range(n):
            y[i] = np.ceil(a[i])
    elif kind == _ROUND:
        for i in range(n):
            y[i] = np.rint(a[i])
    elif kind == _TRUNCATE:
        for i in range(n):
            y[i] = np.trunc(a[i])
    elif kind == _RECIPROCAL:
        for i in range(n):
            y[i] = _ONE / a[i]
    elif kind == _NOT:
        for i in range(n):
            y[i] = _ONE if a[i] == _ZERO else _ZERO
    elif kind == _TRUTH:
        for i in range(n):
            y[i] = _ZERO if a[i] == _ZERO else _ONE
    elif kind == _SIGN:
        for i in range(n):
            y[i] = _ONE if a[i] > _ZERO else (-_ONE if a[i] < _ZERO else a[i])
    else:
        for i in range(n):
            y[i] = a[i] * a[i]


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _binary(kind, y, a, b):  # type: ignore[no-untyped-def]
    n = y.shape[0]
    if kind == _ADD:
        for i in range(n):
            y[i] = a[i] + b[i]
    elif kind == _SUBTRACT:
        for i in range(n):
            y[i] = a[i] - b[i]
    elif kind == _MULTIPLY:
        for i in range(n):
            y[i] = a[i] * b[i]
    elif kind == _DIVIDE:
        for i in range(n):
            y[i] = a[i] / b[i]
    elif kind == _POWER:
        for i in range(n):
            y[i] = F32(np.float64(a[i]) ** np.float64(b[i]))
    elif kind == _MAXIMUM:
        for i in range(n):
            y[i] = b[i] if a[i] < b[i] or b[i] != b[i] else a[i]
    elif kind == _MINIMUM:
        for i in range(n):
            y[i] = b[i] if a[i] > b[i] or b[i] != b[i] else a[i]
    elif kind == _LESS:
        for i in range(n):
            y[i] = _ONE if a[i] < b[i] else _ZERO
    elif kind == _LESS_EQUAL:
        for i in range(n):
            y[i] = _ONE if a[i] <= b[i] else _ZERO
    elif kind == _GREATER:
        for i in range(n):
            y[i] = _ONE if a[i] > b[i] else _ZERO
    elif kind == _GREATER_EQUAL:
        for i in range(n):
            y[i] = _ONE if a[i] >= b[i] else _ZERO
    elif kind == _EQUAL:
        for i in range(n):
            y[i] = _ONE if a[i] == b[i] else _ZERO
    elif kind == _AND:
        for i in range(n):
            y[i] = a[i] * b[i]
    elif kind == _OR:
        for i in range(n):
            y[i] = max(a[i], b[i])
    elif kind == _SLOPE:
        for i in range(n):
            y[i] = a[i] * b[i] if a[i] < _ZERO else a[i]
    else:  # of truncated division, as C's fmod
        for i in range(n):
            y[i] = np.fmod(a[i], b[i])


@njit(nogil=True, error_model="numpy", cache=True)
def _brought(address, step, n, room):  # type: ignore[no-untyped-def]
    """A row as neighbours: where it lies if it is so already, else copied to `room`."""
    if step == 1:
        return view_f32(address, n)
    row = view_f32(room, n)
    if step == 0:
        value = view_f32(address, 1)[0]
        for i in range(n):
            row[i] = value
    else:
        source = view_f32(address, n * step)
        for i in range(n):
            row[i] = source[i * step]
    return row


@njit(nogil=True, error_model="numpy", cache=True)
def _spread(source, address, step):  # type: ignore[no-untyped-def]
    """A row of neighbours to places `step` apart."""
    n = source.shape[0]
    target = view_f32(address, n * step)
    for i in range(n):
        target[i * step] = source[i]


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _with_one(kind, y, a, b):  # type: ignore[no-untyped-def]
    """A row and one number: sum or product."""
    n = y.shape[0]
    if kind == _ADD:
        for i in range(n):
            y[i] = a[i] + b
    else:
        for i in range(n):
            y[i] = a[i] * b


@njit(nogil=True, error_model="numpy", cache=True)
def map_elements(op, bases, scratch):  # type: ignore[no-untyped-def]
    """A function of one, two or three arrays, row by row of the last of four axes."""
    kind = op[KIND]
    y, a = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    b = bases[op[B]] + 4 * op[B_AT] if op[B] >= 0 else 0
    c = bases[op[C]] + 4 * op[C_AT] if op[C] >= 0 else 0
    n, ys, as_ = op[SIZES + 3], op[Y_STEPS + 3], op[A_STEPS + 3]
    bs, cs = op[B_STEPS + 3], op[C_STEPS + 3]
    y1, y2, a1, a2 = op[Y_STEPS + 1], op[Y_STEPS + 2], op[A_STEPS + 1], op[A_STEPS + 2]
    b1, b2, c1, c2 = op[B_STEPS + 1], op[B_STEPS + 2], op[C_STEPS + 1], op[C_STEPS + 2]
    middle, inner = op[SIZES + 1], op[SIZES + 2]
    joins = (kind == _ADD or kind == _MULTIPLY) and ys == 1
    if joins and as_ == 0 and bs == 1:
        a, b, as_, bs, a1, a2, b1, b2 = b, a, bs, as_, b1, b2, a1, a2
        a0, b0 = op[B_STEPS], op[A_STEPS]
    else:
        a0, b0 = op[A_STEPS], op[B_STEPS]
    one = joins and as_ == 1 and bs == 0
    for i in range(op[SIZES]):
        for j in range(middle):
            for k in range(inner):
                at_y = y + 4 * (i * op[Y_STEPS] + j * y1 + k * y2)
                at_a, at_b = a + 4 * (i * a0 + j * a1 + k * a2), b + 4 * (i * b0 + j * b1 + k * b2)
                if one:
                    _with_one(kind, view_f32(at_y, n), view_f32(at_a, n), view_f32(at_b, 1)[0])
                    continue
                at_c = c + 4 * (i * op[C_STEPS] + j * c1 + k * c2)
                done = 0
                while done < n:
                    m = min(n - done, CHUNK)
                    first = _brought(at_a + 4 * done * as_, as_, m, scratch)
                    out = scratch + 12 * CHUNK if ys != 1 else at_y + 4 * done
                    row = view_f32(out, m)
                    if kind < _ADD:
                        _unary(kind, row, first)
                    else:
                        second = _brought(at_b + 4 * done * bs, bs, m, scratch + 4 * CHUNK)
                        if kind < _WHERE:
                            _binary(kind, row, first, second)
                        else:
                            third = _brought(at_c + 4 * done * cs, cs, m, scratch + 8 * CHUNK)
                            for t in range(m):
                                row[t] = second[t] if first[t] != _ZERO else third[t]
                    if ys != 1:
                        _spread(row, at_y + 4 * done * ys, ys)
                    done += m


@njit(nogil=True, error_model="numpy", fastmath=_SUMS, cache=True)
def _sum(row):  # type: ignore[no-untyped-def]
    total = _ZERO
    for i in range(row.shape[0]):
        total += row[i]
    return total


@njit(nogil=True, error_model="numpy", cache=True)
def _reduce_rows(op, y, a):  # type: ignore[no-untyped-def]
    """Where the last kept axis is one of neighbours: row upon row."""
    kind, n = op[KIND], op[SIZES + 2]
    outer, inner = op[PARAMETERS], op[PARAMETERS + 1]
    step_out, step_in = op[PARAMETERS + 2], op[PARAMETERS + 3]
    for i in range(op[SIZES]):
        for j in range(op[SIZES + 1]):
            total = view_f32(y + 4 * (i * op[Y_STEPS] + j * op[Y_STEPS + 1]), n)
            at = a + 4 * (i * op[A_STEPS] + j * op[A_STEPS + 1])
            for p in range(outer):
                for q in range(inner):
                    row = view_f32(at + 4 * (p * step_out + q * step_in), n)
                    if p + q == 0:
                        _unary(_COPY, total, row)
                    elif kind <= _MEAN:
                        _binary(_ADD, total, total, row)
                    else:
                        _binary(_MAXIMUM if kind == _LARGEST else _MINIMUM, total, total, row)
            if kind == _MEAN:
                count = F32(outer * inner)
                for t in range(n):
                    total[t] /= count


@njit(nogil=True, error_model="numpy", cache=True)
def reduce_axes(op, bases, scratch):  # type: ignore[no-untyped-def]
    """Kept axes are the first three sizes, reduced ones two parameters with their strides."""
    kind, y, a = op[KIND], bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    outer, inner = op[PARAMETERS], op[PARAMETERS + 1]
    step_out, step_in = op[PARAMETERS + 2], op[PARAMETERS + 3]
    if op[EXTRA] == 1:
        _reduce_rows(op, y, a)
        return
    for i in range(op[SIZES]):
        for j in range(op[SIZES + 1]):
            for k in range(op[SIZES + 2]):
                to = y + 4 * (i * op[Y_STEPS] + j * op[Y_STEPS + 1] + k * op[Y_STEPS + 2])
                at = a + 4 * (i * op[A_STEPS] + j * op[A_STEPS + 1] + k * op[A_STEPS + 2])
                value = view_f32(at, 1)[0]
                place = 0
                if kind <= _MEAN:
                    value = _ZERO
                for p in range(outer):
                    done = 0
                    while done < inner:
                        m = min(inner - done, CHUNK)
                        begin = at + 4 * (p * step_out + done * step_in)
                        row = _brought(begin, step_in, m, scratch)
                        if kind <= _MEAN:
                            value += _sum(row)
                        elif kind == _SMALLEST:
                            for t in range(m):
                                value = row[t] if row[t] < value or row[t] != row[t] else value
                        elif kind == _LARGEST:
                            for t in range(m):
                                value = row[t] if row[t] > value or row[t] != row[t] else value
                        else:
                            for t in range(m):
                                if row[t] > value:
                                    value, place = row[t], p * inner + done + t
                        done += m
                if kind == _MEAN:
                    value /= F32(outer * inner)
                view_f32(to, 1)[0] = F32(place) if kind == _FIRST else value
