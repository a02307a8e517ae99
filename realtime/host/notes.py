"""Sentences about what happened, kept with their time for a panel, and passed on."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST = 50


class Notes:
    """The last :data:`MOST` sentences; any thread may tell one.

    Attributes
    ----------
    kept : tuple of dict
        ``when`` [seconds since 1970] and ``text``, oldest first; another object after each.
    """

    def __init__(self, tell: Callable[[str], None] = lambda text: None) -> None:
        self._tell = tell
        self.kept: tuple[dict[str, object], ...] = ()

    def __call__(self, text: str) -> None:
        """Keep a sentence and pass it on."""
        self.kept = (*self.kept, {"when": round(time.time(), 3), "text": text})[-MOST:]
        self._tell(text)
