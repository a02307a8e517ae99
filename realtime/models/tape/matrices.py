"""Instructions on matrices: products, layer normalisation, recurrent units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dsp.functions import sigmoid, tanh
from ...native.intrinsics import view_f32
from ...native.late_numba import named, njit
from .layout import (
    A_AT,
    A_STEPS,
    B_AT,
    B_STEPS,
    C_AT,
    C_STEPS,
    CODE,
    EXTRA,
    LENGTH,
    PARAMETERS,
    SIZES,
    Y_AT,
    Y_STEPS,
    A,
    B,
    C,
    Code,
    Y,
)

F32 = np.float32
_FAST = {"contract", "nsz"}
_SUMS = {"contract", "nsz", "reassoc"}
_ZERO, _ONE = F32(0.0), F32(1.0)

_LSTM = int(Code.LSTM)

product_tile: Any = named("product_tile", "realtime.models.tape.tile")
tile_sizes: Any = named("tile_sizes", "realtime.models.tape.tile")


@njit(nogil=True, error_model="numpy", cache=True)
def products(y, y_row, a, a_row, a_step, b, table, rows, n, depth):  # type: ignore[no-untyped-def]
    """``y += a @ b`` tile by tile; see :func:`realtime.models.tape.tile.product_tile`."""
    most_rows, many, one = tile_sizes()
    done = 0
    while done < rows:
        height = most_rows
        while height > rows - done:
            height //= 2
        t = 0
        while t < n:
            width = many if height > 1 else one
            while width > n - t and width > 16:
                width //= 2
            width = min(width, n - t)
            product_tile(height, width, y + done * y_row + 4 * t, y_row, a + done * a_row, a_row,
                         a_step, b + 4 * t, table, depth)  # fmt: skip
            t += width
        done += height


@njit(nogil=True, error_model="numpy", cache=True)
def matmul(op, bases, table):  # type: ignore[no-untyped-def]
    """``y[m, :] = bias + sum of a[m, k] b[k, :]``; the table says where rows of `b` begin."""
    y0, a0 = bases[op[Y]] + 4 * op[Y_AT], bases[op[A]] + 4 * op[A_AT]
    b0 = bases[op[B]] + 4 * op[B_AT]
    c0 = bases[op[C]] + 4 * op[C_AT] if op[C] >= 0 else 0
    rows, n, depth = op[SIZES + 2], op[SIZES + 3], op[LENGTH]
    where = table + 4 * op[EXTRA]
    row_y, row_a, step_a = op[Y_STEPS + 2], op[A_STEPS + 2], op[A_STEPS + 3]
    for i in range(op[SIZES]):
        for j in range(op[SIZES + 1]):
            y = y0 + 4 * (i * op[Y_STEPS] + j * op[Y_STEPS + 1])
            a = a0 + 4 * (i * op[A_STEPS] + j * op[A_STEPS + 1])
            b = b0 + 4 * (i * op[B_STEPS] + j * op[B_STEPS + 1])
            c = c0 + 4 * (i * op[C_STEPS] + j * op[C_STEPS + 1])
            for m in range(rows):
                row = view_f32(y + 4 * m * row_y, n)
                if op[C] >= 0:
                    bias = view_f32(c + 4 * m * op[C_STEPS + 2], n)
                    if op[C_STEPS + 3] == 0:
                        value = bias[0]
                        for t in range(n):
                            row[t] = value
                    else:
                        for t in range(n):
                            row[t] = bias[t]
                else:
                    for t in range(n):
                        row[t] = _ZERO
            products(y, 4 * row_y, a, 4 * row_a, 4 * step_a, b, where, rows, n, depth)


@njit(nogil=True, error_model="numpy", fastmath=_SUMS, cache=True)
def norm(op, bases):  # type: ignore[no-untyped-def]
    """Layer normalisation of rows; scale `b`, shift `c`, epsilon the first of the table's end."""
    n = op[SIZES + 1]
    scale = view_f32(bases[op[B]] + 4 * op[B_AT], n)
    shift = view_f32(bases[op[C]] + 4 * op[C_AT], n + 1)  # the last is epsilon
    for i in range(op[SIZES]):
        a = view_f32(bases[op[A]] + 4 * (op[A_AT] + i * n), n)
        y = view_f32(bases[op[Y]] + 4 * (op[Y_AT] + i * n), n)
        total = _ZERO
        for t in range(n):
            total += a[t]
        mean = total / F32(n)
        square = _ZERO
        for t in range(n):
            square += (a[t] - mean) * (a[t] - mean)
        by = _ONE / np.sqrt(square / F32(n) + shift[n])
        for t in range(n):
            y[t] = (a[t] - mean) * by * scale[t] + shift[t]


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _cell(again, fed, state, size):  # type: ignore[no-untyped-def]
    """One step of a gated recurrent unit: rows of update, reset and new, 3 * `size` each."""
    for t in range(2 * size):
        fed[t] = sigmoid(fed[t] + again[t])
    for t in range(size):
        new = tanh(fed[2 * size + t] + fed[size + t] * again[2 * size + t])
        state[t] = new + fed[t] * (state[t] - new)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _gates(again, fed, state, late, size):  # type: ignore[no-untyped-def]
    """Gates of a unit that resets its state before the product; `late` is what is left of it."""
    for t in range(2 * size):
        fed[t] = sigmoid(fed[t] + again[t])
    for t in range(size):
        late[t] = fed[size + t] * state[t]


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _late_cell(again, fed, state, size):  # type: ignore[no-untyped-def]
    for t in range(size):
        new = tanh(fed[2 * size + t] + again[t])
        state[t] = new + fed[t] * (state[t] - new)


