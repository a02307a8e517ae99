"""ONNX Runtime's C API by position: found in the wheel, called through ctypes.

The wheel's shared library exports ``OrtGetApiBase``, whose table of functions (``OrtApi`` in
onnxruntime_c_api.h) is append-only, so the positions below hold for every newer version.  Nothing
here is called from the audio path but ``Run``, by its address.
"""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ModelError

_VERSION = 17  # the oldest C API version all of the positions below belong to
_POSITION = {
    "GetErrorMessage": 2,
    "CreateEnv": 3,
    "DisableTelemetryEvents": 6,
    "CreateSessionFromArray": 8,
    "Run": 9,
    "CreateSessionOptions": 10,
    "SetSessionGraphOptimizationLevel": 23,
    "SetIntraOpNumThreads": 24,
    "SetInterOpNumThreads": 25,
    "SessionGetInputCount": 30,
    "SessionGetOutputCount": 31,
    "SessionGetInputTypeInfo": 33,
    "SessionGetOutputTypeInfo": 34,
    "SessionGetInputName": 36,
    "SessionGetOutputName": 37,
    "CreateTensorWithDataAsOrtValue": 49,
    "CastTypeInfoToTensorInfo": 55,
    "GetTensorElementType": 60,
    "GetDimensionsCount": 61,
    "GetDimensions": 62,
    "CreateCpuMemoryInfo": 69,
    "AllocatorFree": 76,
    "GetAllocatorWithDefaultOptions": 78,
    "ReleaseStatus": 93,
    "ReleaseSession": 95,
    "ReleaseValue": 96,
    "ReleaseTypeInfo": 98,
    "ReleaseSessionOptions": 100,
    "AddSessionConfigEntry": 130,
}
FLOAT = 1
_NO_STATUS = {"GetErrorMessage", "ReleaseStatus", "ReleaseSession", "ReleaseValue"}
_NO_STATUS |= {"ReleaseTypeInfo", "ReleaseSessionOptions"}


class Api:
    """The functions of :data:`_POSITION`, each raising :class:`ModelError` on a bad status."""

    def __init__(self) -> None:
        library = ctypes.CDLL(str(_library_path()))
        base = library.OrtGetApiBase
        base.restype = ctypes.c_void_p
        get_api = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)(
            ctypes.cast(base(), ctypes.POINTER(ctypes.c_void_p))[0]  # type: ignore[arg-type]
        )
        table = get_api(_VERSION)
        if not table:
            raise ModelError(f"onnxruntime is too old: its C API lacks version {_VERSION}")
        self._table = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
        self._keep = library
        self.env = self.make("CreateEnv", 3, b"restyle")
        self.call("DisableTelemetryEvents", self.env)  # see realtime/__init__.py
        self.memory = self.make("CreateCpuMemoryInfo", 1, 0)
        self.allocator = self.make("GetAllocatorWithDefaultOptions")

    def address(self, name: str) -> int:
        """Address of an API function."""
        return int(self._table[_POSITION[name]])

    def call(self, name: str, *arguments: Any) -> int:
        """Call `name` with pointer-sized arguments; return its raw result."""
        given = [
            ctypes.c_char_p(a)
            if isinstance(a, bytes)
            else a
            if _is_ctypes(a)
            else ctypes.c_void_p(a)
            for a in arguments
        ]
        function = ctypes.CFUNCTYPE(ctypes.c_void_p, *[type(g) for g in given])(self.address(name))
        result = function(*given) or 0
        if result and name not in _NO_STATUS:
            text = ctypes.cast(self.call("GetErrorMessage", result), ctypes.c_char_p).value or b""
            self.call("ReleaseStatus", result)
            raise ModelError(text.decode(errors="replace").strip().replace("\n", " "))
        return int(result)

    def make(self, name: str, *arguments: Any) -> int:
        """Call `name` with a trailing out-pointer and return what it was set to."""
        out = ctypes.c_void_p()
        self.call(name, *arguments, Reference(ctypes.addressof(out)))
        return out.value or 0

    def number(self, name: str, *arguments: Any) -> int:
        """As :meth:`make`, for functions that write a size or an enumeration."""
        out = ctypes.c_int64()
        self.call(name, *arguments, Reference(ctypes.addressof(out)))
        return out.value


class Reference(ctypes.c_void_p):
    """An address passed on as it is."""


def _is_ctypes(value: object) -> bool:
    return isinstance(value, ctypes._SimpleCData)


def _library_path() -> Path:
    spec = importlib.util.find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        raise ModelError("onnxruntime is not installed; run: pip install onnxruntime")
    folder = Path(spec.origin).parent / "capi"
    for pattern in ("libonnxruntime.so*", "libonnxruntime.*dylib", "onnxruntime.dll"):
        for path in sorted(folder.glob(pattern)):
            return path
    raise ModelError(f"onnxruntime's shared library is missing in {folder}; reinstall onnxruntime")


@cache
def api() -> Api:
    """The C API, loaded at first use."""
    return Api()
