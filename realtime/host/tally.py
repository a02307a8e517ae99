"""Counters of all engines of a session, those that have ended included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..session.stats import XRUNS, callbacks_expected
from .shared_memory import MISSED, Board

_PLAIN = ("callbacks", "deadline_misses", "tap_lost", "journal_lost", "swaps", *XRUNS)


def counts(board: Board, now: Mapping[str, Any]) -> dict[str, int]:
    """What one engine has counted: the callback's words, ``expected``, ``missed``, and
    ``path.NAME`` for the path's own.
    """
    record = board.record[0]
    found = {name: int(record[name]) for name in _PLAIN}
    found["missed"] = int(board.status[MISSED])
    found["expected"] = found["callbacks"] + found["missed"]
    for name, value in zip(now.get("counts", ()), board.engine, strict=False):
        found[f"path.{name}"] = int(value)
    return found


def count_missed(board: Board) -> None:
    """Callbacks that were due by the clock and did not come: in the engine, now and then.

    The count never falls, whatever the size of blocks becomes.
    """
    record = board.record[0]
    read = {k: int(record[k]) for k in ("callbacks", "samples", "first_ns", "last_ns")}
    due = round(callbacks_expected(read, float(record["sample_rate"])))
    board.status[MISSED] = max(int(board.status[MISSED]), due - read["callbacks"])


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Both together."""
    return {k: one.get(k, 0) + other.get(k, 0) for k in {**one, **other}}


def with_past(stats: Mapping[str, Any], past: Mapping[str, int]) -> dict[str, Any]:
    """An engine's figures, see :func:`realtime.session.stats.stats`, with those before it."""
    before = dict.fromkeys(_PLAIN, 0) | dict(past)
    merged = dict(stats)
    for name, key in (
        ("callbacks_expected", "expected"),
        ("callbacks_seen", "callbacks"),
        ("callbacks_missed", "missed"),
        ("deadline_misses", "deadline_misses"),
        ("tap_lost", "tap_lost"),
        ("journal_lost", "journal_lost"),
        ("swaps", "swaps"),
    ):
        merged[name] = stats[name] + before.get(key, 0)
    merged["xruns"] = {k: v + before.get(k, 0) for k, v in stats["xruns"].items()}
    merged["path"] = {k: v + before.get(f"path.{k}", 0) for k, v in stats["path"].items()}
    return merged
