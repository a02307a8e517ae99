"""The control process's end of one engine process: spawn it, ask it, notice its end."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from .. import errors
from ..errors import RestyleError, StreamError
from .shared_memory import Board

START_SECONDS = 120.0  # a first start compiles


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back in this thread, and so in a process that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class EngineLost(StreamError):
    """The engine process died or hangs."""


class Link:
    """One engine process.

    Parameters
    ----------
    board : Board
        Its shared memory.
    notice : callable
        Called with what the engine tells unasked, from this link's own thread; the message's kind
        is ``notice``, ``lost`` or ``dead``.

    Attributes
    ----------
    warnings : list of str
        What the system did not permit.
    dead, ended : bool
        Whether the process is gone; whether its device has come to its end.
    """

    def __init__(self, board: Board, notice: Callable[[Link, tuple[Any, ...]], None]) -> None:
        from .engine_process import main

        self.board, self._notice = board, notice
        self.warnings: list[str] = []
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[Any, ...]] = {}
        self._news = threading.Condition()
        self._asking = threading.Lock()
        self._ready = self.dead = self.ended = False
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=main, args=(board.name, theirs), name="restyle-engine", daemon=True
        )
        with without_interrupts():
            self.process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, name="restyle-link", daemon=True)
        self._reader.start()

    @property
    def ready(self) -> bool:
        """Whether it has compiled and imported everything and waits to be asked."""
        return self._ready

    def _read(self) -> None:
        pipe: Connection = self._pipe
        while True:
            try:
                wait([pipe, self.process.sentinel])
                if not pipe.poll():
                    break
                message = pipe.recv()
            except (EOFError, OSError):
                break
            with self._news:
                if message[0] == "ready":
                    self._ready, self.warnings = True, message[2]
                elif message[0] in ("done", "error", "fault"):
                    self._answers[message[1]] = message
                self._news.notify_all()
            if message[0] in ("notice", "lost"):
                self._notice(self, message)
        with self._news:
            self.dead = True
            self._news.notify_all()
        self._notice(self, ("dead",))

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when the engine waits to be asked.

        Raises
        ------
        EngineLost
        """
        with self._news:
            self._news.wait_for(lambda: self._ready or self.dead, seconds)
            if not self._ready:
                raise EngineLost("the engine process did not start")

    def ask(self, operation: dict[str, Any], seconds: float) -> Any:
        """Have an operation done and return its result.

        Raises
        ------
        RestyleError
            The engine refuses it, in its words.
        EngineLost
            It died meanwhile, or gave no answer in `seconds`.
        """
        with self._asking:
            number = next(self._numbers)
            try:
                self._pipe.send((number, operation))
            except (OSError, ValueError):
                raise EngineLost("the engine process has ended") from None
            with self._news:
                self._news.wait_for(lambda: number in self._answers or self.dead, seconds)
                answer = self._answers.pop(number, None)
        if answer is None:
            reason = "died" if self.dead else f"gave no answer in {seconds:g} s"
            raise EngineLost(f"the engine process {reason} on '{operation['op']}'")
        if answer[0] == "done":
            return answer[2]
        kind = getattr(errors, answer[2], RestyleError)
        if answer[0] == "fault":
            raise StreamError(f"the engine failed on '{operation['op']}': {answer[2]}: {answer[3]}")
        raise kind(answer[3])

    def end(self, seconds: float = 3.0) -> None:
        """Ask the engine to quit; kill it if it does not."""
        with suppress(RestyleError):
            if self.process.is_alive():
                self.ask({"op": "quit"}, seconds)
        self.process.join(seconds)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join(5.0)
        with suppress(OSError):
            self._pipe.close()
