"""Stages that ran when an engine ended: each comes back once, and is left out the second time."""

from __future__ import annotations

from ..session.spec import PLACES, Spec
from .setup_copy import Missing

MOST_STRIKES = 2  # ends of the engine with the same stage running


class Suspects:
    """Counts the ends of engines against the stages that ran."""

    def __init__(self) -> None:
        self._strikes: dict[int, int] = {}

    def strike(self, spec: Spec, identity: int) -> tuple[bool, str | None]:
        """Count one; whether the session has that stage, and its name when it is to stay out."""
        stage = next((s for s in spec.stages if s.identity == identity), None)
        if stage is None:
            return False, None
        self._strikes[identity] = self._strikes.get(identity, 0) + 1
        return True, stage.name if self._strikes[identity] >= MOST_STRIKES else None


def where(spec: Spec, identity: int) -> Missing | None:
    """A stage and its place, to bring it back to."""
    for place in PLACES:
        for index, stage in enumerate(spec.chain(place)):
            if stage.identity == identity:
                return place, index, stage
    return None
