"""The line to the supervisor from another process: a pipe, and a view that is kept up to date.

Knobs are turned here at once, and sent together as fast as they are taken: a controller that floods
is followed to its last value, not through each one.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from ..errors import StreamError
from ..session.operations import Turn, turned
from .child import Message
from .controls_link import updated
from .permissions import raise_this_thread
from .shared_memory import Board
from .view import View

PAUSE_SECONDS = 0.001  # between two messages with knobs


class RemoteLine:
    """See :class:`realtime.host.view.Line`.

    Parameters
    ----------
    pipe : Connection
        To :class:`realtime.host.controls_link.ControlsLink`; its first message is a view.

    Attributes
    ----------
    closed : Event
        Set when the supervisor asks this process to end, or is gone.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._numbers = itertools.count(1)
        self._asked: dict[int, Future[Any]] = {}
        self._outbox: queue.SimpleQueue[Message | threading.Event | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ahead: dict[tuple[int, str], tuple[float, int]] = {}
        self._unsent: dict[tuple[int, str], float] = {}
        self._turns = 1  # number of the message that knobs turned now will go with
        self._boards: tuple[str, Board | None] = ("", None)
        self.closed = threading.Event()
        _, shown = pipe.recv()
        self.view = self._shown = View(**shown)
        for run in (self._read, self._write):
            threading.Thread(target=run, name="restyle-line", daemon=True).start()

    @property
    def board(self) -> Board:
        """The board of the engine that plays.

        Raises
        ------
        StreamError
            It has just gone.
        """
        name, board = self._boards
        wanted = self.view.board
        if board is None or name != wanted:
            try:
                board = Board(wanted)
            except OSError:
                raise StreamError("an engine is being replaced") from None
            self._boards = wanted, board
        return board

    @property
    def shown(self) -> tuple[View, Board]:
        """View and board that belong together."""
        while True:
            view, board = self.view, self.board
            if view.board == self._boards[0] == self.view.board:
                return view, board

    def request(self, kind: str, **body: Any) -> Any:
        """Ask for something and wait for the answer, however long it takes."""
        future: Future[Any] = Future()
        number = next(self._numbers)
        self._asked[number] = future
        self._send_turns()
        self._outbox.put(("request", number, kind, body))
        while True:
            try:
                return future.result(timeout=0.5)
            except NotYet:
                if not future.done() and self.closed.is_set():
                    raise StreamError("restyle is ending") from None

    def turn(self, turns: tuple[Turn, ...], at: int | None = None) -> None:
        """Turn knobs here, and have them turned there; they hold from when they arrive."""
        with self._lock:
            for identity, parameter, value in turns:
                self._ahead[identity, parameter] = value, self._turns
                self._unsent[identity, parameter] = value
            self.view = replace(self.view, setup=turned(self.view.setup, turns))
        self._outbox.put(None)

    def post(self, *message: Any) -> None:
        """Tell the supervisor something that needs no answer."""
        self._outbox.put(message)

    def flush(self, seconds: float = 1.0) -> None:
        """Return once all there was to send has been sent."""
        sent = threading.Event()
        self._outbox.put(sent)
        sent.wait(seconds)

    def _send_turns(self) -> None:
        with self._lock:
            if not self._unsent:
                return
            turns = tuple((*key, value) for key, value in self._unsent.items())
            self._unsent, number = {}, self._turns
            self._turns += 1
        self._outbox.put(("turn", number, turns))

    def _write(self) -> None:
        raise_this_thread()
        with suppress(OSError, ValueError):
            while True:
                message = self._outbox.get()
                if message is None:
                    self._send_turns()
                    continue
                if isinstance(message, threading.Event):
                    message.set()
                    continue
                self._pipe.send(message)
                if message[0] == "turn":
                    time.sleep(PAUSE_SECONDS)
        self.closed.set()

    def _read(self) -> None:
        raise_this_thread()
        with suppress(Exception):  # the supervisor is gone
            while True:
                message = self._pipe.recv()
                if message[0] == "view":
                    self._take(message[1])
                elif message[0] == "answer":
                    self._answered(*message[1:])
                elif message[0] == "close":
                    break
        self.closed.set()

    def _take(self, changed: dict[str, Any]) -> None:
        """Lay the knobs the supervisor has not heard of over what it shows."""
        with self._lock:
            self._shown = view = updated(self._shown, changed)
            ahead = {k: v for k, v in self._ahead.items() if v[1] > view.turns}
            self._ahead = ahead
            turns = [(*key, value) for key, (value, _) in ahead.items()]
            self.view = replace(view, setup=turned(view.setup, turns)) if turns else view

    def _answered(self, number: int, good: bool, result: Any) -> None:
        future = self._asked.pop(number, None)
        if future is None:
            return
        if good:
            future.set_result(result)
        else:
            future.set_exception(result)
