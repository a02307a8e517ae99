"""Why samples were not what they should be: offers in flight, what the engine played and counted.

A :class:`Watch` notes the engine's counters many times a second beside a session; afterwards each
stretch of wrong samples is laid beside the changes that the engine itself logged, the offers that
were under way, and what was counted in it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.errors import RestyleError
from realtime.host.host import Host
from realtime.host.shared_memory import MISSED
from realtime.session.session import Change
from realtime.session.sound import Setup

from .tables import Row

Mask = npt.NDArray[np.bool_]
NAP_SECONDS = 0.01
NEAR = 2400  # samples: wrong ones nearer to each other are one stretch
AFTER = 4800  # samples in which a change back is faded and heard out
BEHIND = 9600  # samples that the engine's own figures may be behind the sound
STREAM = (
    "samples", "longest_gap_ns", "concealed_samples", "ring_underflows", "output_underflows",
    "tap_lost", "deadline_misses",
)  # fmt: skip
PATH = ("errors", "resets", "overruns", "trips", "rested")
LATE = ("trips", "rested", "errors", "concealed_samples", "ring_underflows")
STRETCHES = {
    "at_s": "at s", "samples": "wrong samples", "silent": "of them silent", "why": "why",
    "offers": "offers under way", "counted": "counted by the engine",
}  # fmt: skip


class Offer(NamedTuple):
    """One offer: where it began and ended, in samples of the stream, and what it was."""

    start: int
    end: int
    text: str


class Watch(threading.Thread):
    """Notes counters of a host until stopped; rows are in the order of time.

    A row begins and ends with the stream's position, as it was before and after the rest was read.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(name="watch", daemon=True)
        self._host, self._ended = host, threading.Event()
        self._names = [*STREAM, "missed", *(n for n in host.now["counts"] if n in PATH)]
        self._places = [i for i, n in enumerate(host.now["counts"]) if n in PATH]
        self.rows: list[list[int]] = []
        self.start()

    def run(self) -> None:
        """Look until stopped."""
        while not self._ended.wait(NAP_SECONDS):
            try:
                board = self._host.board
            except RestyleError:  # between two engines
                continue
            record = board.record[0]
            row = [int(record[n]) for n in STREAM] + [int(board.status[MISSED])]
            row += [int(board.engine[i]) for i in self._places]
            row.append(int(record["samples"]))  # it may have waited in between
            if not self.rows or row[0] != self.rows[-1][0]:
                self.rows.append(row)

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    def counted(self, start: int, end: int) -> dict[str, int]:
        """What rose between two positions, and until the engine had written its figures.

        A path that was changed for another counts from 0 again.
        """
        rows = np.array(self.rows, dtype=np.int64).reshape(-1, len(self._names) + 1)
        first = max(0, int(np.searchsorted(rows[:, -1], start)) - 1)
        part = rows[first : int(np.searchsorted(rows[:, 0], end + BEHIND)) + 1, :-1]
        rises = np.maximum(np.diff(part, axis=0), 0).sum(axis=0)
        found = dict(zip(self._names, rises.tolist(), strict=True))
        return {n: v for n, v in found.items() if v and n != "samples"}


def elsewhere(setup: Setup, changes: Sequence[Change]) -> list[tuple[int, int]]:
    """Stretches in which another sound than that of `setup` played, by the engine's own log.

    Positions are the stream's; one that is not back at the end goes on for ever.
    """
    now, found, begin = setup, [], -1
    for change in changes:
        now = change.operation.apply(now)
        if change.sound is not None:
            now = now.with_sound(change.sound)
        away = now.sound != setup.sound
        if away and begin < 0:
            begin = change.position
        elif not away and begin >= 0:
            found.append((begin, change.position + AFTER))
            begin = -1
    return found + ([(begin, np.iinfo(np.int64).max)] if begin >= 0 else [])


def stretches(wrong: Mask) -> list[tuple[int, int]]:
    """Where samples are wrong, those near each other together."""
    places = np.flatnonzero(wrong)
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > NEAR)
    starts = places[np.concatenate([[0], cuts + 1])]
    ends = places[np.concatenate([cuts, [len(places) - 1]])] + 1
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def explained(
    wrong: Mask, silent: Mask, offers: Sequence[Offer], watch: Watch, rate: int
) -> list[Row]:
    """A row of :data:`STRETCHES` for each stretch of wrong samples.

    ``why`` is ``late`` where the engine counted a stage that rested or failed, or sound that came
    too late and was concealed; else ``not explained``.
    """
    rows: list[Row] = []
    for start, end in stretches(wrong):
        counted = watch.counted(start, end)
        meanwhile = [o.text for o in offers if o.start < end + AFTER and o.end > start - AFTER]
        rows.append(
            {
                "at_s": round(start / rate, 3),
                "samples": int(wrong[start:end].sum()),
                "silent": int((wrong & silent)[start:end].sum()),
                "why": "late" if any(counted.get(n) for n in LATE) else "not explained",
                "offers": ", ".join(meanwhile) or "none",
                "counted": ", ".join(f"{n} {v}" for n, v in counted.items()) or "nothing",
            }
        )
    return rows


def longest_run(found: Any) -> int:
    """The most entries that are true one after the other."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], found.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
