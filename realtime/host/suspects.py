"""Stages that ran when an engine ended: each comes back once, and is left out the second time."""

from __future__ import annotations

from ..session.sound import Sound

MOST_STRIKES = 2  # ends of the engine with the same stage running


class Suspects:
    """Counts the ends of engines against the stages that ran."""

    def __init__(self) -> None:
        self._strikes: dict[int, int] = {}

    def strike(self, sound: Sound, identity: int) -> tuple[bool, str | None]:
        """Count one; whether the sound has that stage, and its name when it is to stay out."""
        stage = sound.find(identity) if identity else None
        if stage is None:
            return False, None
        self._strikes[identity] = self._strikes.get(identity, 0) + 1
        return True, stage.name if self._strikes[identity] >= MOST_STRIKES else None
