"""Whether sound goes on, from the numbers on the board alone.

Time is counted twice: by the engine's own beats, which come slower on a starved machine, and by the
supervisor's.  An engine that gets no processor time is late, not broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..stream.voice import WORKER
from .shared_memory import HEARTBEAT, MODE, WORK, Board

SOUND_SECONDS = 0.4  # without a callback, or without a block from a worker that is called
SOUND_BEATS = 30  # and so many beats of its pulse meanwhile
PULSE_SECONDS = 3.0  # without a callback and without a beat
START_SECONDS = 60.0  # a start that uses no processor time and tells nothing
LONGEST_LOOK = 0.1  # seconds that one look counts for, however late it comes


@dataclass(frozen=True)
class Incident:
    """One end of an engine process.

    Attributes
    ----------
    reason : str
    stage : int
        Identity of the stage that ran, 0 for none.
    left_out : str or None
        The stage that is left out from now on.
    seconds : float
        From the notice to sound from another engine.
    """

    reason: str
    stage: int
    left_out: str | None
    seconds: float

    def sentence(self) -> str:
        """What to tell a person."""
        text = f"the engine was restarted in {self.seconds:.2f} s: {self.reason}"
        return text + (f"; '{self.left_out}' is left out" if self.left_out else "")


class Counted:
    """A count on the board: how long it has stood still."""

    def __init__(self) -> None:
        self.seen, self.seconds, self.beats = 0, 0.0, 0

    def look(self, value: int, elapsed: float, beats: int) -> None:
        """Take what it is now."""
        if value != self.seen:
            self.seen, self.seconds, self.beats = value, 0.0, 0
        else:
            self.seconds += elapsed
            self.beats += beats


class Watch:
    """Looks at one engine's board.

    Parameters
    ----------
    board : Board
    time : float [seconds]
        When it begins.
    used : callable
        Processor time of the engine's process [ns], for as long as it does not say so itself.
    """

    def __init__(self, board: Board, time: float, used: Callable[[], int] = lambda: 0) -> None:
        self._board, self._time, self._used = board, time, used
        self._callbacks, self._worker, self._beat = Counted(), Counted(), Counted()
        self._work, self._beats = Counted(), 0

    def begin(self, time: float) -> None:
        """It plays from now on."""
        self._callbacks, self._worker, self._beat = Counted(), Counted(), Counted()
        self._time = time

    def told(self) -> None:
        """It has told something, so it gets on."""
        self._work = Counted()

    def look(self, time: float) -> None:
        """Take the numbers as they are now."""
        elapsed, self._time = min(LONGEST_LOOK, time - self._time), time
        status, record = self._board.status, self._board.record[0]
        beat = int(status[HEARTBEAT])
        beats, self._beats = max(0, beat - self._beats), beat
        self._beat.look(beat, elapsed, 0)
        self._callbacks.look(int(record["callbacks"]), elapsed, beats)
        if status[MODE] != WORKER:  # the next worker is given as long as any other
            self._worker = Counted()
        self._worker.look(int(record["worker_blocks"]), elapsed, beats)
        self._work.look(int(status[WORK]) or self._used(), elapsed, beats)

    @property
    def stuck(self) -> bool:
        """Whether a start has got nowhere for :data:`START_SECONDS`."""
        return self._work.seconds > START_SECONDS

    @property
    def silent(self) -> str | None:
        """Why there is no sound from an engine that plays; None where there is."""
        if self._stands(self._callbacks):
            return "the device stopped calling"
        if self._callbacks.seconds > PULSE_SECONDS and self._beat.seconds > PULSE_SECONDS:
            return "it hangs"
        if (
            self._board.status[MODE] == WORKER
            and self._stands(self._worker)
            and self._callbacks.seconds < SOUND_SECONDS
        ):
            return "a stage hangs"
        return None

    @staticmethod
    def _stands(count: Counted) -> bool:
        return count.seen > 0 and count.seconds > SOUND_SECONDS and count.beats >= SOUND_BEATS
