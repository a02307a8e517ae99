"""The inner loop of the capture kernel: a register tile of a dilated convolution, as vector code.

``rows`` outputs times 16 samples stay in registers while all inputs and taps are added to them with
fused multiply-adds.  Each sample's sum is formed in the same order wherever the sample falls, so
results do not depend on how a stream is cut into blocks.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _splat(builder: Any, scalar: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    mask = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(first, undefined, mask)


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.inttoptr(address, _VECTOR.as_pointer()), align=4)


def make_tile(rows: int, with_init: bool) -> Any:
    """Make ``tile(y, y_row, x, x_row, weight, inputs, taps, step, init, init_row, bias)``.

    All arguments are int64; addresses and row strides in bytes, `step` the distance of two taps in
    bytes.  `weight` holds ``[inputs, taps, rows]`` floats, `bias` ``[rows]``; `x` points to the
    oldest tap of the first sample.  Writes ``rows * 16`` floats to `y`; with `with_init` the values
    at `init` are added.
    """

    @intrinsic
    def tile(typingctx, y, y_row, x, x_row, weight, inputs, taps, step, init, init_row, bias):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            y, y_row, x, x_row, weight, inputs, taps, step, init, init_row, bias = args
            kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
            fma = cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v16f32")

            def offset(base: Any, index: int, stride: Any) -> Any:
                return builder.add(base, builder.mul(ir.Constant(_I64, index), stride))

            def scalar(address: Any, index: int) -> Any:
                place = builder.add(address, ir.Constant(_I64, 4 * index))
                return builder.load(builder.inttoptr(place, _FLOAT.as_pointer()))

            sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(rows)]
            for r in range(rows):
                builder.store(ir.Constant(_VECTOR, [0.0] * LANES), sums[r])
            with cgutils.for_range(builder, inputs, intp=_I64) as outer:
                row = builder.add(x, builder.mul(outer.index, x_row))
                with cgutils.for_range(builder, taps, intp=_I64) as inner:
                    value = _load(builder, builder.add(row, builder.mul(inner.index, step)))
                    number = builder.add(builder.mul(outer.index, taps), inner.index)
                    factors = builder.add(weight, builder.mul(number, ir.Constant(_I64, 4 * rows)))
                    for r in range(rows):
                        factor = _splat(builder, scalar(factors, r))
                        done = builder.call(fma, [value, factor, builder.load(sums[r])])
                        builder.store(done, sums[r])
            for r in range(rows):
                # what is usually larger comes last, so that the products round finely
                total = builder.fadd(builder.load(sums[r]), _splat(builder, scalar(bias, r)))
                if with_init:
                    total = builder.fadd(total, _load(builder, offset(init, r, init_row)))
                place = builder.inttoptr(offset(y, r, y_row), _VECTOR.as_pointer())
                builder.store(total, place, align=4)
            return context.get_dummy_value()

        return types.void(*([types.int64] * 11)), codegen

    return tile
