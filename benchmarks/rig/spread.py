"""The statistics of every table: median, p99, p99.9 and the largest value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.dsp.meters import BINS_PER_OCTAVE, N_BINS, percentiles_us

KEYS = ("p50", "p99", "p99_9", "max")


def of_values(values_us: Sequence[float] | npt.NDArray[Any]) -> dict[str, float]:
    """Spread of single durations [microseconds]; zeros when there are none."""
    values = np.asarray(values_us, dtype=np.float64)
    if values.size == 0:
        return dict.fromkeys(KEYS, 0.0)
    found = [*np.quantile(values, (0.5, 0.99, 0.999)), values.max()]
    return {k: round(float(v), 2) for k, v in zip(KEYS, found, strict=True)}


def of_histogram(histogram: npt.NDArray[np.int64]) -> dict[str, float]:
    """Spread of a log histogram of :mod:`realtime.dsp.meters`, to its 2.2 % bins."""
    used = np.flatnonzero(histogram)
    largest = 2.0 ** ((used[-1] + 1) / BINS_PER_OCTAVE) / 1000.0 if used.size else 0.0
    found = [*percentiles_us(histogram), largest]
    return {k: round(float(v), 2) for k, v in zip(KEYS, found, strict=True)}


def sparse(histogram: npt.NDArray[np.int64]) -> list[list[int]]:
    """Write a histogram as ``[bin, count]`` pairs, for JSON."""
    return [[int(i), int(histogram[i])] for i in np.flatnonzero(histogram)]


def dense(histograms: Sequence[list[list[int]]]) -> npt.NDArray[np.int64]:
    """Sum of :func:`sparse` histograms."""
    total = np.zeros(N_BINS, dtype=np.int64)
    for pairs in histograms:
        for position, count in pairs:
            total[position] += count
    return total
