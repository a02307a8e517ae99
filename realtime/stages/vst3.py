"""VST3 plug-ins with other numbers of outputs than inputs, which pedalboard cannot load.

They are driven by their own interfaces, after Steinberg's VST 3 API: an object is a pointer to a
table of functions.  On Linux only; elsewhere modules begin in other ways.
"""

from __future__ import annotations

import contextlib
import ctypes
import struct
import sys
from collections.abc import Callable
from ctypes import byref, c_char, c_double, c_int32, c_int64, c_uint8, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from .states import PRESET

Array = npt.NDArray[np.float32]
Pointers = Any  # of ctypes
Text = ctypes.c_uint16 * 128

_OK, _NO_INTERFACE, _NOT_IMPLEMENTED = 0, -1, 3
_AUDIO, _INPUT, _OUTPUT, _FLOAT = 0, 0, 1, 0


_iid = bytes.fromhex
_UNKNOWN = _iid("0000000000000000C000000000000046")
_COMPONENT = _iid("E831FF31F2D54301928EBBEE25697802")
_PROCESSOR = _iid("42043F99B7DA453CA569E79D9AAEC33D")
_CONTROLLER = _iid("DCD7BBE37742448DA874AACC979C759E")
_FACTORY_2 = _iid("0007B650F24B4C0BA464EDB9F00B2ABB")
_HOST = _iid("58E595CCDB2D49698B6AAF8C36A664E5")
_CHANGES = _iid("A47796630BB64A56B44384A8466FEB9D")
_QUEUE = _iid("01263A18ED074F6F98C9D3564686F9BA")
_CONNECTION = _iid("70A4156F6E6E4026989148BFAA60D8D1")
_STREAM = _iid("C3BF6EA2309947529B6BF9901EE33E9B")


class _ClassInfo(ctypes.Structure):
    _fields_ = [
        ("id", c_uint8 * 16), ("cardinality", c_int32), ("category", c_char * 32),
        ("name", c_char * 64),
    ]  # fmt: skip


class _ClassInfo2(ctypes.Structure):
    _fields_ = [
        *_ClassInfo._fields_, ("flags", c_uint32), ("kinds", c_char * 128), ("vendor", c_char * 64),
        ("version", c_char * 64), ("sdk", c_char * 64),
    ]  # fmt: skip


class _BusInfo(ctypes.Structure):
    _fields_ = [
        ("media", c_int32), ("direction", c_int32), ("channels", c_int32),
        ("name", Text), ("type", c_int32), ("flags", c_uint32),
    ]  # fmt: skip


class _ParameterInfo(ctypes.Structure):
    _fields_ = [
        ("id", c_uint32), ("title", Text), ("short", Text),
        ("units", Text), ("steps", c_int32), ("default", c_double),
        ("unit", c_int32), ("flags", c_int32),
    ]  # fmt: skip


class _Setup(ctypes.Structure):
    _fields_ = [("mode", c_int32), ("size", c_int32), ("block", c_int32), ("rate", c_double)]


class _BusBuffers(ctypes.Structure):
    _fields_ = [("channels", c_int32), ("silent", ctypes.c_uint64), ("buffers", c_void_p)]


class _Data(ctypes.Structure):
    _fields_ = [
        ("mode", c_int32), ("size", c_int32), ("frames", c_int32), ("ins", c_int32),
        ("outs", c_int32), ("inputs", c_void_p), ("outputs", c_void_p), ("changes", c_void_p),
        ("changed", c_void_p), ("events", c_void_p), ("sent", c_void_p), ("context", c_void_p),
    ]  # fmt: skip


def _call(thing: Pointers, slot: int, *values: Any, returns: Any = c_int32) -> Any:
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
        return _OK if known else _NO_INTERFACE


def _host() -> _Object:
    name = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p)
    make = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p)

    def tell(this: int, text: int) -> int:
        ctypes.memmove(text, "restyle\0".encode("utf-16-le"), 16)
        return _OK

    return _Object((_HOST,), (name, tell), (make, lambda *_: _NOT_IMPLEMENTED))


class _Changes:
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
            return _OK

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
            (add, lambda *_: _OK),
        )


