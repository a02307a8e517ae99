"""A host of one CLAP plug-in, by its C interface alone (clap 1.1: entry, plugin, params, state)."""

from __future__ import annotations

import ctypes as c
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
P = c.c_void_p
PARAM_VALUE = 5  # CLAP_EVENT_PARAM_VALUE
_READ = c.CFUNCTYPE(c.c_int64, P, P, c.c_uint64)
_SIZE = c.CFUNCTYPE(c.c_uint32, P)
_GET = c.CFUNCTYPE(P, P, c.c_uint32)
_PUSH = c.CFUNCTYPE(c.c_bool, P, P)
_ASKED = c.CFUNCTYPE(P, P, c.c_char_p)
_TOLD = c.CFUNCTYPE(None, P)


class _Version(c.Structure):
    _fields_ = [("major", c.c_uint32), ("minor", c.c_uint32), ("revision", c.c_uint32)]


class _Host(c.Structure):
    _fields_ = [
        ("version", _Version),
        ("data", P),
        *((name, c.c_char_p) for name in ("name", "vendor", "url", "release")),
        ("extension", _ASKED),
        *((name, _TOLD) for name in ("restart", "process", "callback")),
    ]


class _Entry(c.Structure):
    _fields_ = [
        ("version", _Version),
        ("init", c.CFUNCTYPE(c.c_bool, c.c_char_p)),
        ("deinit", c.CFUNCTYPE(None)),
        ("factory", c.CFUNCTYPE(P, c.c_char_p)),
    ]


class _Descriptor(c.Structure):
    _fields_ = [("version", _Version), ("id", c.c_char_p)]


class _Factory(c.Structure):
    _fields_ = [
        ("count", c.CFUNCTYPE(c.c_uint32, P)),
        ("descriptor", c.CFUNCTYPE(c.POINTER(_Descriptor), P, c.c_uint32)),
        ("create", c.CFUNCTYPE(P, P, P, c.c_char_p)),
    ]


class _Buffer(c.Structure):
    _fields_ = [
        ("data32", P),
        ("data64", P),
        ("channels", c.c_uint32),
        ("latency", c.c_uint32),
        ("constant", c.c_uint64),
    ]


class _List(c.Structure):
    """Events in or out; for those out, `size` is what takes them."""

    _fields_ = [("context", P), ("size", P), ("get", P)]


class _Process(c.Structure):
    _fields_ = [
        ("time", c.c_int64),
        ("frames", c.c_uint32),
        ("transport", P),
        ("inputs", P),
        ("outputs", P),
        ("inputs_count", c.c_uint32),
        ("outputs_count", c.c_uint32),
        ("in_events", P),
        ("out_events", P),
    ]


class _Event(c.Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("time", c.c_uint32),
        ("space", c.c_uint16),
        ("type", c.c_uint16),
        ("flags", c.c_uint32),
        ("param", c.c_uint32),
        ("cookie", P),
        ("note", c.c_int32),
        ("port", c.c_int16),
        ("channel", c.c_int16),
        ("key", c.c_int16),
        ("value", c.c_double),
    ]


class _Plugin(c.Structure):
    _fields_ = [
        ("descriptor", P),
        ("data", P),
        ("init", c.CFUNCTYPE(c.c_bool, P)),
        ("destroy", c.CFUNCTYPE(None, P)),
        ("activate", c.CFUNCTYPE(c.c_bool, P, c.c_double, c.c_uint32, c.c_uint32)),
        ("deactivate", c.CFUNCTYPE(None, P)),
        ("start", c.CFUNCTYPE(c.c_bool, P)),
        ("stop", c.CFUNCTYPE(None, P)),
        ("reset", c.CFUNCTYPE(None, P)),
        ("process", c.CFUNCTYPE(c.c_int32, P, P)),
        ("extension", c.CFUNCTYPE(P, P, c.c_char_p)),
        ("main", c.CFUNCTYPE(None, P)),
    ]


class _Info(c.Structure):
    _fields_ = [
        ("id", c.c_uint32),
        ("flags", c.c_uint32),
        ("cookie", P),
        ("name", c.c_char * 256),
        ("module", c.c_char * 1024),
        ("low", c.c_double),
        ("high", c.c_double),
        ("default", c.c_double),
    ]


class _Params(c.Structure):
    _fields_ = [
        ("count", c.CFUNCTYPE(c.c_uint32, P)),
        ("info", c.CFUNCTYPE(c.c_bool, P, c.c_uint32, P)),
        ("value", c.CFUNCTYPE(c.c_bool, P, c.c_uint32, P)),
    ]


class _State(c.Structure):
    _fields_ = [
        ("save", c.CFUNCTYPE(c.c_bool, P, P)),
        ("load", c.CFUNCTYPE(c.c_bool, P, P)),
    ]


