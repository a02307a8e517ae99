"""Read the tensors of a TensorFlow checkpoint (format V2) without TensorFlow.

The index is a table of sorted keys in blocks with prefix compression (LevelDB's table format); each
value is a ``BundleEntryProto`` that says where in the data file the tensor lies.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

MAGIC = 0xDB4775248B80FB57
FLOAT32 = 1  # DataType.DT_FLOAT


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _block(data: bytes, handle: bytes) -> list[tuple[bytes, bytes]]:
    """Entries of the block that an offset-and-size handle points at."""
    offset, at = _varint(handle, 0)
    size, _ = _varint(handle, at)
    if data[offset + size]:
        raise ConfigError("checkpoint index is compressed; expected an uncompressed one")
    block = data[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end, at, key, entries = len(block) - 4 * (restarts + 1), 0, b"", []
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        entries.append((key, block[at + fresh : at + fresh + length]))
        at += fresh + length
    return entries


def _fields(message: bytes) -> dict[int, list[int | bytes]]:
    """Protobuf wire format, one level deep."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        else:
            width = 4 if kind == 5 else 8
            value, at = message[at : at + width], at + width
        found.setdefault(tag >> 3, []).append(value)
    return found


def read_checkpoint(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Read all float32 tensors of a folder's ``.index`` and ``.data-00000-of-00001``.

    Raises
    ------
    ConfigError
        The files are missing or of another format.
    """
    index, data = folder / ".index", folder / ".data-00000-of-00001"
    if not (index.is_file() and data.is_file()):
        raise ConfigError(f"no checkpoint in {folder} (.index and .data-00000-of-00001)")
    table, content = index.read_bytes(), data.read_bytes()
    if len(table) < 48 or struct.unpack("<Q", table[-8:])[0] != MAGIC:
        raise ConfigError(f"{index} is not the index of a TensorFlow checkpoint")
    _, at = _varint(table, len(table) - 48)
    _, at = _varint(table, at)
    tensors = {}
    for _, handle in _block(table, table[at:-8]):
        for key, value in _block(table, handle):
            entry = _fields(value)
            if not key or entry.get(1) != [FLOAT32]:
                continue
            dims = _fields(bytes(entry[2][0])).get(2, []) if 2 in entry else []  # type: ignore[arg-type]
            shape = [int(_fields(bytes(d))[1][0]) for d in dims]  # type: ignore[arg-type]
            offset, size = (int(entry.get(k, [0])[0]) for k in (4, 5))
            raw = np.frombuffer(content[offset : offset + size], dtype="<f4")
            tensors[key.decode()] = raw.reshape(shape)
    return tensors
