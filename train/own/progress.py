"""What a person sees meanwhile: a bar with a few words on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

EVERY = 15.0  # seconds between lines where there is no terminal


class Progress:
    """A bar for several parts of a work, one after the other; use it as a context."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._title, self._said = "", time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[now]}"),
                console=Console(stderr=True),
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """One line, or several, that stay."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, flush=True)

    def begin(self, title: str) -> None:
        """The next part of the work."""
        self._title = title
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(title, total=1.0, now="")
        else:
            print(f"{title} …", flush=True)

    def __call__(self, share: float, now: str) -> None:
        """How far this part is, 0..1, and a few words."""
        if self._bar is not None:
            self._bar.update(self._task, completed=share, now=now)
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            print(f"{self._title} {100 * share:.0f}%: {now}", flush=True)