class _Stream:
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
        return self._object.pointer

    @staticmethod
    def _say(where: int | None, value: int, kind: Any) -> int:
        if where:
            kind.from_address(where).value = value
        return _OK

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


class Knob:
    """A parameter as pedalboard's own class for parameters takes it."""

    def __init__(self, owner: UnevenPlugin, index: int, info: _ParameterInfo) -> None:
        self._owner, self.index, self.number = owner, index, int(info.id)
        self.name, self.label = _text(info.title), _text(info.units)
        self.default_raw_value = float(np.float32(info.default))
        self.ask()

    def ask(self) -> None:
        """Learn from the plug-in where it stands."""
        number = c_uint32(self.number)
        self._value = float(_call(self._owner.controller, 14, number, returns=c_double))

    @property
    def raw_value(self) -> float:
        """Where it stands, 0 to 1; the plug-in learns it with its next block."""
        return self._value

    @raw_value.setter
    def raw_value(self, value: float) -> None:
        self._value = float(np.float32(value))
        _call(self._owner.controller, 15, c_uint32(self.number), c_double(self._value))
        self._owner.changed[self.number] = self._value

    @property
    def string_value(self) -> str:
        """The value in the plug-in's words."""
        return self.get_text_for_raw_value(self.raw_value)

    def get_text_for_raw_value(self, value: float) -> str:
        """The plug-in's words for a value of 0 to 1."""
        text = Text()
        value = float(np.float32(value))
        _call(self._owner.controller, 10, c_uint32(self.number), c_double(value), text)
        return _text(text)

    def get_raw_value_for_text(self, words: str) -> float:
        """The value that the plug-in reads out of words; the one it has where it reads none."""
        text, found = Text(), c_double(self.raw_value)
        told = (words[:127] + "\0").encode("utf-16-le")
        ctypes.memmove(text, told, len(told))
        _call(self._owner.controller, 11, c_uint32(self.number), text, byref(found))
        return found.value


def _text(units: Any) -> str:
    return bytes(units).decode("utf-16-le", "replace").split("\0", 1)[0]


