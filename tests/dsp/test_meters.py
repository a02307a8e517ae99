from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.meters import N_BINS, count_duration, level, percentiles_us

from ..signals import noise, sine


def test_peak_holds_and_decays() -> None:
    meter = np.zeros(2)
    level(np.array([[0.1, -0.8]], dtype=np.float32), meter, 0.5)
    assert meter[0] == pytest.approx(0.8)
    level(np.zeros((1, 2), dtype=np.float32), meter, 0.5)
    assert meter[0] == pytest.approx(0.4)


def test_power_settles_at_the_mean_square_of_all_channels() -> None:
    x = np.concatenate([sine(4800, 1000.0, 0.5), np.zeros((1, 4800), dtype=np.float32)])
    meter = np.zeros(2)
    for _ in range(100):
        level(x, meter, 0.5)
    assert meter[1] == pytest.approx(float(np.mean(x.astype(np.float64) ** 2)), rel=1e-6)


@pytest.mark.parametrize("share", [0.5, 0.99, 0.999])
def test_percentiles_agree_with_numpy_within_a_bin(share: float) -> None:
    durations = np.exp(noise(20000, level=6.0)[0].astype(np.float64)) * 50_000
    histogram = np.zeros(N_BINS, dtype=np.int64)
    for value in durations:
        count_duration(histogram, value)
    (found,) = percentiles_us(histogram, (share,))
    assert found == pytest.approx(float(np.quantile(durations, share)) / 1000, rel=0.025)


def test_extreme_durations_are_counted_not_lost() -> None:
    histogram = np.zeros(N_BINS, dtype=np.int64)
    for value in (-5, 0, 1, 2**62):
        count_duration(histogram, value)
    assert histogram.sum() == 4
    assert histogram[-1] == 1


def test_no_counts_give_zero_percentiles() -> None:
    assert percentiles_us(np.zeros(N_BINS, dtype=np.int64)) == (0.0, 0.0, 0.0)
