"""Figures from rounds that take turns: pooled for the tails, kept apart for the run's own spread.

A *figure* is ``{p50, p99, p99_9, max, n, rounds: {p50: [...], p99: [...]}}``; a *value* is
``{median, low, high, rounds: [...]}``.  Position r in every list is round r of the section, in
which the reference workload was measured, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.rig import spread

Figure = dict[str, Any]
T = TypeVar("T")


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items from position `by` on, then the first ones: nobody is always first."""
    by %= max(1, len(items))
    return [*items[by:], *items[:by]]


class Rounds:
    """Collects durations by key and round.

    Parameters
    ----------
    digits : int
        Decimals that are kept.
    """

    def __init__(self, digits: int = 2) -> None:
        self._found: dict[Hashable, list[npt.NDArray[np.float64]]] = {}
        self._digits = digits

    def add(self, key: Hashable, values: Sequence[float] | npt.NDArray[Any]) -> None:
        """Keep one round's values of `key`."""
        self._found.setdefault(key, []).append(np.asarray(values, dtype=np.float64))

    def __contains__(self, key: Hashable) -> bool:
        return key in self._found

    def figure(self, key: Hashable) -> Figure:
        """All rounds of `key` together, and the median and p99 of each."""
        rounds = self._found[key]
        pooled = np.concatenate(rounds)
        quantiles = np.array([np.quantile(r, (0.5, 0.99)) for r in rounds]).T
        return {
            **spread.of_values(pooled),
            "n": int(pooled.size),
            "rounds": {
                name: [round(float(v), self._digits) for v in row]
                for name, row in zip(("p50", "p99"), quantiles, strict=True)
            },
        }

    def value(self, key: Hashable) -> Figure:
        """One number a round: median, smallest and largest."""
        return value_of([float(np.median(r)) for r in self._found[key]], self._digits + 1)


def value_of(rounds: Sequence[float], digits: int = 3) -> Figure:
    """A value from one number a round."""
    kept = [round(float(v), digits) for v in rounds]
    low, middle, high = float(np.min(kept)), float(np.median(kept)), float(np.max(kept))
    return {"median": round(middle, digits), "low": low, "high": high, "rounds": kept}


def ratio(figure: Figure, reference: Figure) -> Figure:
    """Medians of `figure` over those of `reference`, round by round."""
    pairs = zip(figure["rounds"]["p50"], reference["rounds"]["p50"], strict=True)
    return value_of([a / b for a, b in pairs if b > 0])
