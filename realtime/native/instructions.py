"""The instructions behind :mod:`realtime.native.intrinsics`; importing it imports Numba and LLVM.

Everything here compiles into the caller: no Python object, no GIL, no allocation.  Addresses are
plain int64 arguments, never baked-in ctypes objects, so compiled code can be cached on disk.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_I32 = ir.IntType(32)
_PTR = ir.IntType(8).as_pointer()


@intrinsic
def load_acquire(typingctx: Any, address: Any) -> Any:
    """Read the int64 at `address` with acquire ordering."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], _I64.as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def store_release(typingctx: Any, address: Any, value: Any) -> Any:
    """Write int64 `value` at `address` with release ordering."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], _I64.as_pointer())
        builder.store_atomic(args[1], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def pointer_to(dtype: Any) -> Any:
    """Make an intrinsic that turns an int64 address into a pointer to `dtype`."""

    @intrinsic
    def as_pointer(typingctx: Any, address: Any) -> Any:
        result = types.CPointer(dtype)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(result))

        return result(types.int64), codegen

    return as_pointer


def _same_bits(source: Any, target: Any) -> Any:
    """Make an intrinsic that reads the bits of a number as one of another type."""

    @intrinsic
    def read(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), codegen

    return read


bits_of = _same_bits(types.float32, types.int32)
"""The bits of a float32 as an int32."""

float_of = _same_bits(types.int32, types.float32)
"""The float32 that an int32's bits are."""


pointer_f32 = pointer_to(types.float32)
pointer_f64 = pointer_to(types.float64)
pointer_i64 = pointer_to(types.int64)
pointer_i32 = pointer_to(types.int32)


@njit(inline="always")
def view_f32(address, shape):  # type: ignore[no-untyped-def]
    """View memory at `address` as a C-contiguous float32 array of `shape` (borrowed)."""
    return carray(pointer_f32(address), shape)


@njit(inline="always")
def view_f64(address, shape):  # type: ignore[no-untyped-def]
    """View memory at `address` as a C-contiguous float64 array of `shape` (borrowed)."""
    return carray(pointer_f64(address), shape)


@njit(inline="always")
def view_i64(address, shape):  # type: ignore[no-untyped-def]
    """View memory at `address` as a C-contiguous int64 array of `shape` (borrowed)."""
    return carray(pointer_i64(address), shape)


@njit(inline="always")
def view_i32(address, shape):  # type: ignore[no-untyped-def]
    """View memory at `address` as a C-contiguous int32 array of `shape` (borrowed)."""
    return carray(pointer_i32(address), shape)


