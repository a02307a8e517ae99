"""The inner loop of the capture kernel: a register tile of one layer, as vector code.

``rows`` outputs times ``lanes`` samples stay in registers from the products to the activation: a
dilated convolution of one value, a mixer (one tap) of another, bias, an earlier value to add, the
activation, and the running sum of the head.  Each sample's sum is formed in the same order wherever
the sample falls and whatever the tile's size, so results depend neither on how a stream is cut into
blocks nor on the processor's registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import I64, Vectors, has_wide_registers, offset

# the samples of a tile; a second, twice as long one where there are registers for it
LANES = 16
LONG = 32 if has_wide_registers() else 16
ROWS = (8, 4, 3, 2, 1) if has_wide_registers() else (4, 3, 2, 1)
CHAINS = {1: 4, 2: 2, 3: 2}  # sums over every so many taps: one alone would wait for itself
NONE, TANH, LEAKY = range(3)  # activations a tile applies; the kernel does the others


def blocks_of(outputs: int) -> list[int]:
    """Rows of the tiles that make up `outputs` rows."""
    sizes = []
    while outputs:
        sizes.append(next(r for r in ROWS if r <= outputs))
        outputs -= sizes[-1]
    return sizes


class _Tile:
    """Writes one tile; addresses are int64, strides in bytes."""

    def __init__(self, builder: Any, rows: int, lanes: int) -> None:
        self.b, self.rows, self.v = builder, rows, Vectors(builder, lanes)
        self.chains = chains = CHAINS.get(rows, 1)
        self.sums = [
            [cgutils.alloca_once(builder, self.v.type) for _ in range(chains)] for _ in range(rows)
        ]
        for row in self.sums:
            for chain in row:
                builder.store(self.v.constant(0.0), chain)

    def add(self, chain: int, value: Any, factors: Any) -> None:
        """Add `value` times the `rows` factors at an address."""
        for r in range(self.rows):
            place = self.b.add(factors, ir.Constant(I64, 4 * r))
            total = self.sums[r][chain]
            self.b.store(self.v.fma(value, self.v.broadcast(place), self.b.load(total)), total)

    def products(self, x: Any, x_row: Any, weight: Any, inputs: Any, taps: Any, step: Any) -> None:
        """All inputs and taps; tap ``n`` belongs to chain ``n % chains``."""
        b, each = self.b, ir.Constant(I64, self.chains)
        size = ir.Constant(I64, 4 * self.rows)
        rounds = b.sdiv(taps, each) if self.chains > 1 else taps
        done = b.mul(rounds, each)
        with cgutils.for_range(b, inputs, intp=I64) as outer:
            row = b.add(x, b.mul(outer.index, x_row))
            factors = b.add(weight, b.mul(b.mul(outer.index, taps), size))

            def product(chain: int, tap: Any) -> None:
                value = self.v.load(b.add(row, b.mul(tap, step)))
                self.add(chain, value, b.add(factors, b.mul(tap, size)))

            with cgutils.for_range(b, rounds, intp=I64) as inner:
                for c in range(self.chains):
                    product(c, b.add(b.mul(inner.index, each), ir.Constant(I64, c)))
            if self.chains > 1:
                with cgutils.for_range(b, b.sub(taps, done), intp=I64) as rest:
                    product(0, b.add(done, rest.index))

    def each_row(self, change: Any) -> None:
        """Replace the total of every row ``r`` by ``change(r, total)``."""
        for r, row in enumerate(self.sums):
            self.b.store(change(r, self.b.load(row[0])), row[0])

    def tanh(self) -> None:
        """Replace the total of every row by its hyperbolic tangent, two by two."""
        for first, second in zip(self.sums[::2], self.sums[1::2], strict=False):
            pair = self.v.tanh_of_two(self.b.load(first[0]), self.b.load(second[0]))
            for row, value in zip((first, second), pair, strict=True):
                self.b.store(value, row[0])
        if self.rows % 2:
            last = self.sums[-1][0]
            self.b.store(self.v.tanh(self.b.load(last)), last)

    def join(self) -> None:
        """Add up the chains of a row."""
        for row in self.sums:
            totals = [self.b.load(chain) for chain in row]
            while len(totals) > 1:
                pairs = zip(totals[::2], totals[1::2], strict=True)
                totals = [self.b.fadd(left, right) for left, right in pairs]
            self.b.store(totals[0], row[0])


def _write(builder: Any, rows: int, lanes: int, args: list[Any]) -> None:
    """Write the instructions of one tile; see :func:`layer_tile`."""
    (y, y_row, x, x_row, weight, inputs, taps, step, mix, mix_row, mixed, bias,
     init, init_row, kind, slope, head, head_row, out, out_row,
     second, second_bias, outputs, skip, skip_row, next_y, next_row) = args  # fmt: skip
    t = _Tile(builder, rows, lanes)
    v, b, zero, four = t.v, builder, ir.Constant(I64, 0), ir.Constant(I64, 4)
    t.products(x, x_row, weight, inputs, taps, step)
    t.join()
    size = ir.Constant(I64, 4 * rows)
    behind = b.add(weight, b.mul(b.mul(inputs, taps), size))
    with cgutils.for_range(b, mixed, intp=I64) as loop:
        factors = b.add(behind, b.mul(loop.index, size))
        t.add(0, v.load(b.add(mix, b.mul(loop.index, mix_row))), factors)
    # what is usually larger comes last, so that the products round finely
    t.each_row(lambda r, z: b.fadd(z, v.broadcast(offset(b, bias, r, four))))
    with b.if_then(b.icmp_signed("!=", init, zero)):
        t.each_row(lambda r, z: b.fadd(z, v.load(offset(b, init, r, init_row))))
    with b.if_then(b.icmp_signed("==", kind, ir.Constant(I64, TANH))):
        t.tanh()
    with b.if_then(b.icmp_signed("==", kind, ir.Constant(I64, LEAKY))):
        t.each_row(lambda r, z: v.leaky(z, v.broadcast(offset(b, slope, r, four))))
    totals = [b.load(row[0]) for row in t.sums]
    with b.if_then(b.icmp_signed("!=", y, zero)):
        for r, total in enumerate(totals):
            v.store(total, offset(b, y, r, y_row))
    with b.if_then(b.icmp_signed("!=", head, zero)):
        for r, total in enumerate(totals):
            joined = b.fadd(v.load(offset(b, head, r, head_row)), total)
            v.store(joined, offset(b, out, r, out_row))
    with cgutils.for_range(b, outputs, intp=I64) as loop:
        joined = v.constant(0.0)
        factors = b.add(second, b.mul(loop.index, size))
        for r, total in enumerate(totals):
            joined = v.fma(total, v.broadcast(offset(b, factors, r, four)), joined)
        joined = b.fadd(joined, v.broadcast(b.add(second_bias, b.mul(loop.index, four))))
        place = cgutils.alloca_once(b, v.type)
        b.store(joined, place)
        with b.if_then(b.icmp_signed("!=", skip, zero)):
            earlier = v.load(b.add(skip, b.mul(loop.index, skip_row)))
            b.store(b.fadd(joined, earlier), place)
        v.store(b.load(place), b.add(next_y, b.mul(loop.index, next_row)))


@intrinsic
def layer_tile(  # type: ignore[no-untyped-def]
    typingctx, rows, lanes, y, y_row, x, x_row, weight, inputs, taps, step, mix, mix_row, mixed,
    bias, init, init_row, kind, slope, head, head_row, out, out_row,
    second, second_bias, outputs, skip, skip_row, next_y, next_row,
):  # fmt: skip
    """One tile of `rows` of :data:`ROWS` times `lanes`, :data:`LANES` or :data:`LONG`.

    All arguments are int64; addresses and row strides in bytes, `step` the distance of two taps in
    bytes; an address is 0 for what a layer does not have.  `weight` holds ``[inputs, taps, rows]``
    floats, behind them ``[mixed, rows]`` for the values at `mix`; `bias` and `slope` hold
    ``[rows]``; `x` points to the oldest tap of the first sample.  Writes ``rows * lanes`` floats to
    `y`, and to `out` what it wrote plus what is at `head`.

    A second layer of one tap, weights ``[outputs, rows]`` at `second`, takes what this one gives,
    adds what is at `skip` and writes to `next_y`; `rows` must be all rows of the first then.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        for size in ROWS:
            with builder.if_then(builder.icmp_signed("==", args[0], ir.Constant(I64, size))):
                for length in dict.fromkeys((LONG, LANES)):
                    fits = builder.icmp_signed("==", args[1], ir.Constant(I64, length))
                    with builder.if_then(fits):
                        _write(builder, size, length, args[2:])
        return context.get_dummy_value()

    return types.void(*([types.int64] * 29)), codegen
