"""Mend sound files that were cut off: by kill, power or a full disk, by whatever program.

The file itself stays as it is; what can be read of it is written to another.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from ..audio_files import (
    DENSEST,
    FORMATS,
    HEAD,
    LARGEST_RIFF,
    PART,
    check_rate,
    whole_file,
)
from ..errors import AudioFileError

_PCM = {(1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32"}
_FLOATS = {(3, 32): "FLOAT", (3, 64): "DOUBLE"}
SUBTYPES = {**_PCM, **_FLOATS}  # by WAV's format and bits
EXTENSIBLE = 0xFFFE
UNSAID = 0xFFFFFFFF  # length of RF64's samples, which ds64 says; of some that were never finished
FEW = 16  # frames read at a time where a file breaks off
MOST_GAP = 1 << 31  # frames that are looked behind where a file does not say how many it has
ZEROS = 1 << 20  # bytes looked at together
# chunks that programs write behind the samples
BEHIND = (
    *(b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"smpl", b"inst", b"PEAK", b"fact", b"iXML"),
    *(b"JUNK", b"acid", b"axml", b"chna", b"cart", b"PAD ", b"plst"),
)
Blocks = Iterator[tuple[npt.NDArray[np.float32], int]]


class Mended(NamedTuple):
    """What was written.

    Attributes
    ----------
    seconds : float
    silenced : int
        Samples, of all channels, that were no numbers, or unreadable with sound behind them: they
        are silence.
    missing : float [s]
        What the file's head says should be behind the end, and cannot be read.
    """

    seconds: float
    silenced: int
    missing: float


@dataclass
class _Lost:
    silenced: int = 0
    missing: float = 0.0


def recover(source: Path, target: Path) -> Mended:
    """Write what is in a WAV or FLAC file to another.

    Raises
    ------
    AudioFileError
        Nothing is in it that can be read, or the target cannot be written.
    """
    kind, subtype = FORMATS[target.suffix.lower()]
    lost = _Lost()
    blocks = (_wav if source.suffix.lower() == ".wav" else _flac)(source, lost)
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
                    numbers = np.isfinite(block)
                    if not numbers.all():
                        lost.silenced += int(np.count_nonzero(~numbers))
                        block = np.where(numbers, block, np.float32(0.0))
                    file.write(block)
                    seconds += len(block) / rate
            finally:
                if file is not None:
                    file.close()
            if file is None:
                raise AudioFileError(f"{source} holds no sound that can be read")
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise AudioFileError(f"cannot write {target}: {error}") from None
    return Mended(seconds, lost.silenced, lost.missing)


def _flac(path: Path, lost: _Lost) -> Blocks:
    """What can be read of a FLAC file, silence where frames between are damaged."""
    try:
        with path.open("rb") as raw:
            part = _Part(raw, 0, _end_of_data(raw))
            file = soundfile.SoundFile(part)
            rate, channels = int(file.samplerate), int(file.channels)
            claimed = int(file.frames)
            check_rate(path, rate)
            if claimed > DENSEST * part.size:  # no file of this size holds so many
                claimed = 0
            at, careful = 0, 0
            while True:
                try:
                    if file is None:
                        file = _opened(part, at)
                    block = file.read(FEW if careful else PART, dtype="float32", always_2d=True)
                except (soundfile.LibsndfileError, RuntimeError):
                    file = None
                    if not careful:
                        careful = PART
                        continue
                    gap = _gap(part, at, claimed or at + MOST_GAP)
                    if gap == 0:
                        break
                    yield np.zeros((gap, channels), dtype=np.float32), rate
                    lost.silenced += gap * channels
                    at, careful = at + gap, 0
                    continue
                if not len(block):
                    break
                at, careful = at + len(block), max(0, careful - len(block))
                yield block, rate
            lost.missing = max(0, claimed - at) / rate
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError, ValueError) as error:
        reason = (getattr(error, "error_string", None) or str(error)).strip().rstrip(".")
        raise AudioFileError(f"cannot read {path}: {reason}; it should be WAV or FLAC") from None


def _opened(part: _Part, at: int) -> soundfile.SoundFile:
    """The file anew, at a frame: after an error libsndfile reads no further."""
    part.seek(0)
    file = soundfile.SoundFile(part)
    if at:
        file.seek(at)
    return file


def _gap(part: _Part, at: int, end: int) -> int:
    """How many frames behind `at` the next are that can be read; 0 where there are none.

    A place further and further on is tried, since every try scans the damaged stretch; then it is
    halved back to where they begin.
    """

    def readable(place: int) -> bool:
        try:
            return len(_opened(part, place).read(FEW)) > 0
        except (soundfile.LibsndfileError, RuntimeError):
            return False

    bad, good, last = 0, FEW, end - at - FEW
    while not readable(at + good):
        if good >= last:
            return 0
        bad, good = good, min(2 * good, last)
    while good - bad > FEW:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if readable(at + middle) else (middle, good)
    return good


def _end_of_data(file: BinaryIO) -> int:
    """The file's size without the zeros at its end, which a power cut leaves [bytes]."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - ZEROS)
        file.seek(begin)
        kept = file.read(end - begin).rstrip(b"\0")
        if kept:
            return min(begin + len(kept) + FEW, file.seek(0, os.SEEK_END))
        end = begin
    return 0


