"""Figures of rounds against NumPy, and the yardstick against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from benchmarks.suite import reference
from benchmarks.suite.rounds import Rounds, ratio, rotated, value_of
from benchmarks.suite.yardstick import CALLS, Yardstick


def test_figures_pool_tails_and_keep_rounds() -> None:
    rng = np.random.default_rng(0)
    rounds = [rng.gamma(2.0, 50.0, n) for n in (900, 1100, 1000)]
    found = Rounds(digits=4)
    for values in rounds:
        found.add("a", values)
    figure, pooled = found.figure("a"), np.concatenate(rounds)
    assert figure["n"] == 3000
    assert figure["p99"] == pytest.approx(np.quantile(pooled, 0.99), abs=0.01)
    assert figure["max"] == pytest.approx(pooled.max(), abs=0.01)
    assert figure["rounds"]["p50"] == pytest.approx([np.median(r) for r in rounds], abs=1e-3)
    assert figure["rounds"]["p99"] == pytest.approx(
        [np.quantile(r, 0.99) for r in rounds], abs=1e-3
    )


def test_a_ratio_is_taken_round_by_round() -> None:
    """A machine that is twice as slow in one round changes no ratio."""
    found = Rounds()
    for speed in (1.0, 2.0, 1.0):
        found.add("work", np.full(9, 30.0 * speed))
        found.add("reference", np.full(9, 10.0 * speed))
    got = ratio(found.figure("work"), found.figure("reference"))
    assert got == {"median": 3.0, "low": 3.0, "high": 3.0, "rounds": [3.0, 3.0, 3.0]}


def test_values_and_turns() -> None:
    assert value_of([3.0, 1.0, 2.0]) == {
        "median": 2.0,
        "low": 1.0,
        "high": 3.0,
        "rounds": [3.0, 1.0, 2.0],
    }
    assert [rotated("abc", k) for k in range(4)] == [list(t) for t in ("abc", "bca", "cab", "abc")]


def test_the_yardstick_is_the_filter_it_says() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, reference.BLOCK + reference.TAPS).astype(np.float32)
    taps = rng.uniform(-1, 1, reference.TAPS).astype(np.float32) / reference.TAPS
    y, signal = np.zeros(reference.BLOCK, np.float32), x.copy()
    reference._work(x, taps, y)
    for r in range(reference.REPEATS):  # each time one sample becomes another
        expected = lfilter(taps[::-1], 1.0, signal.astype(np.float64))[reference.TAPS - 1 :]
        expected = expected[: reference.BLOCK]
        signal[r] = 0.5 * expected[r] + 0.1
    assert y == pytest.approx(expected, abs=1e-5)


def test_the_yardstick_counts_every_call_of_a_round() -> None:
    stick = Yardstick()
    for _ in range(2):
        stick.begin_round()
        stick.measure()
    figures = stick.figures()
    for way, calls in CALLS.items():
        assert figures[f"{way}_us"]["n"] == 2 * 2 * calls
        assert len(figures[f"{way}_us"]["rounds"]["p50"]) == 2
        assert figures[f"{way}_us"]["p50"] > 1.0
