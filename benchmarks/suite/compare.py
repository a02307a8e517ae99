"""What changed between two runs, told apart from what merely swayed.

Times are divided by the reference workload of the same round, so that two machines, or one machine
on two days, can be compared.  A change counts when the medians differ by more than both runs' own
ranges over their rounds, their references' among them, and by more than :data:`LEAST`.  On the
same processor the times themselves must have changed likewise; what moves the reference alone is
no change.  Counts of missed callbacks when
they differ by more than three standard deviations of a difference of counts; latencies and
verdicts at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .texts import rows_of

LEAST = 0.05
FEWEST_ROUNDS = 3  # with fewer a range says nothing: no flag
KEYS: dict[str, tuple[str, ...]] = {
    "cost": ("model",), "peers": ("model", "peer"), "nam": ("capture", "player"),
    "render": ("model",), "startup": ("model", "start"), "timer": ("what",),
}  # fmt: skip
TIMES = {
    "timer": ("late_us",), "cost": ("hot_us", "paced_us"), "peers": ("hot_us", "paced_us"),
    "nam": ("hot_percent", "paced_percent"), "render": ("times_real_time",),
    "startup": ("total_s",),
}  # fmt: skip
EXACT = {"latency": ("model", "block", "lane"), "round_trip": ("model", "block", "lane")}
COLUMNS = {
    "what": "what", "a": "A", "b": "B", "a_ratio": "A / reference", "b_ratio": "B / reference",
    "change_percent": "change %", "spread_percent": "own spread %", "verdict": "",
}  # fmt: skip
Row = dict[str, Any]


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Row]:
    """Rows of what both runs have; ``verdict`` is empty, ``slower``, ``faster`` or ``CHANGED``."""
    first, second = dict(a), dict(b)
    return [*_times(first, second), *_latencies(first, second), *_misses(first, second)]


def _pairs(a: Row, b: Row, section: str, keys: tuple[str, ...]) -> Iterator[tuple[str, Row, Row]]:
    found = {tuple(r[k] for k in keys): r for r in rows_of(b, section)}
    for row in rows_of(a, section):
        key = tuple(row[k] for k in keys)
        if key in found:
            yield ", ".join(map(str, key)), row, found[key]


def _times(a: Row, b: Row) -> Iterator[Row]:
    for section, names in TIMES.items():
        for what, one, other in _pairs(a, b, section, KEYS[section]):
            for name in names:
                if not one.get(name) or not other.get(name):
                    continue
                for tail in ("p50", "p99") if "p50" in one[name] else ("median",):
                    title = f"{section}: {what}, {name} {tail}"
                    yield _time(a, b, section, title, one, other, name, tail)


def _time(
    a: Row, b: Row, section: str, what: str, one: Row, other: Row, name: str, tail: str
) -> Row:
    ratios = [_ratios(r, section, row, name, tail) for r, row in ((a, one), (b, other))]
    middle = [float(np.median(r)) for r in ratios]
    change = math.log(middle[1] / middle[0]) if min(middle) > 0 else 0.0
    spreads = [math.log(max(r) / min(r)) if min(r) > 0 else math.inf for r in ratios]
    spreads += [_sway(r, section, row, name) for r, row in ((a, one), (b, other))]
    enough = min(len(r) for r in ratios) >= FEWEST_ROUNDS
    limit = max(sum(spreads), LEAST)
    flagged = enough and abs(change) > limit
    if _same_processor(a, b):
        raw = math.log(other[name][tail] / one[name][tail]) if one[name][tail] > 0 else 0.0
        flagged = flagged and abs(raw) > limit and raw * change > 0
    slower = (change > 0) != (name == "times_real_time")
    referenced = _reference(a, section, one) is not None
    return {
        "what": what,
        "a": one[name][tail],
        "b": other[name][tail],
        "a_ratio": round(middle[0], 3) if referenced else None,
        "b_ratio": round(middle[1], 3) if referenced else None,
        "change_percent": round(100 * math.expm1(change), 1),
        "spread_percent": round(abs(100 * math.expm1(math.copysign(min(limit, 10.0), change))), 1),
        "verdict": ("slower" if slower else "faster") if flagged else "",
    }


def _reference(report: Row, section: str, row: Row) -> Row | None:
    kept = row.get("reference") or report["sections"][section].get("reference")
    return dict(kept) if kept else None


def _same_processor(a: Row, b: Row) -> bool:
    return all(a["machine"][k] == b["machine"][k] for k in ("cpu", "cores"))


def _sway(report: Row, section: str, row: Row, name: str) -> float:
    """Logarithm of the range of the reference over the rounds."""
    reference = _reference(report, section, row)
    if reference is None:
        return 0.0
    rounds = reference["paced_us" if name.startswith("paced") else "hot_us"]["rounds"]["p50"]
    return math.log(max(rounds) / min(rounds)) if min(rounds) > 0 else math.inf


def _ratios(report: Row, section: str, row: Row, name: str, tail: str) -> list[float]:
    """Rounds of a figure over the reference's; speeds are multiplied."""
    rounds = row[name]["rounds"]
    values = rounds[tail] if isinstance(rounds, dict) else rounds
    reference = _reference(report, section, row)
    if reference is None:
        return [float(v) for v in values]
    way = "paced_us" if name.startswith("paced") else "hot_us"
    yardstick = reference[way]["rounds"]["p50"]
    if len(yardstick) != len(values):  # measured once beside several rounds, or the other way
        yardstick = [float(np.median(yardstick))] * len(values)
    if name == "times_real_time":
        return [v * y for v, y in zip(values, yardstick, strict=True)]
    return [v / y for v, y in zip(values, yardstick, strict=True)]


def _latencies(a: Row, b: Row) -> Iterator[Row]:
    for section, keys in EXACT.items():
        for what, one, other in _pairs(a, b, section, keys):
            if (one["declared"], one["verdict"]) != (other["declared"], other["verdict"]):
                yield {
                    "what": f"{section}: {what}, declared samples",
                    "a": f"{one['declared']} {one['verdict']}",
                    "b": f"{other['declared']} {other['verdict']}",
                    "verdict": "CHANGED",
                }


def _misses(a: Row, b: Row) -> Iterator[Row]:
    for what, one, other in _pairs(a, b, "glitch", ("contender", "load")):
        m, n = one["missed"], other["missed"]
        due = [max(1, r["expected"]) for r in (one, other)]
        sway = 3.0 * math.sqrt(m / due[0] ** 2 + n / due[1] ** 2)
        difference = n / due[1] - m / due[0]
        changed = abs(difference) > sway and abs(difference) > 0.01
        verdict = ("more missed" if difference > 0 else "fewer missed") if changed else ""
        yield {
            "what": f"glitch: {what}, missed %",
            "a": one["missed_percent"],
            "b": other["missed_percent"],
            "verdict": verdict,
        }
