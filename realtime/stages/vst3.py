"""VST3's interfaces by ctypes: what a host calls, what it must offer, how settings lie in a file.

After Steinberg's VST 3 API: an object is a pointer to a table of functions, of which the first
three ask for another interface and count references.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from ctypes import c_char, c_double, c_int32, c_int64, c_uint8, c_uint32, c_void_p
from typing import Any

from .states import PRESET

Text = ctypes.c_uint16 * 128

OK, _NO_INTERFACE, _NOT_IMPLEMENTED = 0, -1, 3
AUDIO, INPUT, OUTPUT, FLOAT = 0, 0, 1, 0
EFFECT = b"Audio Module Class"  # a class's category
_HEAD = 48  # bytes before the first part of a .vstpreset file


class Slot:
    """Places of functions in the tables."""

    QUERY, RELEASE = 0, 2  # of every object
    INITIALIZE, TERMINATE = 3, 4  # of a component and of a controller
    COUNT_CLASSES, CREATE_INSTANCE, CLASS_INFO_2 = 4, 6, 7  # of a factory
    CONTROLLER_CLASS, BUS_COUNT, BUS_INFO, ACTIVATE_BUS = 5, 7, 8, 10  # of a component
    SET_ACTIVE, SET_STATE, GET_STATE = 11, 12, 13
    LATENCY, SETUP, SET_PROCESSING, PROCESS = 6, 7, 8, 9  # of a processor
    SET_COMPONENT_STATE, SET_OWN_STATE, GET_OWN_STATE = 5, 6, 7  # of a controller
    PARAMETER_COUNT, PARAMETER_INFO, TEXT_OF, VALUE_OF = 8, 9, 10, 11
    GET_VALUE, SET_VALUE = 14, 15
    CONNECT = 3  # of a connection point


_iid = bytes.fromhex
_UNKNOWN = _iid("0000000000000000C000000000000046")
COMPONENT = _iid("E831FF31F2D54301928EBBEE25697802")
PROCESSOR = _iid("42043F99B7DA453CA569E79D9AAEC33D")
CONTROLLER = _iid("DCD7BBE37742448DA874AACC979C759E")
FACTORY_2 = _iid("0007B650F24B4C0BA464EDB9F00B2ABB")
_HOST = _iid("58E595CCDB2D49698B6AAF8C36A664E5")
_CHANGES = _iid("A47796630BB64A56B44384A8466FEB9D")
_QUEUE = _iid("01263A18ED074F6F98C9D3564686F9BA")
CONNECTION = _iid("70A4156F6E6E4026989148BFAA60D8D1")
_STREAM = _iid("C3BF6EA2309947529B6BF9901EE33E9B")


class ClassInfo2(ctypes.Structure):
    """A class that a factory makes."""

    _fields_ = [
        ("id", c_uint8 * 16), ("cardinality", c_int32), ("category", c_char * 32),
        ("name", c_char * 64), ("flags", c_uint32), ("kinds", c_char * 128),
        ("vendor", c_char * 64),
        ("version", c_char * 64), ("sdk", c_char * 64),
    ]  # fmt: skip


class BusInfo(ctypes.Structure):
    """A bus."""

    _fields_ = [
        ("media", c_int32), ("direction", c_int32), ("channels", c_int32),
        ("name", Text), ("type", c_int32), ("flags", c_uint32),
    ]  # fmt: skip


class ParameterInfo(ctypes.Structure):
    """A parameter."""

    _fields_ = [
        ("id", c_uint32), ("title", Text), ("short", Text),
        ("units", Text), ("steps", c_int32), ("default", c_double),
        ("unit", c_int32), ("flags", c_int32),
    ]  # fmt: skip


class Setup(ctypes.Structure):
    """How a processor is to work."""

    _fields_ = [("mode", c_int32), ("size", c_int32), ("block", c_int32), ("rate", c_double)]


class BusBuffers(ctypes.Structure):
    """Where the channels of a bus lie."""

    _fields_ = [("channels", c_int32), ("silent", ctypes.c_uint64), ("buffers", c_void_p)]


class Data(ctypes.Structure):
    """What a block is."""

    _fields_ = [
        ("mode", c_int32), ("size", c_int32), ("frames", c_int32), ("ins", c_int32),
        ("outs", c_int32), ("inputs", c_void_p), ("outputs", c_void_p), ("changes", c_void_p),
        ("changed", c_void_p), ("events", c_void_p), ("sent", c_void_p), ("context", c_void_p),
    ]  # fmt: skip


def call(thing: Any, slot: int, *values: Any, returns: Any = c_int32) -> Any:
    """Call the function in a slot of an object's table; the first three are IUnknown's."""
    table = ctypes.cast(thing, ctypes.POINTER(ctypes.POINTER(c_void_p)))[0]
    kinds = [c_void_p if isinstance(v, (type(None), c_void_p)) else _kind(v) for v in values]
    function = ctypes.CFUNCTYPE(returns, c_void_p, *kinds)(table[slot] or 0)
    return function(thing, *values)


def _kind(value: Any) -> Any:
    if isinstance(value, bytes):
        return ctypes.c_char_p
    if isinstance(value, int):
        return c_int32
    return type(value) if isinstance(value, ctypes._SimpleCData) else c_void_p


class _Object:
    """An object of ours that a plug-in may call: a table of callbacks behind IUnknown's three.

    It lives as long as Python keeps it; the plug-in's counting of references is not heard.
    """

    def __init__(
        self, kinds: tuple[bytes, ...], *callbacks: tuple[Any, Callable[..., Any]]
    ) -> None:
        self._kinds = (_UNKNOWN, *kinds)
        count = ctypes.CFUNCTYPE(c_uint32, c_void_p)
        ask = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, ctypes.POINTER(c_void_p))
        self._kept = [ask(self._query), count(lambda this: 1), count(lambda this: 1)]
        self._kept += [kind(function) for kind, function in callbacks]
        self._table = (c_void_p * len(self._kept))(
            *(ctypes.cast(f, c_void_p).value for f in self._kept)
        )
        self._place = c_void_p(ctypes.addressof(self._table))
        self.pointer = c_void_p(ctypes.addressof(self._place))

    def _query(self, this: int, kind: int, found: Any) -> int:
        known = ctypes.string_at(kind, 16) in self._kinds
        found[0] = this if known else None
        return OK if known else _NO_INTERFACE


def host() -> _Object:
    """IHostApplication: a name, and nothing that a plug-in could have made."""
    name = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p)
    make = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p)

    def tell(this: int, text: int) -> int:
        ctypes.memmove(text, "restyle\0".encode("utf-16-le"), 16)
        return OK

    return _Object((_HOST,), (name, tell), (make, lambda *_: _NOT_IMPLEMENTED))


class Changes:
    """IParameterChanges: one value for each parameter that has changed, at the block's beginning.

    What a plug-in adds to it, such as a meter's value, is taken and forgotten.
    """

    def __init__(self) -> None:
        self._now: list[tuple[int, float]] = []
        self._queues: list[_Object] = []
        count = ctypes.CFUNCTYPE(c_int32, c_void_p)
        data = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_int32)
        add = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p)
        self._object = _Object(
            (_CHANGES,),
            (count, lambda this: len(self._now)),
            (data, lambda this, k: self._queues[k].pointer.value if k < len(self._now) else None),
            (add, lambda *_: self._taken.pointer.value),
        )
        self._taken = self._queue(0)

    def put(self, values: list[tuple[int, float]]) -> c_void_p:
        """What the next block is to be told; valid until the next call."""
        self._now = values
        while len(self._queues) < len(values):
            self._queues.append(self._queue(len(self._queues)))
        return self._object.pointer

    def _queue(self, k: int) -> _Object:
        def point(this: int, index: int, offset: Any, value: Any) -> int:
            offset[0], value[0] = 0, self._now[k][1]
            return OK

        which = ctypes.CFUNCTYPE(c_uint32, c_void_p)
        one = ctypes.CFUNCTYPE(c_int32, c_void_p)
        read = ctypes.CFUNCTYPE(
            c_int32, c_void_p, c_int32, ctypes.POINTER(c_int32), ctypes.POINTER(c_double)
        )
        add = ctypes.CFUNCTYPE(c_int32, c_void_p, c_int32, c_double, c_void_p)
        return _Object(
            (_QUEUE,),
            (which, lambda this: self._now[k][0]),
            (one, lambda this: 1),
            (read, point),
            (add, lambda *_: OK),
        )


class Stream:
    """IBStream over bytes in memory."""

    def __init__(self, content: bytes = b"") -> None:
        self.content, self._at = bytearray(content), 0
        carry = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_int32, c_void_p)
        seek = ctypes.CFUNCTYPE(c_int32, c_void_p, c_int64, c_int32, c_void_p)
        tell = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p)
        self._object = _Object(
            (_STREAM,), (carry, self._read), (carry, self._write), (seek, self._seek),
            (tell, lambda this, where: self._say(where, self._at, c_int64)),
        )  # fmt: skip

    @property
    def pointer(self) -> c_void_p:
        """What a plug-in takes."""
        return self._object.pointer

    @staticmethod
    def _say(where: int | None, value: int, kind: Any) -> int:
        if where:
            kind.from_address(where).value = value
        return OK

    def _read(self, this: int, to: int, count: int, done: int | None) -> int:
        part = bytes(self.content[self._at : self._at + max(0, count)])
        ctypes.memmove(to, part, len(part))
        self._at += len(part)
        return self._say(done, len(part), c_int32)

    def _write(self, this: int, of: int, count: int, done: int | None) -> int:
        self.content[self._at : self._at + count] = ctypes.string_at(of, count)
        self._at += count
        return self._say(done, count, c_int32)

    def _seek(self, this: int, offset: int, origin: int, now: int | None) -> int:
        base = {1: self._at, 2: len(self.content)}.get(origin, 0)
        self._at = min(max(0, base + offset), len(self.content))
        return self._say(now, self._at, c_int64)


def text_of(units: Any) -> str:
    """A string of 128 units."""
    return bytes(units).decode("utf-16-le", "replace").split("\0", 1)[0]


def parts(preset: bytes) -> dict[bytes, bytes]:
    """What a ``.vstpreset`` file holds: ``Comp`` of a processor, ``Cont`` of a controller."""
    try:
        (at,) = struct.unpack_from("<q", preset, 40)
        mark, count = struct.unpack_from("<4si", preset, at)
        rows = [struct.unpack_from("<4sqq", preset, at + 8 + 20 * k) for k in range(count)]
    except struct.error:
        return {}
    return {key: preset[a : a + n] for key, a, n in rows} if mark == b"List" else {}


def preset(class_id: bytes, content: dict[bytes, bytes]) -> bytes:
    """A ``.vstpreset`` file, the inverse of :func:`parts`."""
    body, rows = b"", b""
    for key, part in content.items():
        rows += struct.pack("<4sqq", key, _HEAD + len(body), len(part))
        body += part
    head = PRESET + struct.pack("<i32sq", 1, class_id.hex().upper().encode(), _HEAD + len(body))
    return head + body + b"List" + struct.pack("<i", len(content)) + rows
