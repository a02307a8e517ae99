"""One step of an LSTM layer for eight or sixteen of its units, as vector code.

The weights of the gates that end in a sigmoid are stored halved: ``sigmoid(2 z)`` is what the
vector code has.
"""

from __future__ import annotations

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
GATES = 4  # input, forget, cell, output


def units_of(size: int) -> int:
    """Units of one vector in a layer of `size`."""
    return WIDE if has_wide_registers() and size > NARROW else NARROW


def padded(size: int) -> int:
    """Units of whole vectors."""
    return -(-size // units_of(size)) * units_of(size)


def packed(op: Recur) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Weights ``[groups, inputs + hidden, gates, units]``, biases and state for the kernel.

    `hidden` terms are an even number; the state is hidden, cell and next hidden of whole vectors.
    """
    size = len(op.hidden)
    whole, units, inputs = padded(size), units_of(size), op.weight.shape[1] - size
    halved = np.array([0.5, 0.5, 1.0, 0.5])[:, None, None]
    weight = np.zeros((GATES, whole, inputs + size + size % 2))
    weight[:, :size, : inputs + size] = halved * op.weight.reshape(GATES, size, -1)
    bias = np.zeros((GATES, whole))
    bias[:, :size] = halved[:, :, 0] * op.bias.reshape(GATES, size)
    groups = weight.reshape(GATES, -1, units, weight.shape[2]).transpose(1, 3, 0, 2)
    state = np.zeros((3, whole))
    state[0, :size], state[1, :size] = op.hidden, op.cell
    return groups, bias.reshape(GATES, -1, units).transpose(1, 0, 2), state


def _make_units(units: int) -> Any:
    """Make ``move(weight, bias, x, x_row, inputs, hidden, pairs, cell, following)``.

    It moves `units` on: `cell` in place, their new hidden values to `following`.  All arguments are
    int64: addresses, the stride of the inputs in bytes, the numbers of inputs and of pairs of
    hidden values.
    """

    @intrinsic
    def move(typingctx, weight, bias, x, x_row, inputs, hidden, pairs, cell, following):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            weight, bias, x, x_row, inputs, hidden, pairs, cell, following = args
            b, v = builder, Vectors(builder, units)
            # two sums for each gate, or they would wait for each other
            sums = [[cgutils.alloca_once(b, v.type) for _ in range(2)] for _ in range(GATES)]

            def place(base: Any, floats: int) -> Any:
                return b.add(base, ir.Constant(I64, 4 * floats))

            def add(chain: int, value: Any, factors: Any) -> None:
                for g in range(GATES):
                    total = b.load(sums[g][chain])
                    product = v.fma(value, v.load(place(factors, g * units)), total)
                    b.store(product, sums[g][chain])

            for g in range(GATES):
                b.store(v.load(place(bias, g * units)), sums[g][0])
                b.store(v.constant(0.0), sums[g][1])
            term = ir.Constant(I64, 4 * GATES * units)
            with cgutils.for_range(b, inputs, intp=I64) as loop:
                value = v.broadcast(b.add(x, b.mul(loop.index, x_row)))
                add(1, value, b.add(weight, b.mul(loop.index, term)))
            behind = b.add(weight, b.mul(inputs, term))
            with cgutils.for_range(b, pairs, intp=I64) as loop:
                for c in range(2):
                    number = b.add(b.mul(loop.index, ir.Constant(I64, 2)), ir.Constant(I64, c))
                    value = v.broadcast(b.add(hidden, b.mul(number, ir.Constant(I64, 4))))
                    add(c, value, b.add(behind, b.mul(number, term)))
            gates = [b.fadd(b.load(first), b.load(second)) for first, second in sums]
            opened, kept = map(v.sigmoid, v.tanh_of_two(gates[0], gates[1]))
            offered, shown = v.tanh_of_two(gates[2], gates[3])
            moved = v.fma(kept, v.load(cell), b.fmul(opened, offered))
            v.store(moved, cell)
            v.store(b.fmul(v.sigmoid(shown), v.tanh(moved)), following)
            return context.get_dummy_value()

        return types.void(*([types.int64] * 9)), codegen

    return move


narrow_units, wide_units = _make_units(NARROW), _make_units(WIDE)
