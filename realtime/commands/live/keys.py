"""Keys of the terminal while it plays: setlist, scenes, comparison, bypass, tempo, panic."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...errors import RestyleError
from ...host.host import Host
from ...host.surface import PatientSurface

HELP = (
    "keys: n next preset, v previous; 1…9 scenes; a the other of two sounds; b bypass; t tap tempo;"
    " x panic"
)
ACTIONS = {"n": "next", "v": "previous", "a": "compare", "t": "tap", "x": "panic"}
LOOK_SECONDS = 0.2


class Keys:
    """Reads keys in a thread of its own while the context is open, where there is a terminal.

    Parameters
    ----------
    host : Host
    tell : callable
        Takes a sentence on what cannot be done.
    """

    def __init__(self, host: Host, tell: Callable[[str], None]) -> None:
        self._surface, self._tell = PatientSurface(host, tell), tell
        self._ending, self._before = threading.Event(), None
        self._thread: threading.Thread | None = None

    def press(self, key: str) -> None:
        """Do what a key is for; others do nothing."""
        surface, key = self._surface, key.lower()
        try:
            if key in ACTIONS:
                surface.act(ACTIONS[key])
            elif key == "b":
                surface.bypass(not surface.get("bypass"))
            elif key.isascii() and key.isdigit() and key != "0":
                surface.recall(int(key))
        except RestyleError as error:
            self._tell(str(error))

    def __enter__(self) -> Keys:
        with suppress(ImportError, OSError, ValueError):  # no terminal, or Windows
            self._before = _without_lines(sys.stdin.fileno())
            self._tell(HELP)
            self._thread = threading.Thread(target=self._run, name="restyle-keys", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join(2.0)
        if self._before is not None:
            import termios

            with suppress(OSError, termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def _run(self) -> None:
        number = sys.stdin.fileno()
        with suppress(OSError, ValueError):  # the terminal has gone
            while not self._ending.is_set():
                if not select.select([number], [], [], LOOK_SECONDS)[0]:
                    continue
                typed = os.read(number, 64)
                if not typed:
                    return
                if not typed.startswith(b"\x1b"):  # arrows and the like come as several
                    for key in typed.decode(errors="ignore"):
                        self.press(key)


def _without_lines(number: int) -> Any:
    """Have a terminal hand on each key at once, unseen; Ctrl-C stays.  Returns how it was.

    Raises
    ------
    ImportError, OSError
        It is no terminal, or none that can.
    """
    import termios

    if not os.isatty(number):
        raise OSError("no terminal")
    try:
        before = termios.tcgetattr(number)
        now = termios.tcgetattr(number)
        now[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(number, termios.TCSADRAIN, now)
    except termios.error as error:
        raise OSError(str(error)) from None
    return before
