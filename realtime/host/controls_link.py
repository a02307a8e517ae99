"""The supervisor's end of the process that holds MIDI, OSC and the page.

A second one stands by, everything imported, and takes its place when it ends; both are told what
plays.  Whatever happens to them, the sound goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import fields, replace
from typing import Any

from ..errors import ControlError, RestyleError
from .child import Message
from .engine_link import Process
from .requests import Request
from .view import View

SHOW_SECONDS = 0.03  # between two views that are sent
FIRST_PAUSE = 0.05  # seconds before it is started again
LONGEST_PAUSE = (10.0, 0.5)  # where it ends again and again: before it is up, and after
STEADY_SECONDS = 1.0  # of work, after which the pause is short again

Start = Callable[[Callable[[Message], None]], Process]


class ControlsLink:
    """One controls process after the other; the loop's thread alone uses it.

    Parameters
    ----------
    start : callable
        Starts a process, given who hears its messages; it waits for a view before it opens
        anything.
    post : callable
        Puts an event into the supervisor's queue.
    numbers : iterator of int
        For requests.
    tell : callable
        Takes a sentence; the same one is told once until sound was away.
    request : Request
        Answered when it is up, or has failed to come up.

    Attributes
    ----------
    turns : int
        Number of its last message with knobs.
    lost : bool
        Whether the last message said that it has ended.
    """

    def __init__(
        self,
        start: Start,
        post: Callable[..., None],
        numbers: Iterator[int],
        tell: Callable[[str], None],
        request: Request,
    ) -> None:
        self._start, self._post, self._numbers, self._tell = start, post, numbers, tell
        self._request = request
        self._child: Process | None = None
        self._spare: Process | None = None
        self._sent: View | None = None
        self._latest: View | None = None
        self._time = 0.0
        self._sent_turns, self._sent_at = 0, 0.0
        self._due, self._pause, self._since = 0.0, FIRST_PAUSE, 0.0
        self._wanted, self._up = True, False
        self.turns, self.lost = 0, False

    @property
    def gone(self) -> bool:
        """Whether there is no process."""
        return self._child is None and self._spare is None

    @property
    def pid(self) -> int:
        """The process's number, 0 for none."""
        return self._child.pid if self._child is not None else 0

    def tick(self, time: float, view: View) -> None:
        """Start it where it is due; tell it what plays."""
        self._latest, self._time = view, time
        if self._child is None:
            if self._wanted and time >= self._due:
                self._spawn(time, view)
            return
        if self._spare is None and self._up and self._wanted and time >= self._due:
            self._spare = self._new(time)
        changed = view is not self._sent or self.turns != self._sent_turns
        if changed and time - self._sent_at >= SHOW_SECONDS:
            self._show(time, view)

    def _spawn(self, time: float, view: View) -> None:
        spare, self._spare = self._spare, None
        self._child = spare or self._new(time)
        if self._child is not None:
            self._up, self._since, self.turns, self._sent = False, time, 0, None
            self._show(time, view)

    def _new(self, time: float) -> Process | None:
        own: list[Process] = []

        def heard(message: Message) -> None:
            self._post("controls", own, message)

        try:
            own.append(self._start(heard))
        except (OSError, RuntimeError) as error:
            self._tell(f"MIDI, OSC and page cannot be started: {error}; trying again")
            self._later(time)
            return None
        return own[0]

    def _show(self, time: float, view: View) -> None:
        """Send what has changed since the last time."""
        assert self._child is not None
        old, self._sent = self._sent, view
        self._sent_at, self._sent_turns = time, self.turns
        named = ((f.name, getattr(view, f.name)) for f in fields(view))
        changed = {n: v for n, v in named if old is None or v is not getattr(old, n)}
        self._child.send(("view", {**changed, "turns": self.turns}))

    def _later(self, time: float) -> None:
        self._due = time + self._pause
        self._pause = min(2.0 * self._pause, LONGEST_PAUSE[self._up])

    def take(self, own: list[Process], message: Message, time: float) -> Request | None:
        """Take a message; the request in it, if there is one."""
        self.lost = False
        if own and own[0] is self._spare and message[0] == "gone":
            self._spare = None
            self._later(time)
        if not own or own[0] is not self._child:
            return None
        kind = message[0]
        if kind == "request":
            return self._requested(own[0], *message[1:])
        if kind == "turn":
            self.turns = message[1]
            return Request(next(self._numbers), "turn", {"turns": message[2]})
        if kind == "keep":
            return Request(next(self._numbers), "keep", {"key": message[1], "value": message[2]})
        if kind == "up":
            self._up, self._since = True, time
            self._answer(message[1], None)
        elif kind == "refused" and not self._request.future.done():
            self._wanted = False
            self._answer(None, ControlError(message[1]))
        elif kind == "refused":
            self._tell(message[1])
        elif kind == "gone":
            self._ended(time)
        return None

    def _requested(
        self, child: Process, number: int, kind: str, body: Mapping[str, Any]
    ) -> Request:
        request = Request(next(self._numbers), kind, body)

        def answered(future: Future[Any]) -> None:
            error = future.exception()
            if self._latest is not None and child is self._child:  # first what came of it
                self._show(self._time, self._latest)
            if error is None:
                child.send(("answer", number, True, future.result()))
            else:
                plain = error if isinstance(error, RestyleError) else RestyleError(repr(error))
                child.send(("answer", number, False, plain))

        request.future.add_done_callback(answered)
        return request

    def _ended(self, time: float) -> None:
        self._child, self.lost = None, True
        if self._up and time - self._since > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        if self._wanted:
            self._tell("MIDI, OSC and page broke off; they are started again, the sound goes on")
            self._answer({}, None)
        self._later(time)

    def _answer(self, result: Any, error: Exception | None) -> None:
        future = self._request.future
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def quit(self) -> None:
        """Ask it to end, for good."""
        self._wanted = False
        if self._child is not None:
            self._child.send(("close",))
        if self._spare is not None:
            self._spare.kill()

    def kill(self) -> None:
        """End it at once."""
        self._wanted = False
        for process in (self._child, self._spare):
            if process is not None:
                process.kill()


def updated(view: View, changed: Mapping[str, Any]) -> View:
    """A view with what was sent since."""
    return replace(view, **changed)
