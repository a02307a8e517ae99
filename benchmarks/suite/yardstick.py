"""The reference workload, measured between the things of every round."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import reference
from .rounds import Rounds

CALLS = {"hot": 60, "paced": 40}  # each time it is asked


class Yardstick:
    """Collects the reference's durations by round; :meth:`measure` is called many times in each."""

    def __init__(self) -> None:
        self._rounds: list[dict[str, list[npt.NDArray[np.float64]]]] = []

    def begin_round(self) -> None:
        """A round begins."""
        self._rounds.append({way: [] for way in CALLS})
        self.measure()

    def measure(self) -> None:
        """Run the reference for some milliseconds."""
        for way, calls in CALLS.items():
            self._rounds[-1][way].append(reference.times_us(calls, paced=way == "paced"))

    def figures(self) -> dict[str, Any]:
        """What a section keeps: ``{what, hot_us, paced_us}``."""
        found = Rounds()
        for one in self._rounds:
            for way, chunks in one.items():
                found.add(way, np.concatenate(chunks))
        return {"what": reference.TITLE, **{f"{w}_us": found.figure(w) for w in CALLS}}
