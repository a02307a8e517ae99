"""Knobs on their way from whoever turns them to the callback."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ConfigError
from ..session.events import to_event
from ..session.operations import Turn
from .facts import Facts


class Knobs:
    """Lays knobs over the copy of the setup and sends them to the engine that plays.

    Parameters
    ----------
    facts : Facts
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._opening: dict[tuple[int, str], float] = {}  # turned since "open" was sent
        self._unheard: dict[tuple[int, str], float] = {}  # that found no room in the queue

    def turn(self, turns: Iterable[Turn], at: int | None = None) -> None:
        """Turn knobs, from position `at` of the stream on."""
        turns = tuple(turns)
        self._facts.copy.turn(turns)
        self._opening |= {(i, p): v for i, p, v in turns}
        self.push(turns, -1 if at is None else at)

    def open(self) -> None:
        """An engine is asked to open the setup as it is now."""
        self._opening = {}

    def catch_up(self) -> None:
        """That engine plays: what was turned since then."""
        self.turn((*key, value) for key, value in self._opening.items())

    def push(self, turns: Iterable[Turn], at: int = -1) -> None:
        """Send knobs to the callback; what finds no room comes later."""
        engine = self._facts.crew.engine
        if engine is None:
            return
        known = self._facts.now.get("parameters", {})
        for identity, parameter, value in turns:
            try:
                event = to_event(identity, parameter, value, known)
            except ConfigError:
                continue  # of a stage that is not there yet, or no more
            key = identity, parameter
            if engine.board.events.push(at, *event):
                self._unheard.pop(key, None)
            else:
                self._unheard[key] = value

    def push_late(self) -> None:
        """Send what found no room."""
        if self._unheard:
            late, self._unheard = self._unheard, {}
            self.push((*key, value) for key, value in late.items())