@njit(nogil=True, error_model="numpy", cache=True)
def _times(y, x, weight, bias, n, depth, table):  # type: ignore[no-untyped-def]
    """``y = bias + x @ weight [depth, n]``, by addresses; the table holds multiples of `n`."""
    row, start = view_f32(y, n), view_f32(bias, n)
    for t in range(n):
        row[t] = start[t]
    products(y, 0, x, 0, 4, weight, table, 1, n, depth)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True)
def _memory(again, fed, cell, state, size):  # type: ignore[no-untyped-def]
    """One step of a long short-term memory: rows of input, output, forget and new."""
    for t in range(3 * size):
        fed[t] = sigmoid(fed[t] + again[t])
    for t in range(size):
        new = tanh(fed[3 * size + t] + again[3 * size + t])
        cell[t] = fed[2 * size + t] * cell[t] + fed[t] * new
        state[t] = fed[size + t] * tanh(cell[t])


@njit(nogil=True, error_model="numpy", cache=True)
def _begin(row, source):  # type: ignore[no-untyped-def]
    """Put a first state into a row: zeros where its address is 0."""
    if source == 0:
        for t in range(row.shape[0]):
            row[t] = _ZERO
    else:
        given = view_f32(source, row.shape[0])
        for t in range(row.shape[0]):
            row[t] = given[t]


@njit(nogil=True, error_model="numpy", cache=True)
def recurrent(op, bases, table, scratch):  # type: ignore[no-untyped-def]
    """Sizes: steps, rows, inputs, hidden; `b`: weights of a direction after the other."""
    steps, rows, depth, size = op[SIZES], op[SIZES + 1], op[SIZES + 2], op[SIZES + 3]
    ways, backwards, late = op[PARAMETERS], op[PARAMETERS + 1], op[PARAMETERS + 4] == 0
    long = op[CODE] == _LSTM
    a, y = bases[op[A]] + 4 * op[A_AT], bases[op[Y]] + 4 * op[Y_AT]
    start = bases[op[C]] + 4 * op[C_AT] if op[C] >= 0 else 0
    last = bases[op[PARAMETERS + 2]] + 4 * op[PARAMETERS + 3]
    before, after = bases[op[B_STEPS]] + 4 * op[B_STEPS + 1], last
    if long:
        after = bases[op[PARAMETERS + 5]] + 4 * op[PARAMETERS + 6]
    wide = 4 * size if long else 3 * size
    rows_of = table + 4 * op[EXTRA]
    fed, again = scratch, scratch + 4 * wide
    gates, more = view_f32(fed, wide), view_f32(again, wide)
    for d in range(ways):
        weight = bases[op[B]] + 4 * (op[B_AT] + d * ((depth + size) * wide + 2 * wide))
        hidden = weight + 4 * depth * wide
        bias = hidden + 4 * size * wide
        for r in range(rows):
            place = 4 * (d * rows + r) * size
            state = last + place
            now, cell = view_f32(state, size), view_f32(after + place, size)
            _begin(now, start + place if start != 0 else 0)
            if long:
                _begin(cell, before + place)
            for s in range(steps):
                at = steps - 1 - s if backwards or d == 1 else s
                _times(fed, a + 4 * (at * op[A_STEPS] + r * op[A_STEPS + 1]), weight, bias, wide,
                       depth, rows_of)  # fmt: skip
                if long:
                    _times(again, state, hidden, bias + 4 * wide, wide, size, rows_of)
                    _memory(more, gates, cell, now, size)
                elif not late:
                    _times(again, state, hidden, bias + 4 * wide, wide, size, rows_of)
                    _cell(more, gates, now, size)
                else:
                    _times(again, state, hidden, bias + 4 * wide, 2 * size, size, rows_of)
                    left = view_f32(again + 4 * wide, size)
                    _gates(more, gates, now, left, size)
                    _times(again, again + 4 * wide, hidden + 8 * size, bias + 4 * wide + 8 * size,
                           size, size, rows_of)  # fmt: skip
                    _late_cell(more, gates, now, size)
                out = y + 4 * (at * op[Y_STEPS] + d * op[Y_STEPS + 1] + r * op[Y_STEPS + 2])
                given = view_f32(out, size)
                for t in range(size):
                    given[t] = now[t]
