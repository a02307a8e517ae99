"""The supervisor's end of the process that holds MIDI, OSC and the page.

It is started again whenever it ends, and told what plays.  Whatever happens to it, the sound goes
on.
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

Start = Callable[[Mapping[str, Any], Callable[[Message], None]], Process]


class ControlsLink:
    """One controls process after the other; the loop's thread alone uses it.

    Parameters
    ----------
    start : callable
        Starts a process, given what it is to go on with and who hears its messages.
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
        return self._child is None

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
        changed = view is not self._sent or self.turns != self._sent_turns
        if changed and time - self._sent_at >= SHOW_SECONDS:
            self._show(time, view)

    def _spawn(self, time: float, view: View) -> None:
        own: list[Process] = []

        def heard(message: Message) -> None:
            self._post("controls", own, message)

        try:
            own.append(self._start(view.kept, heard))
        except (OSError, RuntimeError) as error:
            self._tell(f"MIDI, OSC and page cannot be started: {error}; trying again")
            self._later(time)
            return
        self._child, self._up, self.turns, self._sent = own[0], False, 0, None
        self._show(time, view)

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

    def kill(self) -> None:
        """End it at once."""
        self._wanted = False
        if self._child is not None:
            self._child.kill()


def updated(view: View, changed: Mapping[str, Any]) -> View:
    """A view with what was sent since."""
    return replace(view, **changed)
