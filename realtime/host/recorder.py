"""Record wet and dry sound to files, from the rings the callback fills.

A thread of the supervisor's process reads the rings and writes; the sound never waits for it.  A
ring holds :data:`realtime.host.shared_memory.TAP_SAMPLES`; what finds no room there because the
disk is slow, or because this process does not run, is lost, counted and told.  A full disk ends the
recording, not the sound.  Where another engine takes over, the time without sound is filled with
silence, and marked: it is told, and written as a label beside the file.  What was written can be
read even if this process is killed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from ..errors import AudioFileError
from ..native.ring import Ring
from .take_file import TakeFile

NAP_SECONDS = 0.05
HEAD_SECONDS = 0.5  # between two updates of a file's head
GAP_SECONDS = 5.0  # how long the first block of another engine is waited for
PART = 1 << 15  # samples read at a time
AWAY_SECONDS = 0.5  # a nap longer than that was none: this process did not run


@dataclass(frozen=True)
class _Switch:
    """What to go on from, and when to do so at the latest."""

    rings: dict[str, Ring]
    lost: Callable[[], int]
    silent: Callable[[], int | None]
    until: float


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
    gaps : int
        Times another engine took over.
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
        self._rings, self._lost, self._tell = dict(rings), lost, tell
        self.sample_rate = sample_rate
        self._skip = {name: (skip or {}).get(name, 0) for name in rings}
        self._stop = threading.Event()
        self._switches: deque[_Switch] = deque()
        self._head = 0.0
        self._napped = 0.0  # seconds of the longest nap since a loss was told
        self.written = dict.fromkeys(files, 0)
        self.problem: str | None = None
        self.gaps = 0
        self._told, self._lost_before = 0, 0
        self._files: dict[str, TakeFile] = {}
        try:
            for name, path in files.items():
                self._files[name] = TakeFile(path, sample_rate, self._rings[name].channels)
        except AudioFileError:
            for name, file in self._files.items():
                with suppress(Exception):
                    file.close()
                    files[name].unlink()
            raise
        self._thread = threading.Thread(target=self._run, name="restyle-recorder", daemon=True)
        self._thread.start()

    def switch(
        self,
        rings: Mapping[str, Ring],
        lost: Callable[[], int],
        silent: Callable[[], int | None] = lambda: 0,
    ) -> None:
        """Go on from other rings: another engine plays.  Takes no time.

        Parameters
        ----------
        silent : callable
            Samples of silence in between; None as long as that is not known.
        """
        self._switches.append(_Switch(dict(rings), lost, silent, time.monotonic() + GAP_SECONDS))

    @property
    def lost(self) -> int:
        """Samples that found no room in the rings so far."""
        return self._lost_before + self._lost()

    def stop(self) -> None:
        """Write what waits and close the files."""
        self._stop.set()
        self._thread.join(30.0)

    def _run(self) -> None:
        try:
            while not self._nap() and self.problem is None:
                self._drain()
                self._go_on(False)
                self._check_loss()
                self._update_heads()
            self._drain()
            self._go_on(True)
        except Exception as error:  # whatever it is, files are closed and it is told
            self.problem = f"the recording ended: {error!r}"
            self._tell(self.problem)
        for file in self._files.values():
            with suppress(Exception):
                file.close()

    def _nap(self) -> bool:
        """Wait a moment, and note how long it was; whether the recording is to end."""
        begin = time.monotonic()
        ends = self._stop.wait(NAP_SECONDS)
        self._napped = max(self._napped, time.monotonic() - begin)
        return ends

    def _go_on(self, ending: bool) -> None:
        """Take up the rings of the next engine once it is known how long it was silent."""
        while self._switches:
            switch = self._switches[0]
            silent = switch.silent()
            if silent is None and not ending and time.monotonic() < switch.until:
                return
            self._switches.popleft()
            self._drain()
            self._mark(silent or 0)
            for name, file in self._files.items():
                left = silent or 0
                while left > 0 and self.problem is None:
                    part = min(PART, left)
                    zeros = np.zeros((self._rings[name].channels, part), dtype=np.float32)
                    self._write(name, file, zeros)
                    left -= part
            self._lost_before += self._lost()
            self._rings, self._lost = switch.rings, switch.lost
            self.gaps += 1
            self._drain()

    def _mark(self, silent: int) -> None:
        """Tell of a gap, and write a label of it beside each file: seconds, seconds, text."""
        at = max(self.written.values(), default=0) / self.sample_rate
        end = at + silent / self.sample_rate
        self._tell(
            f"recording: another engine plays on; silence from {at:.3f} to {end:.3f} s keeps the"
            " tracks aligned"
        )
        for file in self._files.values():
            with suppress(OSError), file.path.with_suffix(".labels.txt").open("a") as labels:
                labels.write(f"{at:.6f}\t{end:.6f}\tsilence: another engine took over\n")

    def _update_heads(self) -> None:
        if time.monotonic() < self._head:
            return
        self._head = time.monotonic() + HEAD_SECONDS
        for file in self._files.values():
            file.keep_head()

    def _check_loss(self) -> None:
        lost = self.lost
        if lost > self._told:
            reason = "the disk is too slow"
            if self._napped > AWAY_SECONDS:
                reason = f"restyle was stopped, or got no processor time, for {self._napped:.1f} s"
            self._tell(f"recording: {reason}, {lost - self._told} samples are missing")
            self._told = lost
        self._napped = 0.0

    def _drain(self) -> None:
        if self.problem is not None:
            return
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

    def _write(self, name: str, file: TakeFile, block: npt.NDArray[np.float32]) -> None:
        try:
            file.write(block)
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            self.problem = (
                f"recording to {file.path} ended after {self.written[name]} samples:"
                f" {error}; is the disk full? The sound goes on."
            )
            self._tell(self.problem)
            return
        self.written[name] += block.shape[1]
