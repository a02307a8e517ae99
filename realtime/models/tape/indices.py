"""Instructions by number: gather, pick, the largest, running sums.

No index that a graph computes leaves its array; one that would is a fault of the step.
"""

from __future__ import annotations

import numpy as np

from ...native.intrinsics import view_f32, view_i32
from ...native.late_numba import njit
from .layout import (
    A_AT,
    A_STEPS,
    B_AT,
    EXTRA,
    FAULT,
    KIND,
    LENGTH,
    PARAMETERS,
    SIZES,
    Y_AT,
    A,
    B,
    Y,
)

F32 = np.float32
_ZERO, _ONE = F32(0.0), F32(1.0)


@njit(nogil=True, error_model="numpy", cache=True)
def _within(index, size, bases):  # type: ignore[no-untyped-def]
    """An index that a graph computed, from the end where it is negative; 0 and a fault if none."""
    place = np.int64(index) if abs(index) < F32(1e9) else size
    place = place + size if place < 0 else place
    if place < 0 or place >= size:
        bases[FAULT] = 1
        return 0
    return place


@njit(nogil=True, error_model="numpy", cache=True)
def _row_copy(y, a, n, step):  # type: ignore[no-untyped-def]
    target, source = view_f32(y, n), view_f32(a, (n - 1) * step + 1)
    for i in range(n):
        target[i] = source[i * step]


@njit(nogil=True, error_model="numpy", cache=True)
def gather(op, bases):  # type: ignore[no-untyped-def]
    """Sizes: outer, indices, inner; `b` holds the indices, the extra number is the axis' size."""
    y, a = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    count, inner = op[SIZES + 1], op[SIZES + 2]
    index = view_f32(bases[op[B]] + 4 * op[B_AT], count)
    for i in range(op[SIZES]):
        for j in range(count):
            at = _within(index[j], op[EXTRA], bases)
            source = a + 4 * (i * op[A_STEPS] + at * op[A_STEPS + 1])
            _row_copy(y + 4 * inner * (i * count + j), source, inner, op[A_STEPS + 2])


@njit(nogil=True, error_model="numpy", cache=True)
def pick(op, bases, address):  # type: ignore[no-untyped-def]
    """Sizes: outer, places, inner; the table holds a place's offset."""
    table = view_i32(address + 4 * op[EXTRA], op[SIZES + 1])
    y, a = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    count, inner = op[SIZES + 1], op[SIZES + 2]
    for i in range(op[SIZES]):
        from_here = a + 4 * i * op[A_STEPS]
        if inner == 1:
            target = view_f32(y + 4 * i * count, count)
            source = view_f32(from_here, op[LENGTH])
            for j in range(count):
                target[j] = source[table[j]]
        else:
            for j in range(count):
                source = from_here + 4 * table[j]
                _row_copy(y + 4 * inner * (i * count + j), source, inner, op[A_STEPS + 2])


@njit(nogil=True, error_model="numpy", cache=True)
def gather_nd(op, bases):  # type: ignore[no-untyped-def]
    """Sizes: rows, indices of a row, inner; sizes and strides of the axes are parameters."""
    y, a = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    rows, depth, inner = op[SIZES], op[SIZES + 1], op[SIZES + 2]
    index = view_f32(bases[op[B]] + 4 * op[B_AT], rows * depth)
    for i in range(rows):
        at = 0
        for j in range(depth):
            place = _within(index[i * depth + j], op[PARAMETERS + j], bases)
            at += place * op[PARAMETERS + 4 + j]
        _row_copy(y + 4 * i * inner, a + 4 * at, inner, op[A_STEPS + 3])


@njit(nogil=True, error_model="numpy", cache=True)
def gather_elements(op, bases):  # type: ignore[no-untyped-def]
    """``y[i, j, k] = a[i, index[i, j, k], k]``."""
    sizes = op[SIZES], op[SIZES + 1], op[SIZES + 2]
    total = sizes[0] * sizes[1] * sizes[2]
    y = view_f32(bases[op[Y]] + 4 * op[Y_AT], total)
    index = view_f32(bases[op[B]] + 4 * op[B_AT], total)
    a = bases[op[A]] + 4 * op[A_AT]
    t = 0
    for i in range(sizes[0]):
        for _j in range(sizes[1]):
            for k in range(sizes[2]):
                at = _within(index[t], op[EXTRA], bases)
                place = i * op[A_STEPS] + at * op[A_STEPS + 1] + k * op[A_STEPS + 2]
                y[t] = view_f32(a + 4 * place, 1)[0]
                t += 1


@njit(nogil=True, error_model="numpy", cache=True)
def top(op, bases, scratch):  # type: ignore[no-untyped-def]
    """The largest of every row and where they stand, the first of equal ones first."""
    rows, n, count = op[SIZES], op[SIZES + 1], op[SIZES + 2]
    a = bases[op[A]] + 4 * op[A_AT]
    y, places = bases[op[Y]] + 4 * op[Y_AT], bases[op[B]] + 4 * op[B_AT]
    left, taken = view_f32(scratch, n), view_f32(scratch + 4 * n, n)
    for i in range(rows):
        source = view_f32(a + 4 * i * op[A_STEPS], (n - 1) * op[A_STEPS + 1] + 1)
        values, at = view_f32(y + 4 * i * count, count), view_f32(places + 4 * i * count, count)
        for t in range(n):
            left[t], taken[t] = source[t * op[A_STEPS + 1]], _ZERO
        for c in range(count):
            best = -1
            for t in range(n):
                if taken[t] == _ZERO and (best < 0 or left[t] > left[best]):
                    best = t
            values[c], at[c] = left[best], F32(best)
            taken[best] = _ONE


@njit(nogil=True, error_model="numpy", cache=True)
def sum_up(op, bases):  # type: ignore[no-untyped-def]
    """Running sums along the middle of three axes; kind 1 leaves out the element itself."""
    outer, n, inner = op[SIZES], op[SIZES + 1], op[SIZES + 2]
    y, a = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    for i in range(outer):
        for k in range(inner):
            total = _ZERO
            for j in range(n):
                place = i * op[A_STEPS] + j * op[A_STEPS + 1] + k * op[A_STEPS + 2]
                value = view_f32(a + 4 * place, 1)[0]
                to = view_f32(y + 4 * ((i * n + j) * inner + k), 1)
                to[0] = total if op[KIND] == 1 else total + value
                total += value
