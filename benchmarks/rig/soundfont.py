"""Recorded notes out of a soundfont, by the names its makers gave them.

Only what is needed of the format (SoundFont 2.04, §6.1 and §7.10): mono samples of 16 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip

INSTALLED = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
_HEADER = struct.Struct("<20sIIIIIBbHH")


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def recorded(path: Path, names: tuple[str, ...]) -> dict[str, Clip]:
    """The samples of those names that a soundfont has, in mono, in the order asked for."""
    lists: dict[bytes, memoryview] = {}
    for _, inside in _chunks(memoryview(path.read_bytes())[12:]):
        lists[bytes(inside[:4])] = inside[4:]
    sound: npt.NDArray[np.int16] = np.frombuffer(dict(_chunks(lists[b"sdta"]))[b"smpl"], "<i2")
    found = {}
    for fields in _HEADER.iter_unpack(dict(_chunks(lists[b"pdta"]))[b"shdr"]):
        name = fields[0].split(b"\0")[0].decode("latin-1")
        samples = sound[fields[1] : fields[2]].astype(np.float32) / 32768
        found[name] = Clip(samples[None], int(fields[5]))
    return {name: found[name] for name in names if name in found}
