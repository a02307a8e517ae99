"""VST3 plug-ins with other numbers of outputs than inputs, which pedalboard cannot load.

They are driven by their own interfaces (:mod:`realtime.stages.vst3`).  On Linux only; elsewhere
modules begin in other ways.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable
from ctypes import byref, c_double, c_uint8, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from .vst3 import (
    AUDIO,
    COMPONENT,
    CONNECTION,
    CONTROLLER,
    EFFECT,
    FACTORY_2,
    FLOAT,
    INPUT,
    OK,
    OUTPUT,
    PROCESSOR,
    BusBuffers,
    BusInfo,
    Changes,
    ClassInfo2,
    Data,
    ParameterInfo,
    Setup,
    Slot,
    Stream,
    Text,
    call,
    host,
    parts,
    preset,
    text_of,
)  # fmt: skip

Array = npt.NDArray[np.float32]


class Knob:
    """A parameter as pedalboard's own class for parameters takes it."""

    def __init__(self, owner: UnevenPlugin, index: int, info: ParameterInfo) -> None:
        self._owner, self.index, self.number = owner, index, int(info.id)
        self.name, self.label = text_of(info.title), text_of(info.units)
        self.default_raw_value = float(np.float32(info.default))
        self.ask()

    def ask(self) -> None:
        """Learn from the plug-in where it stands."""
        number = c_uint32(self.number)
        self._value = float(call(self._owner.controller, Slot.GET_VALUE, number, returns=c_double))

    @property
    def raw_value(self) -> float:
        """Where it stands, 0 to 1; the plug-in learns it with its next block."""
        return self._value

    @raw_value.setter
    def raw_value(self, value: float) -> None:
        self._value = float(np.float32(value))
        call(self._owner.controller, Slot.SET_VALUE, c_uint32(self.number), c_double(self._value))
        self._owner.changed[self.number] = self._value

    @property
    def string_value(self) -> str:
        """The value in the plug-in's words."""
        return self.get_text_for_raw_value(self.raw_value)

    def get_text_for_raw_value(self, value: float) -> str:
        """The plug-in's words for a value of 0 to 1."""
        text = Text()
        value = float(np.float32(value))
        call(self._owner.controller, Slot.TEXT_OF, c_uint32(self.number), c_double(value), text)
        return text_of(text)

    def get_raw_value_for_text(self, words: str) -> float:
        """The value that the plug-in reads out of words; the one it has where it reads none."""
        text, found = Text(), c_double(self.raw_value)
        told = (words[:127] + "\0").encode("utf-16-le")
        ctypes.memmove(text, told, len(told))
        call(self._owner.controller, Slot.VALUE_OF, c_uint32(self.number), text, byref(found))
        return found.value


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
        What the next block is to tell; another thread may add to it meanwhile.

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
        self._host, self._changes, self._told = host(), Changes(), Changes()
        if not sys.platform.startswith("linux"):
            raise self._refusal("has another number of outputs than inputs; on Linux it would play")
        self._factory = self._open(path)
        info = self._class(name)
        self._class_id = bytes(info.id)
        self.name, self.manufacturer_name, self.version, self.category = (
            text.decode("utf-8", "replace")
            for text in (info.name, info.vendor, info.version, info.kinds)
        )
        self._component = self._instance(self._class_id, COMPONENT)
        if call(self._component, Slot.INITIALIZE, self._host.pointer) != OK:
            raise self._refusal("does not start")
        self._made = True
        self._processor = self._ask(self._component, PROCESSOR)
        self.controller = self._control()
        self._knobs = [self._knob(k) for k in range(call(self.controller, Slot.PARAMETER_COUNT))]
        self._face = face(self._knobs)
        self._buses = {d: self._channels(d) for d in (INPUT, OUTPUT)}
        self.inputs, self.outputs = ((c or [0])[0] for c in self._buses.values())
        if not min(self.inputs, self.outputs):
            raise self._refusal(f"has {self.inputs} inputs and {self.outputs} outputs")
        self.reported_latency_samples = self._skip = 0

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

    def _class(self, name: str | None) -> ClassInfo2:
        second, info = self._ask(self._factory, FACTORY_2), ClassInfo2()
        for k in range(call(self._factory, Slot.COUNT_CLASSES)):
            if call(second, Slot.CLASS_INFO_2, k, byref(info)) == OK and info.category == EFFECT:
                if name is None or info.name.decode("utf-8", "replace") == name:
                    return info
        raise self._refusal("is not in its own file")

    def _instance(self, class_id: bytes, kind: bytes) -> c_void_p:
        found = c_void_p()
        call(self._factory, Slot.CREATE_INSTANCE, class_id, kind, byref(found))
        if not found.value:
            raise self._refusal("cannot be made")
        self._owned.append(found)
        return found

    def _ask(self, thing: c_void_p, kind: bytes) -> c_void_p:
        found = c_void_p()
        if call(thing, Slot.QUERY, kind, byref(found)) != OK or not found.value:
            raise self._refusal("lacks an interface of VST3")
        self._owned.append(found)
        return found

    def _control(self) -> c_void_p:
        """The controller, which may be an object of its own that has to be introduced."""
        try:
            return self._ask(self._component, CONTROLLER)
        except ChainError:
            which = (c_uint8 * 16)()
            call(self._component, Slot.CONTROLLER_CLASS, which)
        controller = self._instance(bytes(which), CONTROLLER)
        self._apart = call(controller, Slot.INITIALIZE, self._host.pointer) == OK
        with contextlib.suppress(ChainError):
            ends = [self._ask(thing, CONNECTION) for thing in (self._component, controller)]
            call(ends[0], Slot.CONNECT, ends[1])
            call(ends[1], Slot.CONNECT, ends[0])
        state = Stream(self._written(self._component, Slot.GET_STATE))
        call(controller, Slot.SET_COMPONENT_STATE, state.pointer)
        return controller

    def _knob(self, index: int) -> Knob:
        info = ParameterInfo()
        call(self.controller, Slot.PARAMETER_INFO, index, byref(info))
        return Knob(self, index, info)

    def _channels(self, direction: int) -> list[int]:
        info, found = BusInfo(), []
        for k in range(call(self._component, Slot.BUS_COUNT, AUDIO, direction)):
            call(self._component, Slot.BUS_INFO, AUDIO, direction, k, byref(info))
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
                call(self._component, Slot.ACTIVATE_BUS, AUDIO, direction, k, c_uint8(k == 0))
        if call(self._processor, Slot.SETUP, byref(Setup(0, FLOAT, block, float(rate)))) != OK:
            raise self._refusal(f"takes no blocks of {block} samples at {rate} Hz")
        self._lines = {
            d: np.zeros((max(1, sum(buses)), block), dtype=np.float32)
            for d, buses in self._buses.items()
        }
        self._ends = {d: self._buffers(d) for d in self._buses}
        ends = (c_void_p(ctypes.addressof(self._ends[d][0])) for d in (INPUT, OUTPUT))
        counts = (len(self._buses[d]) for d in (INPUT, OUTPUT))
        self._data = Data(0, FLOAT, block, *counts, *ends)
        self._data.changed = self._told.put([])
        self._start()
        self.process(np.zeros((self.inputs, block), dtype=np.float32), rate, block, False)
        self.reset()

    def _buffers(self, direction: int) -> tuple[Any, list[Any]]:
        lines, at, kept = self._lines[direction], 0, []
        made = (BusBuffers * max(1, len(self._buses[direction])))()
        for k, channels in enumerate(self._buses[direction]):
            rows = (c_void_p * max(1, channels))(
                *(lines[at + c].ctypes.data for c in range(channels))
            )
            made[k].channels, made[k].buffers = channels, ctypes.addressof(rows)
            kept.append(rows)
            at += channels
        return made, kept

    def _start(self) -> None:
        call(self._component, Slot.SET_ACTIVE, c_uint8(1))
        latency = int(call(self._processor, Slot.LATENCY, returns=c_uint32))
        self.reported_latency_samples = self._skip = latency
        call(self._processor, Slot.SET_PROCESSING, c_uint8(1))
        self._active = True

    def _stop(self) -> None:
        if self._active:
            call(self._processor, Slot.SET_PROCESSING, c_uint8(0))
            call(self._component, Slot.SET_ACTIVE, c_uint8(0))
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
        self._lines[INPUT][: self.inputs, :n] = x
        known = [(k, self.changed.pop(k, None)) for k in list(self.changed)]
        self._data.frames = n
        self._data.changes = self._changes.put([(k, v) for k, v in known if v is not None])
        if call(self._processor, Slot.PROCESS, byref(self._data)) != OK:
            raise RuntimeError(f"plug-in {self.name} failed")
        early = min(self._skip, n)
        self._skip -= early
        return self._lines[OUTPUT][: self.outputs, early:n].copy()

    @staticmethod
    def _written(thing: c_void_p, slot: int) -> bytes:
        stream = Stream()
        call(thing, slot, stream.pointer)
        return bytes(stream.content)

    @property
    def preset_data(self) -> bytes:
        """All settings, as a ``.vstpreset`` file has them."""
        own = self._written(self._component, Slot.GET_STATE)
        other = self._written(self.controller, Slot.GET_OWN_STATE)
        return preset(self._class_id, {b"Comp": own, b"Cont": other})

    @preset_data.setter
    def preset_data(self, state: bytes) -> None:
        found = parts(state)
        own = state[8:40].decode("ascii", "replace").lower() == self._class_id.hex()
        if not own or b"Comp" not in found:
            raise RuntimeError("these are another plug-in's settings")
        if call(self._component, Slot.SET_STATE, Stream(found[b"Comp"]).pointer) != OK:
            raise RuntimeError("the plug-in refuses these settings")
        self.changed.clear()
        if self._apart:
            call(self.controller, Slot.SET_COMPONENT_STATE, Stream(found[b"Comp"]).pointer)
            call(self.controller, Slot.SET_OWN_STATE, Stream(found.get(b"Cont", b"")).pointer)
        for knob in self._knobs:
            knob.ask()

    def __del__(self) -> None:
        if self._made:
            self._stop()
            if self._apart:
                call(self.controller, Slot.TERMINATE)
            call(self._component, Slot.TERMINATE)
        for thing in reversed(self._owned):
            call(thing, Slot.RELEASE, returns=c_uint32)
