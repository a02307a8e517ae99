"""The notes that players play, as shared memory: written after every hop, read by whoever looks.

A row belongs to one player.  Its first word counts hops, so that a player that is bypassed, ends or
is killed is known by its silence; the other 128, one for each MIDI pitch, are 0 or
``128 * onsets + velocity`` (1..127), so that a note struck again is another number.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.int64]
ROWS, PITCHES = 16, 128
SHAPE = (ROWS, 1 + PITCHES)
STILL_SECONDS = 0.25  # without a hop: longer than any block


class Rows:
    """Hands rows to players, the oldest first where there are more players than rows.

    Parameters
    ----------
    memory : ndarray [shape=SHAPE, int64]
        Borrowed; may be shared.
    """

    def __init__(self, memory: Words) -> None:
        self._memory, self._next = memory, 0

    def take(self) -> Words:
        """A row, all of its notes off."""
        row: Words = self._memory[self._next % ROWS]
        self._next += 1
        row[1:] = 0
        return row


class HeardNotes:
    """Looks into the memory; one thread does.

    Parameters
    ----------
    memory : callable
        Returns the memory ``[shape=SHAPE, int64]``, another one after an engine was replaced.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self, memory: Callable[[], Words], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._clock = memory, clock
        self._memory: Words | None = None
        self._hops: Words = np.zeros(ROWS, dtype=np.int64)
        self._moved = np.full(ROWS, -np.inf)

    def look(self) -> Words | None:
        """Words of all notes that sound now ``[ROWS, PITCHES]`` (a copy); None: no player plays.

        Raises
        ------
        RestyleError
            As `memory` does.
        """
        memory, now = self._source(), self._clock()
        hops = memory[:, 0].copy()
        if memory is not self._memory:
            self._memory, self._hops, self._moved = memory, hops, np.full(ROWS, -np.inf)
        self._moved[hops != self._hops] = now
        self._hops = hops
        live = now - self._moved < STILL_SECONDS
        return np.where(live[:, None], memory[:, 1:], 0) if live.any() else None


def held(words: Words) -> dict[int, int]:
    """Velocity of every pitch that sounds, by whatever player."""
    velocities = (words % PITCHES).max(axis=0)
    return {int(p): int(velocities[p]) for p in np.flatnonzero(velocities)}


def changes(before: Words, after: Words) -> list[tuple[int, int]]:
    """Pitch and velocity (0: off) of what brings one look to the next, those that end first.

    A pitch that is struck again ends before it begins.
    """
    if np.array_equal(before, after):
        return []
    struck = (after != before) & (after > 0)
    on, was = (after > 0).any(axis=0), (before > 0).any(axis=0)
    again = struck.any(axis=0)
    begins = np.where(struck, after % PITCHES, 0).max(axis=0)
    ends = [(int(p), 0) for p in np.flatnonzero(was & (again | ~on))]
    return ends + [(int(p), int(begins[p])) for p in np.flatnonzero(again)]
