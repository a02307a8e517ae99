"""Processor time, hop times and counters of a running host, from shared memory alone."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..dsp.meters import percentiles_us, total_seconds
from ..host.host import Host
from ..host.shared_memory import MODE
from ..session.stats import XRUNS, callbacks_expected
from ..stream.voice import WORKER

WINDOW_SECONDS = 2.0
EVERY_SECONDS = 0.2  # between two looks at the histogram

_NO_HOPS = {"p50": 0.0, "p99": 0.0, "budget": 0.0}


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

    def __init__(self, host: Host) -> None:
        self._host = host
        self._looks: deque[_Look] = deque()
        self._lock = threading.Lock()
        self._last: dict[str, Any] = {"cpu_percent": 0.0, "hop_us": dict(_NO_HOPS)}
        self.costs: dict[str, float] = {}

    def read(self) -> dict[str, Any]:
        """``cpu_percent``, ``hop_us`` and ``counters``."""
        board = self._host.board
        now = time.monotonic()
        with self._lock:
            if not self._looks or now - self._looks[-1].time >= EVERY_SECONDS:
                self._look(now)
        try:
            record = board.record[0]
            counters = {k: int(record[k]) for k in XRUNS}
            counters["deadline_misses"] = int(record["deadline_misses"])
            counters["missed"] = self._missed(record)
        except (IndexError, ValueError):  # the board has just been given back
            counters = {**dict.fromkeys(XRUNS, 0), "deadline_misses": 0, "missed": 0}
        counters["concealed"] = counters["concealed_samples"]
        counters["restarts"] = len(self._host.incidents)
        return {**self._last, "counters": counters}

    def _missed(self, record: Any) -> int:
        """Callbacks that were due, by the clock, and did not come."""
        if not self._host.now.get("device", {}).get("paced", True):
            return 0
        counters = {k: int(record[k]) for k in ("callbacks", "samples", "first_ns", "last_ns")}
        expected = callbacks_expected(counters, float(record["sample_rate"]))
        return max(0, round(expected) - counters["callbacks"])

    def _look(self, now: float) -> None:
        board = self._host.board
        try:
            record = board.record[0]
            busy = int(record["busy_ns"])
            if int(board.status[MODE]) == WORKER:
                busy += int(record["worker_ns"])
            look = _Look(now, board, busy, board.hops.copy())
        except (IndexError, ValueError):
            return
        looks = self._looks
        if looks and now - looks[-1].time > WINDOW_SECONDS:  # nobody looked for a while
            looks.clear()
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
        hop, rate = plays.get("hop_length"), plays.get("model_rate")
        if not hop or not rate:
            return 0.0
        block = plays.get("device", {}).get("block_size")
        length = hop / rate
        if plays.get("lane") == "inline" and block:
            length = min(length, block / plays["device"]["sample_rate"])
        return round(1e6 * length, 1)

    def _remember(self, hops: npt.NDArray[np.int64]) -> None:
        """What the model that plays costs here, for the list of models."""
        plays, many = self._host.now, int(hops.sum())
        if plays.get("model") and many > 100:
            mean = total_seconds(hops) / many
            cost = 100.0 * mean * plays["model_rate"] / plays["hop_length"]
            self.costs[str(plays["model"])] = round(cost, 2)
