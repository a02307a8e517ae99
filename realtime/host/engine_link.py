"""What is known of one engine process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .. import errors
from ..errors import RestyleError, StreamError
from . import engine_process, progress
from .child import Child, Message, processor_ns
from .shared_memory import STAGE, Board
from .watch import Watch


class EngineLost(StreamError):
    """The engine process died or hangs."""


class Process(Protocol):
    """A running child, see :class:`realtime.host.child.Child`."""

    @property
    def pid(self) -> int:
        """Its number."""

    def send(self, message: Message) -> None:
        """Have a message sent."""

    def kill(self) -> None:
        """End it at once."""


Starter = Callable[[Board, Callable[[Message], None]], Process]


def start_engine(board: Board, heard: Callable[[Message], None]) -> Child:
    """Start a real engine process."""
    return Child(engine_process.main, (board.name,), "restyle-engine", heard)


class Link:
    """One engine process as the supervisor knows it; the loop's thread alone uses it.

    Parameters
    ----------
    start : callable
        Starts the process.
    heard : callable
        Takes this object and each message, from another thread.
    time : float [seconds]
        Of the supervisor's clock.

    Attributes
    ----------
    board : Board
    watch : Watch
    ready, asked, gone, ended : bool
        Whether it waits to be asked; has been asked to play; has ended as a process; has come to
        the end of its device.
    warnings : list of str
        What the system did not permit.
    progress : str
        What it does just now.
    opened : tuple or None
        Its answer to "open": what plays.
    refused : Exception or None
        Or why it cannot be had.
    lost : str or None
        Why there is no more sound from it.

    Raises
    ------
    RestyleError, OSError, RuntimeError
        No process or no memory can be had.
    """

    def __init__(self, start: Starter, heard: Callable[[Link, Message], None], time: float) -> None:
        self.board = Board()
        self.ready = self.asked = self.gone = self.ended = False
        self.warnings: list[str] = []
        self.progress = "starting a process"
        self.opened: tuple[Any, dict[str, Any]] | None = None
        self.refused: Exception | None = None
        self.lost: str | None = None
        self.watch = Watch(self.board, time, lambda: processor_ns(self.process.pid))
        try:
            self.process = start(self.board, lambda message: heard(self, message))
        except BaseException:
            self.board.close()
            raise

    def take(self, message: Message) -> None:
        """Take what a message says about the process."""
        self.watch.told()
        if message[0] == "ready":
            self.ready, self.warnings = True, message[1]
        elif message[0] == "progress":
            self.progress = message[2]
        elif message[0] == "lost" and message[1] == "end":
            self.ended = True
        elif message[0] == "lost":
            self.lost = self.lost or message[2]
        elif message[0] == "gone":
            self.gone, self.lost = True, self.lost or "it died"

    def send(self, number: int, kind: str, **body: Any) -> None:
        """Have it told something."""
        self.process.send((number, kind, body))

    def quit(self) -> None:
        """Ask it to end."""
        self.send(0, "quit")

    def kill(self) -> None:
        """End it at once."""
        self.lost = self.lost or "it was ended"
        if not self.gone:
            self.process.kill()

    @property
    def stage(self) -> int:
        """Identity of the stage that runs, or ran at the end; 0 for none."""
        return int(self.board.status[STAGE])


def to_error(message: Message) -> RestyleError:
    """The error that an answer of the engine's names."""
    if message[0] == "fault":
        return StreamError(f"the engine failed: {message[2]}")
    kind = getattr(errors, message[2], getattr(progress, message[2], RestyleError))
    return kind(message[3])  # type: ignore[no-any-return]