class _Stream(c.Structure):
    _fields_ = [("context", P), ("call", _READ)]


class ClapHost:
    """An instance that processes two channels in and two out, in blocks of at most `longest`.

    Attributes
    ----------
    ids : dict of name to parameter id
    """

    def __init__(self, file: Path, rate: int, longest: int) -> None:
        self._kept: list[Any] = []
        self._entry = _Entry.in_dll(c.CDLL(str(file)), "clap_entry")
        assert self._entry.version.major == 1 and self._entry.init(str(file).encode())
        nothing: list[Any] = [_ASKED(lambda host, name: None), *(_TOLD(lambda h: None),) * 3]
        host = _Host(_Version(1, 1, 1), None, b"tests", b"tests", b"", b"1", *nothing)
        found = self._entry.factory(b"clap.plugin-factory")
        factory = c.cast(found, c.POINTER(_Factory)).contents
        assert factory.count(found) == 1
        self.name = factory.descriptor(found, 0).contents.id
        self._handle = factory.create(found, c.addressof(host), self.name)
        assert self._handle, "it does not come up"
        self._plugin = c.cast(self._handle, c.POINTER(_Plugin)).contents
        self._kept += [host, nothing]
        assert self._plugin.init(self._handle)
        self._rate, self._longest, self._time, self._active = rate, longest, 0, False
        self._in, self._out = np.zeros((2, 2, longest), dtype=np.float32)
        params = self._extension("params", _Params)
        self.ids: dict[str, int] = {}
        for index in range(params.count(self._handle)):
            info = _Info()
            assert params.info(self._handle, index, c.addressof(info))
            self.ids[info.name.decode()] = info.id

    def _extension(self, name: str, kind: Any) -> Any:
        found = self._plugin.extension(self._handle, f"clap.{name}".encode())
        return c.cast(found, c.POINTER(kind)).contents

    @property
    def latency(self) -> int:
        """What it reports [samples]."""
        found = self._plugin.extension(self._handle, b"clap.latency")
        return int(c.cast(found, c.POINTER(_SIZE)).contents(self._handle))

    def activate(self) -> None:
        """Begin to process, anew where it does already."""
        if self._active:
            self._plugin.stop(self._handle)
            self._plugin.deactivate(self._handle)
        assert self._plugin.activate(self._handle, float(self._rate), 1, self._longest)
        assert self._plugin.start(self._handle)
        self._active = True

    def run(self, x: Array, values: dict[str, float] | None = None) -> Array:
        """One block ``[2, n]``, with new values of parameters by name at its first sample."""
        n = x.shape[1]
        self._in[:, :n] = x
        sides = []
        for array in (self._in, self._out):
            rows = (P * 2)(*(row.ctypes.data for row in array))
            sides.append((rows, _Buffer(c.cast(rows, P), None, 2, 0, 0)))
        (_, came), (_, goes) = sides
        events = [
            _Event(c.sizeof(_Event), 0, 0, PARAM_VALUE, 0, self.ids[k], None, -1, -1, -1, -1, v)
            for k, v in (values or {}).items()
        ]
        size, get = _SIZE(lambda lst: len(events)), _GET(lambda lst, k: c.addressof(events[k]))
        push = _PUSH(lambda lst, event: True)
        given = _List(None, c.cast(size, P), c.cast(get, P))
        taken = _List(None, c.cast(push, P), None)
        where = [c.addressof(part) for part in (came, goes, given, taken)]
        process = _Process(self._time, n, None, where[0], where[1], 1, 1, where[2], where[3])
        assert self._plugin.process(self._handle, c.addressof(process)) != 0
        self._time += n
        return self._out[:, :n].copy()

    def save(self) -> bytes:
        """Its state."""
        parts: list[bytes] = []

        def write(stream: Any, data: Any, size: int) -> int:
            parts.append(c.string_at(data, min(size, 100)))  # a host may take less than all
            return len(parts[-1])

        stream = _Stream(None, _READ(write))
        assert self._extension("state", _State).save(self._handle, c.addressof(stream))
        return b"".join(parts)

    def load(self, state: bytes) -> None:
        """Give it a state."""
        place = 0

        def read(stream: Any, data: Any, size: int) -> int:
            nonlocal place
            part = state[place : place + min(size, 100)]
            c.memmove(data, part, len(part))
            place += len(part)
            return len(part)

        stream = _Stream(None, _READ(read))
        assert self._extension("state", _State).load(self._handle, c.addressof(stream))

    def close(self) -> None:
        self._plugin.stop(self._handle)
        self._plugin.deactivate(self._handle)
        self._plugin.destroy(self._handle)
        self._entry.deinit()
