"""Mend sound files that were cut off: by kill, power or a full disk, by whatever program.

The file itself stays as it is; what can be read of it is written to another.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from ..audio_files import FORMATS, HEAD, LARGEST_RIFF, read_part_by_part, whole_file
from ..errors import AudioFileError

_PCM = {(1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32"}
_FLOATS = {(3, 32): "FLOAT", (3, 64): "DOUBLE"}
SUBTYPES = {**_PCM, **_FLOATS}  # by WAV's format and bits
EXTENSIBLE = 0xFFFE
Blocks = Iterator[tuple[npt.NDArray[np.float32], int]]


def recover(source: Path, target: Path) -> float:
    """Write what is in a WAV or FLAC file to another; return its seconds.

    Raises
    ------
    AudioFileError
        Nothing is in it that can be read, or the target cannot be written.
    """
    kind, subtype = FORMATS[target.suffix.lower()]
    blocks = _wav(source) if source.suffix.lower() == ".wav" else read_part_by_part(source, True)
    if kind == "WAV" and 8 * source.stat().st_size + HEAD > LARGEST_RIFF:
        kind = "RF64"
    file, seconds = None, 0.0
    try:
        with whole_file(target) as partial:
            try:
                for block, rate in blocks:
                    if file is None:
                        file = soundfile.SoundFile(
                            str(partial), "w", rate, block.shape[1], subtype, format=kind
                        )
                    file.write(block)
                    seconds += len(block) / rate
            finally:
                if file is not None:
                    file.close()
            if file is None:
                raise AudioFileError(f"{source} holds no sound that can be read")
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise AudioFileError(f"cannot write {target}: {error}") from None
    return seconds


def _wav(path: Path) -> Blocks:
    """The samples of a WAV file from its ``data`` on to its end, whatever its head says."""
    try:
        with path.open("rb") as file:
            rate, channels, subtype, start = _head(file, path)
            with soundfile.SoundFile(
                _Tail(file, start),
                "r",
                rate,
                channels,
                subtype,
                "LITTLE",
                "RAW",
            ) as sound:
                while len(block := sound.read(1 << 16, dtype="float32", always_2d=True)):
                    yield block, rate
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise AudioFileError(f"cannot read {path}: {error}") from None


def _head(file: BinaryIO, path: Path) -> tuple[int, int, str, int]:
    """Rate, channels, subtype, and where the samples begin.

    Raises
    ------
    AudioFileError
    """
    size = os.fstat(file.fileno()).st_size
    begin = file.read(12)
    if begin[:4] not in (b"RIFF", b"RF64") or begin[8:] != b"WAVE":
        raise AudioFileError(f"{path} does not begin as a WAV file does")
    found: tuple[int, int, str] | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if not (name.isascii() and name.decode("ascii").isprintable()):
            break  # no chunk is called so: zeros, say, that a power cut left
        if name == b"data" and found is not None:
            return (*found, at + 8)
        if name == b"fmt ":
            body = file.read(min(length, 40))
            if len(body) < 16:
                break
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if code == EXTENSIBLE and len(body) >= 26:
                (code,) = struct.unpack("<H", body[24:26])
            subtype = SUBTYPES.get((code, bits))
            if subtype is None or not 1 <= channels <= 1024 or not 1 <= rate <= 10**7:
                raise AudioFileError(f"{path} has a format that cannot be mended ({code}, {bits})")
            found = rate, channels, subtype
        at += 8 + length + length % 2
    raise AudioFileError(f"{path} breaks off before its samples begin")


class _Tail:
    """A file from a place on, as libsndfile reads it."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._start = file, start
        file.seek(start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; return it."""
        place = offset + self._start if whence == os.SEEK_SET else offset
        return self._file.seek(place, whence) - self._start

    def tell(self) -> int:
        """The place it is at."""
        return self._file.tell() - self._start

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._file.read(size)

    def write(self, data: bytes) -> int:
        """Refuse: nothing of it is written."""
        raise OSError("read only")
