from __future__ import annotations

import threading

import numpy as np
import pytest
from numba import njit

from realtime.dsp.clock import (
    CLOCK,
    COUNT,
    PERIOD,
    SHOWN_SIZE,
    TIME,
    count_at,
    look,
    restart,
    show,
    tick,
    view_clock,
)


def clock_record(rate: int = 48000) -> tuple[np.ndarray, np.ndarray]:
    record, words = np.zeros(1, dtype=CLOCK), np.zeros((2, SHOWN_SIZE), dtype=np.int64)
    record["nominal_ns"], record["shown"] = 1e9 / rate, words.ctypes.data
    return record, words


@pytest.mark.parametrize("begin", [0, 10**12, 2**62])
def test_the_clock_finds_rate_and_time_among_late_stamps(begin: int) -> None:
    record, words = clock_record()
    k, rng = record[0], np.random.default_rng(1)
    true_ns = 1e9 / 48000 / (1 + 800e-6)
    for i in range(40_000):
        late = rng.exponential(100_000) if i % 50 != 49 else rng.uniform(5e6, 2e7)
        tick(k, 64 * i, begin + int(64 * i * true_ns + late))
    assert k["period_ns"] == pytest.approx(true_ns, rel=3e-6)
    error = (int(k["ns"]) - begin) - 64 * 39_999 * true_ns
    assert error == pytest.approx(100_000, abs=15_000)  # the mean lateness cannot be told from time
    assert int(k["outliers"]) >= 700 and int(k["steps"]) == 0
    show(k, 5)
    assert look(words[0].ctypes.data, words[1].ctypes.data)
    ahead = count_at(words[1].ctypes.data, int(k["ns"]) + 10**9, 0.0)
    assert ahead == pytest.approx(1e9 / k["period_ns"], rel=1e-9)


def test_the_clock_steps_when_time_was_lost_for_good() -> None:
    record, _ = clock_record()
    k = record[0]
    for i in range(8000):
        tick(k, 64 * i, int(64 * i / 48000 * 1e9) + (30_000_000 if i >= 7000 else 0))
    assert int(k["steps"]) == 1
    assert int(k["ns"]) == pytest.approx(64 * 7999 / 48000 * 1e9 + 3e7, abs=10)


@njit(nogil=True)
def show_many(address, rounds):  # type: ignore[no-untyped-def]
    k = view_clock(address)
    for i in range(1, rounds):
        k.count, k.ns, k.period_ns = i, 3 * i, float(i % 1024)
        show(k, 5 * i)


@njit(nogil=True)
def look_many(slots, copy, words, last):  # type: ignore[no-untyped-def]
    """Look until the last state shows; how many looks were torn or went back."""
    wrong, before = 0, 0
    while before < last:
        if look(slots, copy):
            i = words[COUNT]
            torn = words[TIME] != 3 * i or words[PERIOD] != (i % 1024) << 32
            wrong += 1 if torn or i < before else 0
            before = i
    return wrong


def test_two_threads_share_a_clock_untorn() -> None:
    record, words = clock_record()
    rounds = 300_000
    writer = threading.Thread(target=show_many, args=(record.ctypes.data, rounds))
    show_many(record.ctypes.data, 2)
    writer.start()
    wrong = look_many(words[0].ctypes.data, words[1].ctypes.data, words[1], rounds - 1)
    writer.join()
    assert wrong == 0


def test_a_restarted_clock_keeps_its_period() -> None:
    record, _ = clock_record()
    k = record[0]
    for i in range(20_000):
        tick(k, 64 * i, int(64 * i * 20_000.0))
    period = float(k["period_ns"])
    restart(k, 0, 5)
    assert (float(k["period_ns"]), int(k["ns"])) == (period, 5)
    assert period == pytest.approx(20_000.0, rel=1e-6)
