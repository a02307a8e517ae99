"""Recordings begun and ended from a panel: named by the time, in a folder of their own."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from ..errors import AudioFileError
from ..host.front import Front
from .fields import Conflict

FORMATS = ("flac", "wav")


class Takes:
    """One recording at a time; the supervisor makes it, so it outlives this process.

    Parameters
    ----------
    host : Front
    folder : Path
        Made when it is needed.
    """

    def __init__(self, host: Front, folder: Path) -> None:
        self._host, self.folder = host, folder
        self._lock = threading.Lock()

    @property
    def name(self) -> str | None:
        """File of the recording under way that was begun here."""
        files = self._host.view.kept.get("take")
        return files["wet"].name if files and self._host.recording is not None else None

    def start(self, dry: bool, ending: str) -> str:
        """Record what is played, with `dry` also what comes in; return the file's name.

        Raises
        ------
        Conflict
            Something is being recorded or captured.
        AudioFileError
            Another ending than flac or wav, or the file cannot be written.
        """
        if ending not in FORMATS:
            raise AudioFileError(f"a recording's format is flac or wav, got '{ending[:40]}'")
        with self._lock:
            if self._host.recording is not None or self._host.journaled:
                raise Conflict("something is being recorded already; stop that first")
            try:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise AudioFileError(f"cannot record to {self.folder}: {error.strerror}") from None
            stem = self._stem(ending)
            files = {"wet": self.folder / f"{stem}.{ending}"}
            if dry:
                files["dry"] = self.folder / f"{stem}-dry.{ending}"
            self._host.record_to(files)
            self._host.keep("take", files)
            return files["wet"].name

    def _stem(self, ending: str) -> str:
        """The time, with a number where that is taken."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        names = [stamp, *(f"{stamp}-{n}" for n in range(2, 1000))]
        return next(n for n in names if not (self.folder / f"{n}.{ending}").exists())

    def stop(self) -> list[dict[str, Any]]:
        """End it; return its files with ``name``, ``seconds`` and ``gaps``.

        Raises
        ------
        Conflict
            No recording of this kind is under way.
        """
        with self._lock:
            if self.name is None:
                raise Conflict("nothing is being recorded")
            files: dict[str, Path] = self._host.view.kept["take"]
            made = self._host.end_recording()
        if made is None:
            return []
        return [
            {"name": path.name, "seconds": made["seconds"][side], "gaps": made["gaps"]}
            for side, path in files.items()
        ]

    def state(self) -> dict[str, Any] | None:
        """Name and length of the recording under way, whoever began it."""
        made = self._host.recording
        if made is None:
            return None
        seconds = max(made["seconds"].values(), default=0.0)
        return {"name": self.name or "command line", "seconds": round(seconds, 2)}
