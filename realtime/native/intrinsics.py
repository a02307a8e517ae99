"""Names of what the audio path stands on: atomics, calls by address, clock, denormals.

They are made in :mod:`realtime.native.instructions` when a kernel that uses them is compiled.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

from .late_numba import Late, named

_MADE = ".instructions"

load_acquire: Any = named("load_acquire", _MADE)
"""Read the int64 at an address with acquire ordering."""

store_release: Any = named("store_release", _MADE)
"""Write an int64 at an address with release ordering."""

view_f32: Any = named("view_f32", _MADE)
"""View memory at an address as a C-contiguous float32 array of a shape (borrowed)."""

view_f64: Any = named("view_f64", _MADE)
"""As :data:`view_f32`, float64."""

view_i64: Any = named("view_i64", _MADE)
"""As :data:`view_f32`, int64."""

view_i32: Any = named("view_i32", _MADE)
"""As :data:`view_f32`, int32."""

bits_of: Any = named("bits_of", _MADE)
"""The bits of a float32 as an int32."""

float_of: Any = named("float_of", _MADE)
"""The float32 that an int32's bits are."""

pointer_f32: Any = named("pointer_f32", _MADE)
"""An int64 address as a pointer to float32."""

call_step: Any = named("call_step", _MADE)
"""``call_step(function, (argument,)) -> status``: one model step, see models.streaming."""

call_hop: Any = named("call_hop", _MADE)
"""``call_hop(function, (lane, block, part))``: see engine.hop."""

call_run: Any = named("call_run", _MADE)
"""OrtApi.Run: session, options, input names, inputs, n, output names, n, outputs -> status."""

call_stream: Any = named("call_stream", _MADE)
"""A PortAudio stream callback: input, output, frames, time info, flags, user data."""

monotonic_ns: Any = named("monotonic_ns", _MADE)
"""Nanoseconds of the monotonic clock; it takes :func:`clock_address`."""

sleep_ns: Any = named("sleep_ns", _MADE)
"""Sleep at least so many nanoseconds; it takes :func:`sleep_address` and them."""

wait_for_change: Any = named("wait_for_change", _MADE)
"""Sleep until an int32 changes and a waker says so; it takes :func:`syscall_address` first."""

flush_denormals: Any = named("flush_denormals", _MADE)
"""Make this thread treat denormals as zero; it returns what :data:`restore_denormals` needs."""

restore_denormals: Any = named("restore_denormals", _MADE)
"""Undo :data:`flush_denormals`."""


def pointer_to(dtype: Any) -> Any:
    """Make an intrinsic that turns an int64 address into a pointer to a record of `dtype`."""

    def make() -> Any:
        from numba import from_dtype

        from . import instructions

        return instructions.pointer_to(from_dtype(dtype))

    return Late(make)


@cache
def _libc_address(name: str) -> int:
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


def clock_address() -> int:
    """Address of the C library's ``clock_gettime``."""
    return _libc_address("clock_gettime")


def sleep_address() -> int:
    """Address of the C library's ``nanosleep``."""
    return _libc_address("nanosleep")


def syscall_address() -> int:
    """Address of the C library's ``syscall`` (Linux)."""
    return _libc_address("syscall")
