"""One file of a recording: at every moment what was written, but for the last, can be read.

The head of a file says how long it is, and libsndfile writes it at the end: a program that is
killed, or a disk that is full, would leave a file of no length.  So it is kept up to date: that of
a WAV (as RF64, which has no largest size) by libsndfile, that of a FLAC here, in place (STREAMINFO,
RFC 9639, 8.2).  The file is its user's alone.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from ..audio_files import FORMATS, check_target
from ..errors import AudioFileError

_UPDATE_HEAD = 0x1060  # libsndfile's SFC_UPDATE_HEADER_NOW
_STREAMINFO, _LENGTHS, _TOTAL = 42, 8, 18  # bytes: its end, its block sizes, its 36 bits of length
_MOST = (1 << 36) - 1  # samples


class TakeFile:
    """Takes blocks ``[channels, n]`` until closed; one thread uses it.

    Parameters
    ----------
    path : Path
        Made, or made anew; its ending says the format.
    sample_rate : int [Hz]
    channels : int

    Attributes
    ----------
    path : Path
    written : int [samples]

    Raises
    ------
    AudioFileError
        It cannot be written.
    """

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        kind, subtype = FORMATS[check_target(path).suffix.lower()]
        self.path, self.written = path, 0
        self._flac = kind == "FLAC"
        self._said = not self._flac
        try:
            path.unlink(missing_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._file = soundfile.SoundFile(
                str(path),
                "w",
                sample_rate,
                channels,
                format="RF64" if kind == "WAV" else kind,
                subtype=subtype,
            )
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise AudioFileError(f"cannot record to {path}: {error}") from None

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """Write samples.

        Raises
        ------
        LibsndfileError, OSError, RuntimeError
            The disk is full, or worse.
        """
        self._file.write(np.ascontiguousarray(block.T))
        self._file.flush()
        self.written += block.shape[1]
        if not self._said:  # one that does not say its length yet is read by few
            self.keep_head()

    def keep_head(self) -> None:
        """Have the head say what is in the file by now."""
        with suppress(Exception):  # python-soundfile has no name for it
            if self._flac:
                self._file.flush()
                self._say_length()
            else:
                soundfile._snd.sf_command(self._file._file, _UPDATE_HEAD, soundfile._ffi.NULL, 0)
                self._file.flush()

    def _say_length(self, closed: bool = False) -> None:
        """Write into a FLAC's head how many samples must be in the file.

        A closed one says so itself, but on a full disk.
        """
        opened = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            head = os.pread(opened, _STREAMINFO, 0)
            if len(head) < _STREAMINFO or head[:4] != b"fLaC":
                return
            block = max(struct.unpack(">HH", head[_LENGTHS : _LENGTHS + 4])) or 4096
            whole = min(max(0, self.written - 1) // block * block, _MOST)
            (word,) = struct.unpack(">Q", head[_TOTAL : _TOTAL + 8])
            if closed and word & _MOST:
                return
            self._said = whole > 0
            os.pwrite(opened, struct.pack(">Q", word & ~_MOST | whole), _TOTAL)
        finally:
            os.close(opened)

    def close(self) -> None:
        """Write what the library still holds, and the last head."""
        with suppress(soundfile.LibsndfileError, OSError, RuntimeError):
            self._file.close()
        if self._flac:
            with suppress(OSError):
                self._say_length(closed=True)