def _wav(path: Path, lost: _Lost) -> Blocks:
    """The samples of a WAV file: of its ``data`` on to its end, but for chunks behind them."""
    try:
        with path.open("rb") as file:
            rate, channels, subtype, start, end, missing = _head(file, path)
            lost.missing = missing
            with soundfile.SoundFile(
                _Part(file, start, end),
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


def _head(file: BinaryIO, path: Path) -> tuple[int, int, str, int, int, float]:
    """Rate, channels, subtype, where the samples begin and end, and seconds that are not there.

    Raises
    ------
    AudioFileError
    """
    size = os.fstat(file.fileno()).st_size
    begin = file.read(12)
    if begin[:4] not in (b"RIFF", b"RF64") or begin[8:] != b"WAVE":
        raise AudioFileError(f"{path} does not begin as a WAV file does")
    found: tuple[int, int, str] | None = None
    at, frame, long = 12, 1, 0
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if not (name.isascii() and name.decode("ascii").isprintable()):
            break  # no chunk is called so: zeros, say, that a power cut left
        if name == b"data" and found is not None:
            length = long if length == UNSAID else length
            end = at + 8 + length
            if not 0 < length or not _ends_well(file, end + length % 2, size):
                end = size
            short = at + 8 + length - size if length != UNSAID else 0
            return (*found, at + 8, end, max(0, short) / frame / found[0])
        if name == b"ds64" and begin[:4] == b"RF64":
            body = file.read(16)
            long = struct.unpack("<8xQ", body)[0] if len(body) == 16 else 0
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
            found, frame = (rate, channels, subtype), max(1, channels * bits // 8)
        at += 8 + length + length % 2
    raise AudioFileError(f"{path} breaks off before its samples begin")


def _ends_well(file: BinaryIO, at: int, size: int) -> bool:
    """Whether chunks follow from `at` on to the file's end, so that what lies before is right.

    One that is known will do, where it breaks off or something else follows.
    """
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name in BEHIND:
            return True
        if not (name.isascii() and name.decode("ascii").isprintable()):
            return False
        at += 8 + length + length % 2
    return at in (size, size + 1)


class _Part:
    """A part of a file, as libsndfile reads it."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self.size = end - start
        file.seek(start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; return it."""
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._end}
        return self._file.seek(base[whence] + offset) - self._start

    def tell(self) -> int:
        """The place it is at."""
        return self._file.tell() - self._start

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        left = max(0, self._end - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def write(self, data: bytes) -> int:
        """Refuse: nothing of it is written."""
        raise OSError("read only")
