"""The inner loop of a tape's products: a tile of rows times lanes that stays in registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..nam.vectors import I32, I64, Vectors, has_wide_registers, offset

WIDE = has_wide_registers()
ROWS = (8, 4, 2, 1) if WIDE else (4, 2, 1)
LANES = (64, 32, 16)
MOST = 32 if WIDE else 16  # lanes of more than one row
LAST = 16  # lanes of a tile that may stop in the middle


class _Some:
    """The first few lanes of a vector: those behind are neither read nor written."""

    def __init__(self, builder: Any, count: Any) -> None:
        self.b, self.v = builder, Vectors(builder, LAST)
        whole = ir.VectorType(I32, LAST)
        undefined = ir.Constant(whole, ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(count, I32), ir.Constant(I32, 0))
        every = builder.shuffle_vector(first, undefined, ir.Constant(whole, [0] * LAST))
        self.mask = builder.icmp_signed("<", ir.Constant(whole, list(range(LAST))), every)
        self.broadcast, self.fma, self.type = self.v.broadcast, self.v.fma, self.v.type

    def _function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        kind = ir.FunctionType(result, arguments)
        full = f"llvm.masked.{name}.v{LAST}f32.p0"
        return cgutils.get_or_insert_function(self.b.module, kind, full)

    def load(self, address: Any) -> Any:
        """The lanes at an address, zeros behind them."""
        place = self.b.inttoptr(address, self.type.as_pointer())
        given = [place, ir.Constant(I32, 4), self.mask, self.v.constant(0.0)]
        return self.b.call(self._function("load", self.type, [a.type for a in given]), given)

    def store(self, value: Any, address: Any) -> None:
        """Put the lanes at an address."""
        place = self.b.inttoptr(address, self.type.as_pointer())
        given = [value, place, ir.Constant(I32, 4), self.mask]
        self.b.call(self._function("store", ir.VoidType(), [a.type for a in given]), given)


def _write(builder: Any, rows: int, v: Any, args: list[Any]) -> None:
    y, y_row, a, a_row, a_step, b, table, depth = args
    four = ir.Constant(I64, 4)
    sums = [cgutils.alloca_once(builder, v.type) for _ in range(rows)]
    for r, total in enumerate(sums):
        builder.store(v.load(offset(builder, y, r, y_row)), total)
    with cgutils.for_range(builder, depth, intp=I64) as loop:
        entry = builder.add(table, builder.mul(loop.index, four))
        place = builder.load(builder.inttoptr(entry, I32.as_pointer()))
        row = v.load(builder.add(b, builder.mul(builder.sext(place, I64), four)))
        left = builder.add(a, builder.mul(loop.index, a_step))
        for r, total in enumerate(sums):
            factor = v.broadcast(offset(builder, left, r, a_row))
            builder.store(v.fma(factor, row, builder.load(total)), total)
    for r, total in enumerate(sums):
        v.store(builder.load(total), offset(builder, y, r, y_row))


@intrinsic
def product_tile(typingctx, rows, lanes, y, y_row, a, a_row, a_step, b, table, depth):  # type: ignore[no-untyped-def]
    """``y[r, l] += sum over k < depth of a[r, k] b[table[k] + l]`` for a tile.

    All arguments are int64; addresses and strides in bytes, `table` that of int32 offsets in
    floats; `rows` of :data:`ROWS`, `lanes` of :data:`LANES`, at most :data:`MOST` with several
    rows, or fewer than :data:`LAST`.  A sum is formed in the same order whatever the tile.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        for size in ROWS:
            with builder.if_then(builder.icmp_signed("==", args[0], ir.Constant(I64, size))):
                for length in LANES:
                    if size > 1 and length > MOST:
                        continue
                    fits = builder.icmp_signed("==", args[1], ir.Constant(I64, length))
                    with builder.if_then(fits):
                        _write(builder, size, Vectors(builder, length), args[2:])
                few = builder.icmp_signed("<", args[1], ir.Constant(I64, LAST))
                with builder.if_then(few):
                    _write(builder, size, _Some(builder, args[1]), args[2:])
        return context.get_dummy_value()

    return types.void(*([types.int64] * 10)), codegen


@intrinsic
def tile_sizes(typingctx):  # type: ignore[no-untyped-def]
    """(rows of the largest tile, its lanes, lanes of a tile of one row)."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        values = [ir.Constant(I64, n) for n in (ROWS[0], MOST, LANES[0])]
        return cgutils.pack_array(builder, values)

    return types.UniTuple(types.int64, 3)(), codegen
