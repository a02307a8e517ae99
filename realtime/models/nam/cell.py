"""LSTM layers for the kernel: their memory, and one step of some units of one as vector code.

A *tile* is one or two vectors of units of a layer.  What the cell waits for is summed first; the
output gate's sums are formed while the cell moves.  Gates stay fractions of polynomials until the
cell and the hidden value are divided out, once each.  The weights of the gates that end in a
sigmoid are stored halved: ``1 + tanh(z / 2)`` is twice ``sigmoid(z)``.

Layers on top of each other move sample by sample, each behind the one it stands on: its first sums
need nothing of that one, and fill the time in which that one divides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .program import Recur
from .vectors import I64, Vectors, has_wide_registers

NARROW, WIDE = 8, 16
LENGTHS = (NARROW, WIDE) if has_wide_registers() else (NARROW,)
MOST = 2  # vectors of a tile: as many as the registers have room for the sums of
GATES = 4  # input, forget, cell, output
FIRST = 3  # of them are summed first
CHAINS = 2  # sums of a gate, of every other term: one alone would wait for itself
LINE = 16  # floats of a cache line

# a tile: its size, weights and biases by address; where its own layer's values are that it sums,
# how many pairs; the same of the layer it stands on; its cells, and where its new hidden values go
UNITS, VECTORS, WEIGHT, BIAS, OWN, PAIRS, BELOW, PAIRS_BELOW, CELL, NEXT, TILE_SIZE = range(11)
IN_STATE = [OWN, BELOW, CELL, NEXT]


def _units_of(size: int) -> int:
    """Units of one vector in a layer of `size`."""
    return LENGTHS[-1] if size > NARROW else NARROW


def _up(number: int, step: int) -> int:
    return -(-number // step) * step


def _parameters(op: Recur, whole: int, inputs_last: bool) -> tuple[npt.NDArray[Any], ...]:
    """Weights ``[terms, gates, whole]`` and biases ``[gates, whole]``; terms are whole pairs."""
    size = len(op.hidden)
    halved = np.array([0.5, 0.5, 1.0, 0.5])[:, None]
    weight, bias = np.zeros((GATES, whole, op.weight.shape[1])), np.zeros((GATES, whole))
    weight[:, :size] = halved[:, :, None] * op.weight.reshape(GATES, size, -1)
    bias[:, :size] = halved * op.bias.reshape(GATES, size)
    terms = np.split(weight.transpose(2, 0, 1), [op.weight.shape[1] - size])
    pairs = [np.pad(t, ((0, len(t) % CHAINS), (0, 0), (0, 0))) for t in terms]
    return np.concatenate(pairs[::-1] if inputs_last else pairs), bias


def lay_out(
    layers: Sequence[Recur], place: Callable[[npt.NDArray[Any]], int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], int]:
    """The tiles and the state of layers on top of each other.

    The state is 0, or 1 after an odd number of samples; then for each layer its hidden values,
    twice where several tiles read the old and write the new ones, and its cells.  In front of the
    hidden values of the first layer is room for its inputs.

    Parameters
    ----------
    layers : sequence of Recur
    place : callable
        Keeps an array for the tiles as float32; returns its address.

    Returns
    -------
    tiles : ndarray [shape=(2, tiles, TILE_SIZE)]
        For the first and every other sample; for those between.  Places in the state are numbers of
        floats.
    state : ndarray
    top : int
        The first tile of the last layer.
    """
    tiles: list[list[list[int]]] = [[], []]
    state = [np.zeros(LINE)]
    at, top = LINE, 0
    below, below_size = (0, 0), 0
    for number, op in enumerate(layers):
        size, units = len(op.hidden), _units_of(len(op.hidden))
        inputs, whole = op.weight.shape[1] - size, _up(size, units)
        front = 0 if number else _up(inputs, CHAINS)
        room = _up(front, LINE) + _up(whole, LINE)
        turns = whole > MOST * units
        hidden = (at + room - _up(whole, LINE), at + room * (1 + turns) - _up(whole, LINE))
        cell = at + room * (1 + turns)
        memory = np.zeros(cell + _up(whole, LINE) - at)
        memory[hidden[0] - at :][:size], memory[cell - at :][:size] = op.hidden, op.cell
        # what is known first comes first
        terms, bias = _parameters(op, whole, inputs_last=number > 0)
        top = len(tiles[0])
        for begin in range(0, whole, MOST * units):
            part = slice(begin, min(whole, begin + MOST * units))
            first, last = terms[:, :FIRST, part], terms[:, FIRST:, part]
            factors = place(np.concatenate([first.ravel(), last.ravel()]))
            size_of = (units, (part.stop - begin) // units, factors, place(bias[:, part]))
            for odd in (0, 1):
                pairs = (front + _up(size, CHAINS)) // CHAINS
                sums = (hidden[odd] - front, pairs, below[odd], _up(below_size, CHAINS) // CHAINS)
                tiles[odd].append([*size_of, *sums, cell + begin, hidden[1 - odd] + begin])
        below, below_size = hidden[::-1], size
        state.append(memory)
        at += memory.size
    return np.array(tiles), np.concatenate(state).astype(np.float32), top


class _Units:
    """Writes the step of a tile of `count` vectors of `units` units; addresses are int64."""

    def __init__(self, builder: Any, count: int, units: int) -> None:
        self.b, self.count, self.v = builder, count, Vectors(builder, units)
        self.row = 4 * count * units  # bytes of one term of one gate

    def _place(self, base: Any, number: int) -> Any:
        return self.b.add(base, ir.Constant(I64, 4 * self.v.lanes * number))

    def sums(self, gates: int, weight: Any, bias: Any, runs: list[tuple[Any, Any]]) -> Any:
        """Bias and products of `gates` gates ``[gate][vector]``; `runs` are addresses and pairs."""
        b, v, many = self.b, self.v, gates * self.count
        totals = [[cgutils.alloca_once(b, v.type) for _ in range(CHAINS)] for _ in range(many)]
        for k, (first, second) in enumerate(totals):
            b.store(v.load(self._place(bias, k)), first)
            b.store(v.constant(0.0), second)
        each = ir.Constant(I64, CHAINS * gates * self.row)
        for x, pairs in runs:
            with cgutils.for_range(b, pairs, intp=I64) as loop:
                pair = b.add(x, b.mul(loop.index, ir.Constant(I64, 4 * CHAINS)))
                factors = b.add(weight, b.mul(loop.index, each))
                for c in range(CHAINS):
                    value = v.broadcast(b.add(pair, ir.Constant(I64, 4 * c)))
                    for k, chains in enumerate(totals):
                        factor = v.load(self._place(factors, c * many + k))
                        b.store(v.fma(value, factor, b.load(chains[c])), chains[c])
            weight = b.add(weight, b.mul(pairs, each))
        flat = [b.fadd(b.load(first), b.load(second)) for first, second in totals]
        return [flat[k : k + self.count] for k in range(0, many, self.count)], weight

    def move(self, weight: Any, bias: Any, runs: list[Any], cell: Any, following: Any) -> None:
        """Move the units on: `cell` in place, their new hidden values to `following`."""
        b, v = self.b, self.v
        gates, weight = self.sums(FIRST, weight, bias, runs)
        moved = []
        for k, (opened, kept, offered) in enumerate(zip(*gates, strict=True)):
            (n_i, d_i), (n_f, d_f), (n_g, d_g) = map(v.fraction, (opened, kept, offered))
            # f c + i g, where i and f are (d + n) / 2 d, and g is n / d
            both = b.fmul(d_i, d_g)
            old = b.fmul(b.fadd(d_f, n_f), v.load(self._place(cell, k)))
            new = b.fmul(b.fmul(b.fadd(d_i, n_i), n_g), d_f)
            under = b.fmul(b.fadd(d_f, d_f), both)
            moved.append(b.fdiv(v.fma(old, both, new), under))
            v.store(moved[-1], self._place(cell, k))
        (shown,), _ = self.sums(1, weight, self._place(bias, FIRST * self.count), runs)
        for k, (gate, c) in enumerate(zip(shown, moved, strict=True)):
            (n_o, d_o), (n_c, d_c) = v.fraction(gate), v.fraction(c)
            over = b.fmul(b.fadd(d_o, n_o), n_c)
            v.store(b.fdiv(over, b.fmul(b.fadd(d_o, d_o), d_c)), self._place(following, k))


@intrinsic
def move_units(  # type: ignore[no-untyped-def]
    typingctx, units, vectors, weight, bias, own, pairs, below, pairs_below, cell, following
):
    """Move a tile on; all arguments are int64, see the fields of a tile.

    The new hidden values are written when all have been read: they may go where these are.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        weight, bias, own, pairs, below, pairs_below, cell, following = args[2:]
        runs = [(own, pairs), (below, pairs_below)]
        for length in LENGTHS:
            with builder.if_then(builder.icmp_signed("==", args[0], ir.Constant(I64, length))):
                for many in range(1, MOST + 1):
                    fits = builder.icmp_signed("==", args[1], ir.Constant(I64, many))
                    with builder.if_then(fits):
                        _Units(builder, many, length).move(weight, bias, runs, cell, following)
        return context.get_dummy_value()

    return types.void(*([types.int64] * 10)), codegen