class UnevenPlugin:
    """A plug-in with all channels of its main buses; other buses are switched off.

    Made, prepared and reset on the main thread; :meth:`process` and the knobs on any.  It has
    what this package uses of pedalboard's plug-ins.

    Parameters
    ----------
    path : Path
        A bundle.
    name : str or None
        Of the plug-in in it; None: the first.
    face : callable
        Makes of knobs what answers by their names, see :func:`realtime.stages.pedals.face`.

    Attributes
    ----------
    inputs, outputs : int
        Channels of the main buses.
    reported_latency_samples : int [samples]
        What the plug-in states.
    changed : dict of parameter's number to value
        What the next block is to tell.

    Raises
    ------
    ChainError
        The plug-in lacks an interface, or this is no Linux.
    """

    is_effect = True

    def __init__(self, path: Path, name: str | None, face: Callable[[list[Knob]], Any]) -> None:
        self.name, self.changed = name or path.stem, dict[int, float]()
        self._active = self._made = self._apart = False
        self._owned: list[c_void_p] = []
        self._host, self._changes, self._told = _host(), _Changes(), _Changes()
        if not sys.platform.startswith("linux"):
            raise self._refusal("has another number of outputs than inputs; on Linux it would play")
        self._factory = self._open(path)
        info = self._class(name)
        self._class_id = bytes(info.id)
        self.name, self.manufacturer_name, self.version, self.category = (
            text.decode("utf-8", "replace")
            for text in (info.name, info.vendor, info.version, info.kinds)
        )
        self._component = self._instance(self._class_id, _COMPONENT)
        if _call(self._component, 3, self._host.pointer) != _OK:
            raise self._refusal("does not start")
        self._made = True
        self._processor = self._ask(self._component, _PROCESSOR)
        self.controller = self._control()
        self._knobs = [self._knob(k) for k in range(_call(self.controller, 8))]
        self._face = face(self._knobs)
        self._buses = {d: self._channels(d) for d in (_INPUT, _OUTPUT)}
        self.inputs, self.outputs = ((c or [0])[0] for c in self._buses.values())
        if not min(self.inputs, self.outputs):
            raise self._refusal(f"has {self.inputs} inputs and {self.outputs} outputs")
        self.reported_latency_samples = self._skip = 0
        self._setup = (0, 0)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._face, name)  # the value of a knob

    @property
    def parameters(self) -> Any:
        """The knobs by their names."""
        return self._face.parameters

    def _refusal(self, why: str) -> ChainError:
        return ChainError(f"plug-in {self.name} {why}")

    def _open(self, path: Path) -> c_void_p:
        for file in [path] if path.is_file() else sorted(path.glob("Contents/*/*.so")):
            try:
                module = ctypes.CDLL(str(file))
                module.ModuleEntry(c_void_p(module._handle))
                module.GetPluginFactory.restype = c_void_p
                self._owned.append(c_void_p(module.GetPluginFactory()))
                return self._owned[-1]
            except (OSError, AttributeError):
                continue
        raise self._refusal("has no factory")

    def _class(self, name: str | None) -> _ClassInfo2:
        second, info = self._ask(self._factory, _FACTORY_2), _ClassInfo2()
        for k in range(_call(self._factory, 4)):
            if _call(second, 7, k, byref(info)) == _OK and info.category == _EFFECT:
                if name is None or info.name.decode("utf-8", "replace") == name:
                    return info
        raise self._refusal("is not in its own file")

    def _instance(self, class_id: bytes, kind: bytes) -> c_void_p:
        found = c_void_p()
        if _call(self._factory, 6, class_id, kind, byref(found)) != _OK or not found.value:
            raise self._refusal("cannot be made")
        self._owned.append(found)
        return found

    def _ask(self, thing: c_void_p, kind: bytes) -> c_void_p:
        found = c_void_p()
        if _call(thing, 0, kind, byref(found)) != _OK or not found.value:
            raise self._refusal("lacks an interface of VST3")
        self._owned.append(found)
        return found

    def _control(self) -> c_void_p:
        """The controller, which may be an object of its own that has to be introduced."""
        try:
            return self._ask(self._component, _CONTROLLER)
        except ChainError:
            which = (c_uint8 * 16)()
            _call(self._component, 5, which)
        controller = self._instance(bytes(which), _CONTROLLER)
        self._apart = _call(controller, 3, self._host.pointer) == _OK
        with contextlib.suppress(ChainError):
            ends = [self._ask(thing, _CONNECTION) for thing in (self._component, controller)]
            _call(ends[0], 3, ends[1])
            _call(ends[1], 3, ends[0])
        _call(controller, 5, _Stream(self._written(self._component, 13)).pointer)
        return controller

    def _knob(self, index: int) -> Knob:
        info = _ParameterInfo()
        _call(self.controller, 9, index, byref(info))
        return Knob(self, index, info)

    def _channels(self, direction: int) -> list[int]:
        info, found = _BusInfo(), []
        for k in range(_call(self._component, 7, _AUDIO, direction)):
            _call(self._component, 8, _AUDIO, direction, k, byref(info))
            found.append(int(info.channels))
        return found

    def prepare(self, rate: int, block: int) -> None:
        """Make ready for blocks of up to so many samples and tell of knobs that were turned.

        Raises
        ------
        ChainError
            The plug-in refuses the rate or the block.
        """
        self._stop()
        for direction, buses in self._buses.items():
            for k in range(len(buses)):
                _call(self._component, 10, _AUDIO, direction, k, c_uint8(k == 0))
        if _call(self._processor, 7, byref(_Setup(0, _FLOAT, block, float(rate)))) != _OK:
            raise self._refusal(f"takes no blocks of {block} samples at {rate} Hz")
        self._lines = {
            d: np.zeros((max(1, sum(buses)), block), dtype=np.float32)
            for d, buses in self._buses.items()
        }
        self._ends = {d: self._buffers(d) for d in self._buses}
        ends = (c_void_p(ctypes.addressof(self._ends[d][0])) for d in (_INPUT, _OUTPUT))
        counts = (len(self._buses[d]) for d in (_INPUT, _OUTPUT))
        self._data = _Data(0, _FLOAT, block, *counts, *ends)
        self._data.changed = self._told.put([])
        self._start()
        self.process(np.zeros((self.inputs, block), dtype=np.float32), rate, block, False)
        self.reset()

    def _buffers(self, direction: int) -> tuple[Any, list[Any]]:
        lines, at, kept = self._lines[direction], 0, []
        made = (_BusBuffers * max(1, len(self._buses[direction])))()
        for k, channels in enumerate(self._buses[direction]):
            rows = (c_void_p * max(1, channels))(
                *(lines[at + c].ctypes.data for c in range(channels))
            )
            made[k].channels, made[k].buffers = channels, ctypes.addressof(rows)
            kept.append(rows)
            at += channels
        return made, kept

    def _start(self) -> None:
        _call(self._component, 11, c_uint8(1))
        latency = int(_call(self._processor, 6, returns=c_uint32))
        self.reported_latency_samples = self._skip = latency
        _call(self._processor, 8, c_uint8(1))
        self._active = True

    def _stop(self) -> None:
        if self._active:
            _call(self._processor, 8, c_uint8(0))
            _call(self._component, 11, c_uint8(0))
            self._active = False

    def reset(self) -> None:
        """Clear all sound (main thread)."""
        if self._active:
            self._stop()
            self._start()

    def process(self, x: Array, rate: float, buffer_size: int, reset: bool) -> Array:
        """Process ``x [inputs, n]``, as prepared; ``[outputs, n]``, a copy without the latency.

        Raises
        ------
        RuntimeError
            The plug-in says that it failed.
        """
        n = x.shape[1]
        self._lines[_INPUT][: self.inputs, :n] = x
        changed, self.changed = self.changed, {}
        self._data.frames = n
        self._data.changes = self._changes.put(list(changed.items()))
        if _call(self._processor, 9, byref(self._data)) != _OK:
            raise RuntimeError(f"plug-in {self.name} failed")
        early = min(self._skip, n)
        self._skip -= early
        return self._lines[_OUTPUT][: self.outputs, early:n].copy()

    @staticmethod
    def _written(thing: c_void_p, slot: int) -> bytes:
        stream = _Stream()
        _call(thing, slot, stream.pointer)
        return bytes(stream.content)

    @property
    def preset_data(self) -> bytes:
        """All settings, as a ``.vstpreset`` file has them."""
        ends = ((b"Comp", self._component, 13), (b"Cont", self.controller, 7))
        parts = {key: self._written(thing, slot) for key, thing, slot in ends}
        body, rows = b"", b""
        for key, part in parts.items():
            rows += struct.pack("<4sqq", key, _HEAD + len(body), len(part))
            body += part
        head = PRESET + struct.pack("<i32sq", 1, self._class_id.hex().upper().encode(), 0)[:36]
        end = struct.pack("<q", _HEAD + len(body))
        return head + end + body + b"List" + struct.pack("<i", len(parts)) + rows

    @preset_data.setter
    def preset_data(self, preset: bytes) -> None:
        parts = _parts(preset)
        own = preset[8:40].decode("ascii", "replace").lower() == self._class_id.hex()
        if not own or b"Comp" not in parts:
            raise RuntimeError("these are another plug-in's settings")
        if _call(self._component, 12, _Stream(parts[b"Comp"]).pointer) != _OK:
            raise RuntimeError("the plug-in refuses these settings")
        self.changed.clear()
        if self._apart:
            _call(self.controller, 5, _Stream(parts[b"Comp"]).pointer)
            _call(self.controller, 6, _Stream(parts.get(b"Cont", b"")).pointer)
        for knob in self._knobs:
            knob.ask()

    def __del__(self) -> None:
        if self._made:
            self._stop()
            if self._apart:
                _call(self.controller, 4)
            _call(self._component, 4)
        for thing in reversed(self._owned):
            _call(thing, 2, returns=c_uint32)


_EFFECT = b"Audio Module Class"
_HEAD = 48  # bytes before the first part of a .vstpreset file


def _parts(preset: bytes) -> dict[bytes, bytes]:
    try:
        (at,) = struct.unpack_from("<q", preset, 40)
        mark, count = struct.unpack_from("<4si", preset, at)
        rows = [struct.unpack_from("<4sqq", preset, at + 8 + 20 * k) for k in range(count)]
    except struct.error:
        return {}
    return {key: preset[a : a + n] for key, a, n in rows} if mark == b"List" else {}
