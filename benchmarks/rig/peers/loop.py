"""A Python loop that calls a step as an audio callback would: hot, or once a period."""

from __future__ import annotations

import time
from collections.abc import Callable

from realtime.stream.worker import raise_priority

WARM_UP = 50


def time_calls(step: Callable[[], object], calls: int, period_s: float) -> list[float]:
    """Durations of `calls` calls [microseconds]; a period of 0 waits for nothing.

    The thread has the priority that restyle's has, where the system permits it.
    """
    raise_priority()
    for _ in range(WARM_UP):
        step()
    found = []
    due = time.monotonic()
    for _ in range(calls):
        due += period_s
        wait = due - time.monotonic()
        if period_s and wait > 0:
            time.sleep(wait)
        begin = time.perf_counter_ns()
        step()
        found.append((time.perf_counter_ns() - begin) / 1000.0)
    return found
