from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from realtime.engine.engine import Engine
from realtime.engine.governor import FADE, SEVERE, TRIP, watch
from realtime.engine.lane import LANE, view_lane
from realtime.engine.layout import REST_SECONDS
from realtime.models.streaming import load_model

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import delayed, noise, sine

RATE = 48000


def lane(**fields: float) -> np.ndarray:
    record = np.zeros(1, dtype=LANE)
    for name, value in {"rest_least": 10, "rest_hops": 10, "rest_most": 80, **fields}.items():
        record[0][name] = value
    return record


@njit
def _watch(address: int, duration: int) -> None:
    watch(view_lane(address), duration)


def spend(record: np.ndarray, *durations: int) -> None:
    for duration in durations:
        _watch(int(record.ctypes.data), duration)


def test_single_late_hops_are_counted_but_forgiven() -> None:
    record = lane(budget_ns=100)
    for _ in range(20):
        spend(record, 101, *[50] * 60)
    assert (record[0]["overruns"], record[0]["trips"]) == (20, 0)


def test_late_hops_in_a_row_trip_and_severe_ones_sooner() -> None:
    record = lane(budget_ns=100)
    spend(record, *[101] * (int(TRIP) - 1))
    assert record[0]["trips"] == 0
    spend(record, 101)
    assert (record[0]["trips"], record[0]["rest_left"]) == (1, 10)
    record = lane(budget_ns=100)
    spend(record, *[100 * SEVERE + 1] * int(TRIP / 2))
    assert record[0]["trips"] == 1


def test_rests_double_up_to_the_longest_and_a_clean_stretch_makes_them_short_again() -> None:
    record = lane(budget_ns=100)
    rests = []
    for _ in range(6):
        spend(record, *[101] * int(TRIP))
        rests.append(int(record[0]["rest_left"]))
    assert rests == [10, 20, 40, 80, 80, 80]
    spend(record, *[50] * (16 * 10 + 1))
    spend(record, *[101] * int(TRIP))
    assert record[0]["rest_left"] == 10


def test_without_a_budget_nothing_is_late() -> None:
    record = lane()
    spend(record, *[10**12] * 50)
    assert record[0]["overruns"] == 0


@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_a_model_that_is_always_late_rests_and_the_dry_sound_keeps_its_latency(make) -> None:  # type: ignore[no-untyped-def]
    engine = Engine(load_model(make()))
    engine.set_deadline(1e-9)
    x = noise(RATE // engine.hop_length * engine.hop_length)
    y = engine.process_hops(x)
    counters = engine.counters()
    assert counters["trips"] >= 1
    assert counters["rested"] >= REST_SECONDS[0] * RATE / engine.hop_length
    assert counters["model_errors"] == 0
    start = int(TRIP) * engine.hop_length + FADE
    # heard again only after a whole unheard stretch, in which it trips once more
    assert np.array_equal(y[:, start:], delayed(x, engine.latency)[:, start:])


def test_going_to_rest_and_coming_back_makes_no_step_beyond_the_signals_own() -> None:
    engine = Engine(load_model(identity_spectrum()))
    x = sine(128 * 300, 440.0, 0.5)
    parts = []
    for k in range(30):
        engine.rest(10 <= k < 20)
        parts.append(engine.process_hops(x[:, k * 1280 : (k + 1) * 1280]))
    y = np.concatenate(parts, axis=1)
    own = np.abs(np.diff(x)).max()
    assert np.abs(np.diff(y)).max() <= own + 2 * 0.5 / FADE
    assert engine.counters()["rested"] == 100


def test_while_it_rests_the_model_is_not_run() -> None:
    engine = Engine(load_model(gru_model()))
    engine.process_hops(noise(6400))
    ran = engine.histogram("model").sum()
    engine.rest(True)
    engine.process_hops(noise(6400))
    assert engine.histogram("model").sum() == ran
