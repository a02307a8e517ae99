"""What callers have asked for: changes in their order, questions to the engine, answers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from ..session.operations import described
from .view import Pending


class Request:
    """One thing somebody asked for.

    Parameters
    ----------
    number : int
    kind : str
    body : mapping

    Attributes
    ----------
    future : Future
        What the caller waits on.
    since : float [seconds]
        By the machine's monotonic clock, as others read it, too.
    progress : str
        What is done about it just now.
    sent : float [seconds]
        When the engine was asked, by the supervisor's clock.
    """

    def __init__(self, number: int, kind: str, body: Mapping[str, Any]) -> None:
        self.number, self.kind, self.body = number, kind, body
        self.future: Future[Any] = Future()
        self.since, self.progress = time.monotonic(), "waiting"
        self.sent = 0.0


class Ledger:
    """Requests that are not answered yet; the loop's thread alone uses it.

    Answers go out with :meth:`hand_out`, after the new view has been shown.

    Attributes
    ----------
    edits : deque of Request
        Changes that wait, in their order.
    flight : Request or None
        The change the engine makes just now.
    """

    def __init__(self) -> None:
        self.edits: deque[Request] = deque()
        self.flight: Request | None = None
        self._asked: dict[int, Request] = {}
        self._answers: list[tuple[Request, Any, Exception | None]] = []

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Changes that are not made yet."""
        listed = ([self.flight] if self.flight else []) + list(self.edits)
        return tuple(
            Pending(r.number, described(r.body["operation"]), round(r.since, 3), r.progress)
            for r in listed
        )

    def ask(self, request: Request) -> None:
        """The engine has been asked and will answer."""
        self._asked[request.number] = request

    def asked(self, number: int) -> Request | None:
        """The question of that number, which is answered now."""
        return self._asked.pop(number, None)

    def answer(self, request: Request | None, result: Any = None) -> None:
        """It is done."""
        if request is not None:
            self._answers.append((request, result, None))

    def fail(self, request: Request | None, error: Exception) -> None:
        """It cannot be done."""
        if request is not None:
            self._answers.append((request, None, error))

    def engine_lost(self, error: Exception) -> None:
        """Whatever an engine was about to answer, it will not."""
        lost, self.flight = self.flight, None
        self.fail(lost, error)
        for number in list(self._asked):
            self.fail(self._asked.pop(number), error)

    def all_off(self, error: Exception) -> None:
        """Nothing will be answered any more."""
        self.engine_lost(error)
        while self.edits:
            self.fail(self.edits.popleft(), error)

    def hand_out(self) -> None:
        """Give callers their answers."""
        answers, self._answers = self._answers, []
        for request, result, error in answers:
            if request.future.done():
                continue
            if error is not None:
                request.future.set_exception(error)
            else:
                request.future.set_result(result)
