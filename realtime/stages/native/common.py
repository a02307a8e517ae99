"""What the stages of one stream share, whatever path they stand in: the beat, and recorded loops.

Both are counted in the stream's positions, so that a click and a loop go on where another path
takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from ...native.late_numba import njit
from ...native.records import INT, Record, Table

BEAT = Table(
    "beat",
    # whether a metronome plays; where its first beat lies, a beat's length [samples], beats a bar,
    # and until where in the stream it has played
    running=INT, origin=INT, length=INT, bar=INT, until=INT,
)  # fmt: skip
view_beat = BEAT.view
FORGOTTEN = 1 << 16  # samples after which a metronome that plays no more counts for nothing


@njit(nogil=True, error_model="numpy", cache=True)
def is_running(b, at):  # type: ignore[no-untyped-def]
    """Whether a metronome plays about position `at`."""
    return b.running != 0 and b.length > 0 and abs(at - b.until) < FORGOTTEN


class Common:
    """Memory shared by the stages that one builder makes; nothing here is of the audio thread."""

    def __init__(self) -> None:
        self._beats: dict[int, Record] = {}
        self._loops: WeakValueDictionary[tuple[int, ...], Record] = WeakValueDictionary()

    def beat(self, sample_rate: int) -> Record:
        """The beat of paths at a rate; a record of :data:`BEAT`."""
        return self._beats.setdefault(sample_rate, BEAT.make())

    def loop(self, key: tuple[int, ...], make: Callable[[], Record]) -> Record:
        """The loop that a stage recorded in an earlier path, or a new one.

        Parameters
        ----------
        key : tuple of int
            The stage's identity, first, and all that a loop's memory depends on.
        """
        found = self._loops.get(key) if key[0] else None
        if found is None:
            found = self._loops[key] = make()
        return found
