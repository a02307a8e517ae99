"""Sentences about what happened, kept with their time for a panel, and passed on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

MOST = 50
BURST, WINDOW_SECONDS = 100, 60.0  # sentences passed on in so long: a log cannot grow without limit
WAITING = 1000  # sentences, where whoever is told stands still


class Notes:
    """The last :data:`MOST` sentences; any thread may tell one and never waits.

    Parameters
    ----------
    tell : callable
        Takes each sentence, in a thread of its own: a terminal that is stopped stops nothing else.
        Of more than :data:`BURST` in a minute it is told how many there were.

    Attributes
    ----------
    kept : tuple of dict
        ``when`` [seconds since 1970, as the clock stood], ``at`` [seconds of the monotonic clock]
        and ``text``, oldest first; another object after each.
    """

    def __init__(self, tell: Callable[[str], None] = lambda text: None) -> None:
        self._tell = tell
        self.kept: tuple[dict[str, object], ...] = ()
        self._left_out = 0
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="restyle-notes", daemon=True)
        self._thread.start()

    def __call__(self, text: str) -> None:
        """Keep a sentence and pass it on."""
        when, at = round(time.time(), 3), round(time.monotonic(), 6)
        self.kept = (*self.kept, {"when": when, "at": at, "text": text})[-MOST:]
        if self._queue.qsize() < WAITING:
            self._queue.put(text)
        else:
            self._left_out += 1

    def close(self, seconds: float = 1.0) -> None:
        """Pass on what waits, for at most so long."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        begin, passed = time.monotonic(), 0
        while (text := self._queue.get()) is not None:
            now = time.monotonic()
            if now - begin >= WINDOW_SECONDS:
                begin, passed = now, 0
            if passed >= BURST:
                self._left_out += 1
                continue
            passed += 1
            self._tell_left_out()
            self._pass_on(text)
        self._tell_left_out()

    def _tell_left_out(self) -> None:
        many, self._left_out = self._left_out, 0
        if many:
            self._pass_on(f"(and {many} more sentences, too many to print)")

    def _pass_on(self, text: str) -> None:
        with suppress(Exception):  # whoever is told may be gone
            self._tell(text)
