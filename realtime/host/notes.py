"""Sentences about what happened, kept with their time for a panel, and passed on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MOST = 50


class Notes:
    """The last :data:`MOST` sentences; any thread may tell one and never waits.

    Parameters
    ----------
    tell : callable
        Takes each sentence, in a thread of its own: a terminal that is stopped stops nothing else.

    Attributes
    ----------
    kept : tuple of dict
        ``when`` [seconds since 1970] and ``text``, oldest first; another object after each.
    """

    def __init__(self, tell: Callable[[str], None] = lambda text: None) -> None:
        self._tell = tell
        self.kept: tuple[dict[str, object], ...] = ()
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="restyle-notes", daemon=True)
        self._thread.start()

    def __call__(self, text: str) -> None:
        """Keep a sentence and pass it on."""
        self.kept = (*self.kept, {"when": round(time.time(), 3), "text": text})[-MOST:]
        self._queue.put(text)

    def close(self, seconds: float = 1.0) -> None:
        """Pass on what waits, for at most so long."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (text := self._queue.get()) is not None:
            with suppress(Exception):  # whoever is told may be gone
                self._tell(text)
