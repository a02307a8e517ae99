"""A host of one LV2 plug-in, by its C interface alone (lv2plug.in: core, urid, options, state)."""

from __future__ import annotations

import ctypes as c
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
P = c.c_void_p
URI = "http://lv2plug.in/ns/"
_MAP = c.CFUNCTYPE(c.c_uint32, P, c.c_char_p)
_SCHEDULE = c.CFUNCTYPE(c.c_int, P, c.c_uint32, P)
_RETRIEVE = c.CFUNCTYPE(P, P, c.c_uint32, c.POINTER(c.c_size_t), c.POINTER(c.c_uint32), P)
_STORE = c.CFUNCTYPE(c.c_int, P, c.c_uint32, P, c.c_size_t, c.c_uint32, c.c_uint32)


class _Feature(c.Structure):
    _fields_ = [("uri", c.c_char_p), ("data", P)]


class _Pair(c.Structure):
    _fields_ = [("handle", P), ("call", P)]


class _Option(c.Structure):
    _fields_ = [
        ("context", c.c_int),
        ("subject", c.c_uint32),
        ("key", c.c_uint32),
        ("size", c.c_uint32),
        ("type", c.c_uint32),
        ("value", P),
    ]


class _Descriptor(c.Structure):
    _fields_ = [
        ("uri", c.c_char_p),
        ("instantiate", c.CFUNCTYPE(P, P, c.c_double, c.c_char_p, P)),
        ("connect", c.CFUNCTYPE(None, P, c.c_uint32, P)),
        ("activate", c.CFUNCTYPE(None, P)),
        ("run", c.CFUNCTYPE(None, P, c.c_uint32)),
        ("deactivate", c.CFUNCTYPE(None, P)),
        ("cleanup", c.CFUNCTYPE(None, P)),
        ("extension", c.CFUNCTYPE(P, c.c_char_p)),
    ]


class _State(c.Structure):
    _fields_ = [
        ("save", c.CFUNCTYPE(c.c_int, P, P, P, c.c_uint32, P)),
        ("restore", c.CFUNCTYPE(c.c_int, P, P, P, c.c_uint32, P)),
    ]


class Lv2Host:
    """An instance, its ports connected.

    Parameters
    ----------
    bundle : Path
    rate : int [Hz]
    longest : int [samples]
        Of the blocks to come.
    runs : callable
        Calls the plug-in's ``run`` with its address, the instance and a number of samples.
    """

    def __init__(self, bundle: Path, rate: int, longest: int, runs: Any = None) -> None:
        self._urids: dict[bytes, int] = {}
        library = c.CDLL(str(bundle / "restyle.so"))
        library.lv2_descriptor.restype = c.POINTER(_Descriptor)
        self._plugin = library.lv2_descriptor(0).contents
        self._runs, self._kept, self._active = runs, [library], False
        functions: list[Any] = [_MAP(lambda h, uri: self._urid(uri)), _SCHEDULE(lambda h, n, d: 1)]
        pairs = [_Pair(None, c.cast(f, P)) for f in functions]
        value = c.c_int(longest)
        options = (_Option * 2)()
        options[0].key = self._urid(f"{URI}ext/buf-size#maxBlockLength".encode())
        options[0].type = self._urid(f"{URI}ext/atom#Int".encode())
        options[0].size, options[0].value = 4, c.cast(c.pointer(value), P)
        given = {
            "urid#map": c.pointer(pairs[0]),
            "worker#schedule": c.pointer(pairs[1]),
            "options#options": options,
        }
        features = [_Feature(f"{URI}ext/{n}".encode(), c.cast(d, P)) for n, d in given.items()]
        listed = (P * 4)(*[c.cast(c.pointer(f), P) for f in features], None)
        self._kept += [*functions, *pairs, value, options, *features, listed]
        self._handle = self._plugin.instantiate(
            c.byref(self._plugin), float(rate), str(bundle).encode() + b"/", c.cast(listed, P)
        )
        assert self._handle, "it does not come up"
        self._connect((bundle / "restyle.ttl").read_text(), longest)

    def _urid(self, uri: bytes) -> int:
        return self._urids.setdefault(uri, len(self._urids) + 1)

    def _connect(self, ttl: str, longest: int) -> None:
        found = re.findall(r'lv2:index (\d+) ;.*?lv2:symbol "(\w+)"', ttl, re.DOTALL)
        self.controls = np.zeros(len(found), dtype=np.float32)
        self.ports = {symbol: int(index) for index, symbol in found}
        self.freewheels = re.search(r'"(\w+)" ;\s*lv2:designation lv2:freeWheeling', ttl)
        self._in, self._out = np.zeros((2, 2, longest), dtype=np.float32)
        atoms = np.zeros((2, 1024), dtype=np.uint32)
        sequence = self._urid(f"{URI}ext/atom#Sequence".encode())
        atoms[0, :2], atoms[1, :2] = (8, sequence), (4088, 0)
        self._kept.append(atoms)
        for symbol, index in self.ports.items():
            array = self.controls[index : index + 1]
            if match := re.fullmatch(r"lv2_audio_(in|out)_(\d)", symbol):
                array = (self._in if match[1] == "in" else self._out)[int(match[2]) - 1]
            elif symbol.startswith("lv2_events"):
                array = atoms[int(symbol.endswith("out"))]
            self._plugin.connect(self._handle, index, array.ctypes.data)
        self["lv2_enabled"] = 1.0

    def __setitem__(self, symbol: str, value: float) -> None:
        self.controls[self.ports[symbol]] = value

    def __getitem__(self, symbol: str) -> float:
        return float(self.controls[self.ports[symbol]])

    def activate(self) -> None:
        """Begin to process, anew where it does already."""
        if self._active:
            self._plugin.deactivate(self._handle)
        self._plugin.activate(self._handle)
        self._active = True

    def run(self, x: Array) -> Array:
        """One block ``[2, n]``."""
        n = x.shape[1]
        self._in[:, :n] = x
        if self._runs is not None:
            self._runs(self._plugin.run, self._handle, n)
        else:
            self._plugin.run(self._handle, n)
        return self._out[:, :n].copy()

    def _state(self) -> _State:
        address = self._plugin.extension(f"{URI}ext/state#interface".encode())
        return c.cast(address, c.POINTER(_State)).contents

    def restore(self, values: dict[str, str]) -> None:
        """Give it states by their keys."""
        texts = {self._urid(f"urn:distrho:{k}".encode()): v.encode() for k, v in values.items()}
        kept = {k: c.create_string_buffer(v) for k, v in texts.items()}
        string = self._urid(f"{URI}ext/atom#String".encode())

        def retrieve(handle: Any, key: int, size: Any, kind: Any, flags: Any) -> int | None:
            if key not in kept:
                return None
            size[0], kind[0] = len(kept[key]), string
            return c.addressof(kept[key])

        call = _RETRIEVE(retrieve)
        assert self._state().restore(self._handle, c.cast(call, P), None, 0, None) == 0

    def save(self) -> dict[str, str]:
        """Its states by their keys."""
        found: dict[str, str] = {}
        names = {v: k for k, v in self._urids.items()}

        def store(handle: Any, key: int, value: int, size: int, kind: int, flags: int) -> int:
            names.update({v: k for k, v in self._urids.items()})
            found[names[key].decode().removeprefix("urn:distrho:")] = c.string_at(value).decode()
            return 0

        call = _STORE(store)
        assert self._state().save(self._handle, c.cast(call, P), None, 0, None) == 0
        return found

    def close(self) -> None:
        self._plugin.deactivate(self._handle)
        self._plugin.cleanup(self._handle)
