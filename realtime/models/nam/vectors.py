"""Vector code of the capture kernels: float32 vectors of any width, as LLVM instructions.

LLVM splits a vector into as many registers as the processor needs.  Every element goes through the
same instructions whatever the width, so results do not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core.registry import cpu_target

from ...dsp.functions import TANH_P, TANH_Q, TANH_REACH

F32, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)

_WIDE_CPUS = (
    "skylake-avx512", "cascadelake", "cooperlake", "cannonlake", "icelake", "tigerlake",
    "rocketlake", "sapphirerapids", "emeraldrapids", "graniterapids", "znver4", "znver5",
    "x86-64-v4",
)  # fmt: skip


def has_wide_registers() -> bool:
    """Whether code is compiled for 32 registers of 16 floats (AVX-512)."""
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    if features:
        return "+avx512f" in features.split(",")
    return str(name).startswith(_WIDE_CPUS)


class Vectors:
    """Writes instructions on vectors of `lanes` floats through an LLVM builder."""

    def __init__(self, builder: Any, lanes: int) -> None:
        self.builder, self.lanes = builder, lanes
        self.type = ir.VectorType(F32, lanes)
        kind = ir.FunctionType(self.type, [self.type] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}f32")

    def constant(self, value: float) -> Any:
        """The vector of one number."""
        return ir.Constant(self.type, [value] * self.lanes)

    def splat(self, scalar: Any) -> Any:
        """A scalar in every lane."""
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
        mask = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, undefined, mask)

    def load(self, address: Any) -> Any:
        """The vector at an address."""
        return self.builder.load(self.builder.inttoptr(address, self.type.as_pointer()), align=4)

    def store(self, value: Any, address: Any) -> None:
        """Put a vector at an address."""
        place = self.builder.inttoptr(address, self.type.as_pointer())
        self.builder.store(value, place, align=4)

    def broadcast(self, address: Any) -> Any:
        """The float at an address in every lane."""
        return self.splat(self.builder.load(self.builder.inttoptr(address, F32.as_pointer())))

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """``a * b + c``, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def tanh(self, x: Any) -> Any:
        """Hyperbolic tangent."""
        return self.builder.fdiv(*self._ratio(x))

    def tanh_of_two(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Hyperbolic tangents of two vectors by one division, which is what they cost."""
        b = self.builder
        (over_x, under_x), (over_y, under_y) = self._ratio(x), self._ratio(y)
        both = b.fdiv(self.constant(1.0), b.fmul(under_x, under_y))
        return (
            b.fmul(b.fmul(over_x, under_y), both),
            b.fmul(b.fmul(over_y, under_x), both),
        )

    def fraction(self, x: Any) -> tuple[Any, Any]:
        """Numerator and denominator of the hyperbolic tangent, soonest: for code that waits for it.

        The polynomials are summed by pairs (G. Estrin, 1960).
        """
        t = self._clamped(x)
        u = self.builder.fmul(t, t)
        square = self.builder.fmul(u, u)
        over, under = (self._polynomial(self._pairs(p, u), square) for p in (TANH_P, TANH_Q))
        return self.builder.fmul(t, over), under

    def _pairs(self, factors: Sequence[float], u: Any) -> list[Any]:
        """``factors[0] + factors[1] u``, ``factors[2] + factors[3] u`` and so on."""
        constants = [self.constant(c) for c in factors]
        pairs = zip(constants[::2], constants[1::2], strict=False)
        joined = [self.fma(high, u, low) for low, high in pairs]
        return joined + constants[2 * len(joined) :]

    def _clamped(self, x: Any) -> Any:
        b, top, low = self.builder, self.constant(TANH_REACH), self.constant(-TANH_REACH)
        below = b.select(b.fcmp_ordered("<", x, top), x, top)
        return b.select(b.fcmp_ordered(">", below, low), below, low)

    def _ratio(self, x: Any) -> tuple[Any, Any]:
        """Numerator and denominator of the hyperbolic tangent, by the fewest instructions."""
        t = self._clamped(x)
        u = self.builder.fmul(t, t)
        over, under = (self._polynomial([self.constant(c) for c in p], u) for p in (TANH_P, TANH_Q))
        return self.builder.fmul(t, over), under

    def leaky(self, x: Any, slope: Any) -> Any:
        """`x`, times `slope` where it is negative."""
        b = self.builder
        return b.select(b.fcmp_ordered(">", x, self.constant(0.0)), x, b.fmul(x, slope))

    def _polynomial(self, factors: Sequence[Any], u: Any) -> Any:
        total = factors[-1]
        for factor in factors[-2::-1]:
            total = self.fma(total, u, factor)
        return total


def offset(builder: Any, base: Any, index: int, stride: Any) -> Any:
    """``base + index * stride`` of int64."""
    return builder.add(base, builder.mul(ir.Constant(I64, index), stride))
