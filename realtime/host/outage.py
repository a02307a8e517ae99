"""Times without sound: why, how long, and when the next attempt is due."""

from __future__ import annotations

from dataclasses import dataclass

from .crew import RETRY_SECONDS
from .watch import Incident

SHORT_SECONDS = 5.0  # of sound: what stops it again is the same trouble
HASTY_SECONDS = 1.0  # of sound: what stops it again is not tried again at once
QUIET_TRIES = 3  # such restarts in a row, after which each is only counted


@dataclass
class Outage:
    """A time without sound.

    Attributes
    ----------
    without : int
        Identity of a stage that is left out of the next attempt; 0 for none.
    planned : bool
        Whether it is part of a change of the device.
    again : int
        How many times in a row sound stopped soon after it was back.
    awaited : bool
        Whether there was no sound yet.
    due : float [seconds]
        When the next attempt may be made, by the supervisor's clock.
    """

    reason: str
    stage: int
    struck: str | None
    began: float
    without: int
    due: float
    planned: bool = False
    failures: int = 0
    again: int = 0
    awaited: bool = False
    pause: float = RETRY_SECONDS[0]

    def follows(self, before: Outage, ended: float) -> None:
        """Another one ended at `ended`: where the sound hardly came back, the pause grows."""
        sound = self.began - ended
        if sound < SHORT_SECONDS:
            self.again = before.again + 1
            if before.again and sound < HASTY_SECONDS:
                self.due = self.began + before.pause
                self.pause = min(2.0 * before.pause, RETRY_SECONDS[1])

    def failed(self, time: float) -> None:
        """An attempt to play again has failed; the next one later."""
        self.failures += 1
        self.due = time + self.pause
        self.pause = min(2.0 * self.pause, RETRY_SECONDS[1])

    def incident(self, time: float) -> Incident | None:
        """What is told and counted of it at its end; nothing where it went as planned."""
        if self.awaited or (self.planned and not self.failures):
            return None
        return Incident(self.reason, self.stage, self.struck, time - self.began)

    @property
    def told(self) -> bool:
        """Whether its incident is told in full; else it is one of many."""
        return self.again < QUIET_TRIES or self.struck is not None
