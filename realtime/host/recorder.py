"""Record wet and dry sound to files, from the rings the callback fills.

A thread of the control process reads the rings and writes; the sound never waits for it.  A ring
holds :data:`realtime.host.shared_memory.TAP_SECONDS`; what finds no room there because the disk is
slow is lost, counted and told.  A full disk ends the recording with a sentence, not the sound.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from ..audio_files import FORMATS, check_target
from ..errors import AudioFileError
from ..native.ring import Ring

NAP_SECONDS = 0.05
PART = 1 << 15  # samples read at a time


class Recorder:
    """Writes one file per ring until stopped.

    Parameters
    ----------
    rings : mapping of str to Ring
        ``dry``, ``wet`` or both; each filled by the callback.
    files : mapping of str to path
        Where each goes; WAV keeps every bit.
    sample_rate : int [Hz]
    skip : mapping of str to int [samples]
        Samples left out at the start, so that wet and dry are aligned.
    lost : callable
        Samples the callback could not put into the rings so far.
    tell : callable
        Takes one sentence, from this object's thread.

    Attributes
    ----------
    written : dict of str to int
        Samples in each file.
    problem : str or None
        What ended the recording early.

    Raises
    ------
    AudioFileError
        A file cannot be written.
    """

    def __init__(
        self,
        rings: Mapping[str, Ring],
        files: Mapping[str, Path],
        sample_rate: int,
        *,
        skip: Mapping[str, int] | None = None,
        lost: Callable[[], int] = lambda: 0,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._rings, self._rate, self._lost, self._tell = dict(rings), sample_rate, lost, tell
        self._skip = {name: (skip or {}).get(name, 0) for name in rings}
        self._stop = threading.Event()
        self._switch = threading.Lock()
        self.written = dict.fromkeys(files, 0)
        self.problem: str | None = None
        self.gaps = 0
        self._told, self._lost_before = 0, 0
        self._files: dict[str, soundfile.SoundFile] = {}
        for name, path in files.items():
            self._files[name] = self._open(path, self._rings[name].channels)
        self._paths = dict(files)
        self._thread = threading.Thread(target=self._run, name="restyle-recorder", daemon=True)
        self._thread.start()

    def _open(self, path: Path, channels: int) -> soundfile.SoundFile:
        kind, subtype = FORMATS[check_target(path).suffix.lower()]
        try:
            return soundfile.SoundFile(
                str(path),
                "w",
                self._rate,
                channels,
                format="RF64" if kind == "WAV" else kind,
                subtype=subtype,
            )
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise AudioFileError(f"cannot record to {path}: {error}") from None

    def switch(self, rings: Mapping[str, Ring], lost: Callable[[], int]) -> None:
        """Go on from other rings: another engine plays.  What was between is a gap."""
        with self._switch:
            self._drain()
            self._rings, self._lost_before, self._lost = dict(rings), self.lost, lost
            self.gaps += 1

    @property
    def lost(self) -> int:
        """Samples that found no room in the rings so far."""
        return self._lost_before + self._lost()

    def stop(self) -> None:
        """Write what waits and close the files."""
        self._stop.set()
        self._thread.join(30.0)

    def _run(self) -> None:
        while not self._stop.wait(NAP_SECONDS) and self.problem is None:
            with self._switch:
                self._drain()
            self._check_loss()
        with self._switch:
            if self.problem is None:
                self._drain()
        for file in self._files.values():
            with suppress(Exception):
                file.close()

    def _check_loss(self) -> None:
        lost = self.lost
        if lost > self._told:
            self._tell(f"recording: the disk is too slow, {lost - self._told} samples are missing")
            self._told = lost

    def _drain(self) -> None:
        for name, file in self._files.items():
            ring = self._rings[name]
            while (waiting := ring.read_available) > 0 and self.problem is None:
                block: npt.NDArray[np.float32] = np.empty(
                    (ring.channels, min(PART, waiting)), dtype=np.float32
                )
                ring.readinto(block)
                left = min(self._skip[name], block.shape[1])
                self._skip[name] -= left
                self._write(name, file, block[:, left:])

    def _write(self, name: str, file: soundfile.SoundFile, block: npt.NDArray[np.float32]) -> None:
        try:
            file.write(np.ascontiguousarray(block.T))
            file.flush()
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            self.problem = (
                f"recording to {self._paths[name]} ended after {self.written[name]} samples:"
                f" {error}; is the disk full? The sound goes on."
            )
            self._tell(self.problem)
            return
        self.written[name] += block.shape[1]
