"""The memory that a plug-in in a DAW and its engine share; ``plugin/record.h`` says what is what.

The plug-in owns it.  Sound has absolute positions: the plug-in writes its input and moves
``written``, the engine writes what it makes of it at the same positions and moves ``answered``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError
from ..native.intrinsics import pointer_to
from ..native.late_numba import carray, njit
from ..native.shared import Shared

MAGIC, VERSION = 0x31656C7974736572, 1
CHANNELS, CAPACITY, EVENTS, PARAMETERS, TEXT = 2, 1 << 17, 4096, 16, 1 << 20

EVENT = np.dtype([("position", np.int64), ("parameter", np.int32), ("value", np.float32)])
SOUND = np.dtype([("serial", np.int64), ("length", np.int64), ("text", np.uint8, (TEXT,))])
_INTEGERS = (
    "magic", "version", "size", "owner", "closed",
    "sample_rate", "max_block", "offline", "begin", "take", "page",
    *(f"unused_1{i}" for i in "01234"),
    "written", "events_written", *(f"unused_2{i}" for i in "012345"),
    "answered", "valid", "events_read", "applied", *(f"unused_3{i}" for i in "0123"),
    "taken", "latency", "loaded", "made", "kept_for", *(f"unused_4{i}" for i in "012"),
)  # fmt: skip
RECORD = np.dtype(
    [
        *((name, np.int64) for name in _INTEGERS),
        ("values", np.float32, (PARAMETERS,)),
        ("events", EVENT, (EVENTS,)),
        ("wanted", SOUND),
        ("kept", SOUND),
        ("input", np.float32, (CHANNELS, CAPACITY)),
        ("output", np.float32, (CHANNELS, CAPACITY)),
    ]
)
HEAD = np.dtype([(name, np.int64) for name in _INTEGERS])
"""The record's numbers alone: what compiled code views."""

_pointer_head, _pointer_events = pointer_to(HEAD), pointer_to(EVENT)


def offset(name: str) -> int:
    """Bytes from the record's begin to a field."""
    fields = RECORD.fields
    assert fields is not None
    return int(fields[name][1])


@njit(inline="always")
def view_head(address):  # type: ignore[no-untyped-def]
    """The numbers of the record at `address` (borrowed)."""
    return carray(_pointer_head(address), 1)[0]


@njit(inline="always")
def view_events(address):  # type: ignore[no-untyped-def]
    """The ring of events at `address` ``[EVENTS]`` (borrowed)."""
    return carray(_pointer_events(address), EVENTS)


class PluginRecord:
    """A plug-in's memory, mapped here.

    Parameters
    ----------
    name : str, optional
        Of the memory that a plug-in made; without one it is made here, for a test's own plug-in.

    Attributes
    ----------
    fields : record of :data:`RECORD`
    address : int

    Raises
    ------
    DeviceError
        There is no such memory, or it is another version's.
    """

    def __init__(self, name: str | None = None) -> None:
        try:
            self.memory = Shared(name, RECORD.itemsize)
        except OSError as error:
            raise DeviceError(
                f"there is no plug-in behind {name}: {error.strerror}; the plug-in itself starts"
                " 'restyle plugin'"
            ) from None
        if len(self.memory.buf) >= RECORD.itemsize:
            whole: npt.NDArray[np.void] = np.frombuffer(self.memory.buf, dtype=RECORD, count=1)
            self.fields: Any = whole[0]
            self.address = int(whole.ctypes.data)
            if name is None:
                self.fields["magic"], self.fields["version"] = MAGIC, VERSION
                self.fields["size"] = RECORD.itemsize
        if len(self.memory.buf) < RECORD.itemsize or (
            (self["magic"], self["version"], self["size"]) != (MAGIC, VERSION, RECORD.itemsize)
        ):
            raise DeviceError(
                f"the plug-in behind {name} is not of this version of restyle; build it anew with:"
                " make plugin"
            )

    def __getitem__(self, name: str) -> int:
        return int(self.fields[name])

    def __setitem__(self, name: str, value: int) -> None:
        self.fields[name] = value

    @property
    def name(self) -> str:
        """What another process opens it by."""
        return self.memory.name

    def read(self, which: str) -> tuple[int, str] | None:
        """Serial and text of a sound, ``wanted`` or ``kept``; None while it is being written."""
        sound = self.fields[which]
        serial, length = int(sound["serial"]), int(sound["length"])
        data = bytes(sound["text"][: max(0, min(length, TEXT))])
        if serial % 2 or serial != int(sound["serial"]):
            return None
        return serial, data.decode("utf-8", errors="replace")

    def write(self, which: str, text: str) -> int:
        """Write a sound's text; returns its serial.

        Raises
        ------
        DeviceError
            It is too long.
        """
        data = text.encode("utf-8")
        if len(data) >= TEXT:
            raise DeviceError(
                f"a DAW's project keeps at most {TEXT >> 10} KiB of a sound, this one has"
                f" {len(data) >> 10}; let plug-ins inside it keep their settings in a preset file"
            )
        sound = self.fields[which]
        sound["serial"] += 1
        sound["text"][: len(data)] = np.frombuffer(data, dtype=np.uint8)
        sound["text"][len(data)] = 0
        sound["length"] = len(data)
        sound["serial"] += 1
        return int(sound["serial"])
