"""What a run says: one line per step in ``log.jsonl``, a progress bar or plain lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError

LOG = "log.jsonl"


def read_log(path: Path) -> list[dict[str, Any]]:
    """Lines of a log; a last line cut short by a power cut is left out."""
    found = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                break
    return found


class LossLog:
    """``log.jsonl``: ``{"step", "loss", "rate", ...}`` for every step, exact decimals.

    Opened at step `begin`, it forgets what a killed run wrote after its last checkpoint.
    """

    def __init__(self, folder: Path, begin: int) -> None:
        self.path = folder / LOG
        self._failed: ConfigError | None = None
        partial = self.path.with_suffix(".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept = [e for e in read_log(self.path) if e["step"] < begin]
            partial.write_text("".join(json.dumps(e) + "\n" for e in kept), encoding="utf-8")
            os.replace(partial, self.path)
            self._file = self.path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise self._refused(error) from None

    def __call__(self, step: int, terms: dict[str, float]) -> None:
        """Append one line; a failure waits for :meth:`check`."""
        try:
            self._file.write(json.dumps({"step": step, **terms}) + "\n")
        except OSError as error:
            self._failed = self._failed or self._refused(error)

    def check(self) -> None:
        """Raise now what went wrong in the meantime, when all processes listen.

        Raises
        ------
        ConfigError
            A line could not be written.
        """
        if self._failed is not None:
            raise self._failed

    def _refused(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot write {self.path}: {error.strerror or error} — free some space, then run the"
            " same command again to go on"
        )

    def close(self) -> None:
        """Close the file; what could not be written is lost, the checkpoints are not."""
        try:
            self._file.close()
        except OSError:
            pass


class Console:
    """Tells a person how far a run is: a bar on a terminal, else a line per validation.

    Parameters
    ----------
    log : callable, optional
        Takes the lines instead; no bar then.
    """

    def __init__(self, name: str, log: Callable[[str], None] | None = None) -> None:
        self.name = name
        self._bar: Any = None
        self._log = log or (lambda text: print(text, flush=True))
        self._validation = ""
        if log is None and sys.stderr.isatty():
            from rich.console import Console as Terminal
            from rich.progress import (
                BarColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[now]}"),
                console=Terminal(stderr=True),
            )
            self._log = self._bar.console.print
            self._task = self._bar.add_task(name, total=1.0, now="")
            self._bar.start()

    def say(self, text: str) -> None:
        """One line."""
        self._log(text)

    def step(self, progress: float, step: int, loss: float) -> None:
        """After each step."""
        if self._bar is not None:
            now = f"step {step} loss {loss:.4f}{self._validation}"
            self._bar.update(self._task, completed=min(1.0, progress), now=now)

    def validation(self, step: int, minutes: float, loss: float, best: bool) -> None:
        """After each validation."""
        mark = " *" if best else ""
        self._validation = f" validation {loss:.4f}"
        self.say(f"{self.name} step {step} cpu {minutes:.1f} min validation {loss:.4f}{mark}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