def _caller(result: Any, arguments: tuple[Any, ...]) -> Any:
    """Make an intrinsic ``call(function_address, *arguments) -> result`` for a C function."""

    @intrinsic
    def call(typingctx: Any, function: Any, args: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = [context.get_value_type(a) for a in arguments]
            function_type = ir.FunctionType(context.get_value_type(result), kinds)
            target = builder.inttoptr(values[0], function_type.as_pointer())
            given = cgutils.unpack_tuple(builder, values[1], len(arguments))
            return builder.call(target, given)

        return result(types.int64, types.Tuple(arguments)), codegen

    return call


_i64 = types.int64
call_step = _caller(_i64, (_i64,))
"""``call_step(function, (argument,)) -> status``: one model step, see models.streaming."""

call_hop = _caller(_i64, (_i64, _i64, _i64))
"""``call_hop(function, (lane, block, part))``: see converter.hop_function."""

call_run = _caller(_i64, (_i64,) * 8)
"""OrtApi.Run: session, options, input names, inputs, n, output names, n, outputs -> status."""

call_stream = _caller(types.intc, (_i64, _i64, types.ulong, _i64, types.ulong, _i64))
"""A PortAudio stream callback: input, output, frames, time info, flags, user data."""

_call_two = _caller(types.int32, (_i64, _i64))
_call_seven = _caller(_i64, (_i64,) * 7)


@intrinsic
def _stack_pair(typingctx: Any, first: Any, second: Any) -> Any:
    """Put two int64 on the stack and return their address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pair = cgutils.alloca_once(builder, ir.ArrayType(_I64, 2))
        zero = ir.Constant(_I32, 0)
        for i, value in enumerate(args):
            builder.store(value, builder.gep(pair, [zero, ir.Constant(_I32, i)]))
        return builder.ptrtoint(pair, _I64)

    return types.int64(types.int64, types.int64), codegen


@njit(inline="always")
def monotonic_ns(clock):  # type: ignore[no-untyped-def]
    """Nanoseconds of the monotonic clock; `clock` is its ``clock_address()``."""
    pair = _stack_pair(0, 0)
    _call_two(clock, (_CLOCK_MONOTONIC, pair))
    timespec = carray(pointer_i64(pair), 2)
    return timespec[0] * 1_000_000_000 + timespec[1]


@njit(inline="always")
def sleep_ns(nanosleep, duration):  # type: ignore[no-untyped-def]
    """Sleep at least `duration` nanoseconds; `nanosleep`: ``sleep_address()``."""
    _call_two(nanosleep, (_stack_pair(duration // 1_000_000_000, duration % 1_000_000_000), 0))


@njit(inline="always")
def wait_for_change(syscall, address, seen, duration):  # type: ignore[no-untyped-def]
    """Sleep until the int32 at `address` is not `seen` and a waker has said so, or `duration` ns.

    Linux's futex, between processes; `syscall` is its ``syscall_address()``.
    """
    limit = _stack_pair(duration // 1_000_000_000, duration % 1_000_000_000)
    _call_seven(syscall, (_FUTEX, address, _FUTEX_WAIT, seen & 0xFFFFFFFF, limit, 0, 0))


_FUTEX_WAIT = 0
_FUTEX = 98 if platform.machine() == "aarch64" else 202  # the system call's number
_CLOCK_MONOTONIC = 6 if sys.platform == "darwin" else 1


_X86_FLUSH = 0x8040  # MXCSR: flush-to-zero (bit 15) and denormals-are-zero (bit 6)
_ARM_FLUSH = 1 << 24  # FPCR: flush-to-zero


@intrinsic
def flush_denormals(typingctx: Any) -> Any:
    """Make this thread treat denormals as zero; return what :func:`restore_denormals` needs."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        triple = builder.module.triple
        if triple.startswith(("x86_64", "amd64")):
            slot = cgutils.alloca_once(builder, _I32)
            void = ir.FunctionType(ir.VoidType(), [_PTR])
            raw = builder.bitcast(slot, _PTR)
            get = cgutils.get_or_insert_function(builder.module, void, "llvm.x86.sse.stmxcsr")
            put = cgutils.get_or_insert_function(builder.module, void, "llvm.x86.sse.ldmxcsr")
            builder.call(get, [raw])
            old = builder.load(slot)
            builder.store(builder.or_(old, ir.Constant(_I32, _X86_FLUSH)), slot)
            builder.call(put, [raw])
            return builder.zext(old, _I64)
        if triple.startswith(("aarch64", "arm64")):
            read = ir.FunctionType(_I64, [])
            old = builder.asm(read, "mrs $0, fpcr", "=r", [], True)
            write = ir.FunctionType(ir.VoidType(), [_I64])
            new = builder.or_(old, ir.Constant(_I64, _ARM_FLUSH))
            builder.asm(write, "msr fpcr, $0", "r", [new], True)
            return old
        return ir.Constant(_I64, 0)

    return types.int64(), codegen


@intrinsic
def restore_denormals(typingctx: Any, old: Any) -> Any:
    """Undo :func:`flush_denormals`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        triple = builder.module.triple
        if triple.startswith(("x86_64", "amd64")):
            slot = cgutils.alloca_once(builder, _I32)
            builder.store(builder.trunc(args[0], _I32), slot)
            void = ir.FunctionType(ir.VoidType(), [_PTR])
            put = cgutils.get_or_insert_function(builder.module, void, "llvm.x86.sse.ldmxcsr")
            builder.call(put, [builder.bitcast(slot, _PTR)])
        elif triple.startswith(("aarch64", "arm64")):
            write = ir.FunctionType(ir.VoidType(), [_I64])
            builder.asm(write, "msr fpcr, $0", "r", [args[0]], True)
        return context.get_dummy_value()

    return types.void(types.int64), codegen
