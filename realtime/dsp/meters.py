"""Level meters and duration histograms: plain arrays the control side reads while sound runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..native.late_numba import njit

BINS_PER_OCTAVE = 32
N_BINS = 34 * BINS_PER_OCTAVE  # up to 2**34 ns = 17 s, resolved to 2.2 %


@njit(nogil=True, error_model="numpy", cache=True)
def level(block, meter, decay):  # type: ignore[no-untyped-def]
    """Update ``meter = [peak, mean square]``.

    The peak is held and falls by the factor `decay` a block; the mean square is averaged over
    channels and samples with the same time constant.
    """
    peak, power = 0.0, 0.0
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            value = float(block[c, i])
            peak = max(peak, abs(value))
            power += value * value
    power /= block.size
    meter[0] = max(peak, meter[0] * decay)
    meter[1] = power + (meter[1] - power) * decay


@njit(nogil=True, error_model="numpy", cache=True)
def count_duration(histogram, nanoseconds):  # type: ignore[no-untyped-def]
    """Count one duration in a logarithmic `histogram [shape=(N_BINS,), int64]`."""
    position = int(np.log2(max(nanoseconds, 1.0)) * BINS_PER_OCTAVE)
    histogram[min(position, N_BINS - 1)] += 1


def percentiles_us(
    histogram: npt.NDArray[np.int64], shares: tuple[float, ...] = (0.5, 0.99, 0.999)
) -> tuple[float, ...]:
    """Durations in microseconds below which the given shares of all counts lie (0 if none)."""
    total = int(histogram.sum())
    if total == 0:
        return tuple(0.0 for _ in shares)
    cumulated = np.cumsum(histogram)
    places = [int(np.searchsorted(cumulated, share * total)) for share in shares]
    return tuple(float(2.0 ** ((p + 0.5) / BINS_PER_OCTAVE)) / 1000.0 for p in places)


def total_seconds(histogram: npt.NDArray[np.int64]) -> float:
    """Sum of all counted durations, as exact as the bins are narrow [seconds]."""
    centres = 2.0 ** ((np.arange(len(histogram)) + 0.5) / BINS_PER_OCTAVE)
    return float(histogram @ centres) * 1e-9
