"""What was tried, how long the longest took, and what the helper's children used."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import RestyleError
from realtime.trust import admission

HANG_SECONDS = 10.0  # of a processor: the machine may be busy


@dataclass
class Row:
    """One format: inputs, seconds of a processor here and in the helper, memory there [bytes]."""

    inputs: int = 0
    refused: int = 0
    longest: float = 0.0
    hangs: int = 0
    memory: float = 0.0
    was_refused: bool = False


ROWS: dict[str, Row] = {}
_now: list[Row] = []


def tried(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Count each call of a test as one input of the format `name`."""

    def wrap(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def counted(*arguments: Any, **named: Any) -> None:
            row = ROWS.setdefault(name, Row())
            row.inputs += 1
            _now[:] = [row]
            row.was_refused = False
            admission._apart.spent = {}
            begin = time.process_time()
            try:
                test(*arguments, **named)
            finally:
                spent = admission._apart.spent
                took = time.process_time() - begin + spent.get("cpu", 0.0)
                row.refused += row.was_refused
                row.longest = max(row.longest, took)
                row.hangs += took > HANG_SECONDS
                row.memory = max(row.memory, spent.get("memory", 0.0))

        return counted

    return wrap


def taken_or_refused(work: Callable[[], Any], path: Path) -> None:
    """Nothing but a sentence of one line may come of it, and no file beside it."""
    before = set(path.parent.iterdir())
    try:
        work()
    except RestyleError as error:
        text = str(error)
        assert text and "\n" not in text and len(text) < 2000, text
        for row in _now:
            row.was_refused = True
    assert set(path.parent.iterdir()) == before
