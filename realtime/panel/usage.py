"""Processor time, hop times and counters of a running host, from shared memory alone."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..dsp.meters import percentiles_us, total_seconds
from ..errors import RestyleError
from ..host.front import Front
from ..host.shared_memory import MODE
from ..host.tally import added, counts
from ..session.stats import XRUNS
from ..stream.voice import WORKER

WINDOW_SECONDS = 2.0
EVERY_SECONDS = 0.2  # between two looks at the histogram

_MORE = ("deadline_misses", "missed", "concealed", "restarts")


def _nothing() -> dict[str, Any]:
    return {"cpu_percent": 0.0, "hop_us": {"p50": 0.0, "p99": 0.0, "budget": 0.0}}


class _Look(NamedTuple):
    time: float
    board: object
    busy_ns: int
    hops: npt.NDArray[np.int64]


class Figures:
    """What the engine counts, over the last :data:`WINDOW_SECONDS` where that makes sense.

    Nothing is asked of the engine, so this answers while a model is being changed; any thread
    may call.
    """

    def __init__(self, host: Front) -> None:
        self._host = host
        self._looks: deque[_Look] = deque()
        self._lock = threading.Lock()
        self._last: dict[str, Any] = _nothing()
        self._counted = dict.fromkeys((*XRUNS, *_MORE), 0)
        self.costs: dict[str, float] = {}

    def look(self) -> None:
        """Note what the engine has counted so far; called while nobody reads, too."""
        now = time.monotonic()
        with self._lock:
            if not self._looks or now - self._looks[-1].time >= EVERY_SECONDS:
                self._look(now)

    def read(self) -> dict[str, Any]:
        """``cpu_percent``, ``hop_us`` and ``counters``."""
        self.look()
        try:
            view, board = self._host.shown
        except RestyleError:  # an engine is being replaced
            return {**self._last, "counters": dict(self._counted)}
        found = added(view.past, counts(board, view.now))
        counters = {k: found[k] for k in (*XRUNS, "deadline_misses", "missed")}
        counters["concealed"] = counters["concealed_samples"]
        counters["restarts"] = len(view.incidents)
        self._counted = counters
        return {**self._last, "counters": dict(counters)}

    def _look(self, now: float) -> None:
        try:
            board = self._host.board
        except RestyleError:
            return
        record = board.record[0]
        busy = int(record["busy_ns"])
        if int(board.status[MODE]) == WORKER:
            busy += int(record["worker_ns"])
        look = _Look(now, board, busy, board.hops.copy())
        looks = self._looks
        if looks and now - looks[-1].time > WINDOW_SECONDS:  # nobody looked for a while
            looks.clear()
            self._last = _nothing()  # not what was long ago
        looks.append(look)
        while len(looks) > 2 and now - looks[0].time > WINDOW_SECONDS:
            looks.popleft()
        while looks[0].board is not board:  # another engine
            looks.popleft()
        first = looks[0]
        elapsed, busy = now - first.time, look.busy_ns - first.busy_ns
        hops = look.hops - first.hops
        if elapsed <= 0.0 or busy < 0 or hops.min() < 0:  # another voice or lane: begin anew
            looks.clear()
            looks.append(look)
            return
        p50, p99 = percentiles_us(hops, (0.5, 0.99))
        self._last = {
            "cpu_percent": round(1e-7 * busy / elapsed, 2),
            "hop_us": {"p50": round(p50, 1), "p99": round(p99, 1), "budget": self._budget()},
        }
        self._remember(hops)

    def _budget(self) -> float:
        """Time a hop has [microseconds]: its own length, or the block's in the callback."""
        plays = self._host.now
        hop, rate = plays.get("hop_length"), plays.get("path_rate")
        if not hop or not rate:
            return 0.0
        block = plays.get("device", {}).get("block_size")
        length = hop / rate
        if plays.get("lane") == "inline" and block:
            length = min(length, block / plays["device"]["sample_rate"])
        return round(1e6 * length, 1)

    def _remember(self, hops: npt.NDArray[np.int64]) -> None:
        """What a model that plays alone costs here, for the list of models."""
        view, many = self._host.view, int(hops.sum())
        if len(view.setup.sound.stages) == 1 and view.style is not None and many > 100:
            mean, plays = total_seconds(hops) / many, view.now
            cost = 100.0 * mean * plays["path_rate"] / plays["hop_length"]
            self.costs[view.style] = round(cost, 2)
