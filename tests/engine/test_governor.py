from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numba import njit

from realtime.engine.governor import FADE, SEVERE, TRIP, watch
from realtime.engine.path import Path
from realtime.engine.stage import REST_SECONDS, STAGE, view_stage
from realtime.native.records import Record

from ..graphs import fir_model, identity_spectrum
from ..networks import gru_model, slow_model
from ..signals import delayed, noise, sine
from ..sounds import RATE, effect, model, path_of, sound, steps

HALF = fir_model(np.array([0.5, 0.0], dtype=np.float32))


def stage() -> Record:
    return STAGE.make(hop=1, rest_least=10, rest_length=10, rest_most=80)


@njit
def _watch(address: int, spent: int, budget: int) -> None:
    watch(view_stage(address), spent, budget)


def spend(record: Record, *durations: int) -> None:
    for duration in durations:
        _watch(record.address, duration, 100)


def test_single_late_hops_are_counted_but_forgiven() -> None:
    record = stage()
    for _ in range(20):
        spend(record, 101, *[50] * 60)
    assert (record["overruns"], record["trips"]) == (20, 0)


def test_late_hops_in_a_row_trip_and_severe_ones_sooner() -> None:
    record = stage()
    spend(record, *[101] * (int(TRIP) - 1))
    assert record["trips"] == 0
    spend(record, 101)
    assert (record["trips"], record["rest_left"]) == (1, 10)
    record = stage()
    spend(record, *[100 * SEVERE + 1] * int(TRIP / 2))
    assert record["trips"] == 1


def test_rests_double_up_to_the_longest_and_a_clean_stretch_makes_them_short_again() -> None:
    record = stage()
    rests = []
    for _ in range(6):
        spend(record, *[101] * int(TRIP))
        rests.append(int(record["rest_left"]))
    assert rests == [10, 20, 40, 80, 80, 80]
    spend(record, *[50] * (16 * 10 + 1))
    spend(record, *[101] * int(TRIP))
    assert record["rest_left"] == 10


def test_without_a_deadline_nothing_is_late() -> None:
    subject = path_of(sound(model(gru_model())))
    subject.process_hops(noise(64 * 50))
    assert subject.counters()["overruns"] == 0


@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_a_model_that_is_always_late_rests_and_the_dry_sound_keeps_its_latency(
    make: Callable[[], bytes],
) -> None:
    subject = path_of(sound(model(make())))
    subject.set_deadline(1e-9)
    x = noise(RATE // subject.hop * subject.hop)
    y = subject.process_hops(x)
    counters = subject.counters()
    assert counters["trips"] >= 1
    assert counters["rested"] >= REST_SECONDS[0] * RATE / subject.hop
    assert counters["errors"] == 0
    start = int(TRIP) * subject.hop + FADE
    # heard again only after a whole unheard stretch, in which it trips once more
    assert np.array_equal(y[:, start:], delayed(x, subject.latency)[:, start:])


def test_the_slowest_of_several_models_answers_for_a_late_hop() -> None:
    subject = path_of(sound(model(HALF), model(slow_model())))
    subject.set_deadline(2e-3)  # far less than the one takes, far more than the other
    subject.process_hops(noise(64 * 12))
    quick, slow = (s.placed.record for s in subject.slots())
    assert slow["trips"] >= 1
    assert slow["resting"] == 1
    assert quick["resting"] == 0


def ran(path: Path) -> list[int]:
    """How often each stage's step was called."""
    return [int(s.placed.record.arrays["histogram"].sum()) for s in path.slots()]


def rest(path: Path, on: bool) -> None:
    for slot in path.slots():
        slot.placed.record["rest"] = int(on)


def test_going_to_rest_and_coming_back_makes_no_step_beyond_the_signals_own() -> None:
    subject = path_of(sound(model(identity_spectrum())))
    x = sine(128 * 300, 440.0, 0.5)
    parts = []
    for k in range(30):
        rest(subject, 10 <= k < 20)
        parts.append(subject.process_hops(x[:, k * 1280 : (k + 1) * 1280]))
    y = np.concatenate(parts, axis=1)
    assert steps(y) <= steps(x) + 2 * 0.5 / FADE
    assert subject.counters()["rested"] == 100


def test_while_it_rests_the_model_is_not_run() -> None:
    subject = path_of(sound(model(gru_model())))
    subject.process_hops(noise(6400))
    before = ran(subject)
    rest(subject, True)
    subject.process_hops(noise(6400))
    assert ran(subject) == before == [100]


@pytest.mark.parametrize("python", [False, True])
def test_a_bypassed_model_is_not_run_and_comes_back_from_its_initial_state(python: bool) -> None:
    x = noise(128 * 400)
    extra = [effect("Gain", gain_db=0.0)] if python else []
    subject = path_of(sound(model(identity_spectrum()), *extra))
    slot = next(iter(subject.slots()))
    late, at = subject.latency, [128 * k for k in (100, 200)]
    first = subject.process_hops(x[:, : at[0]])
    slot.record["bypass"] = 1.0
    second = subject.process_hops(x[:, at[0] : at[1]])
    fade = -(-960 // 128)
    assert ran(subject)[0] == 100 + fade
    slot.record["bypass"] = 0.0
    third = subject.process_hops(x[:, at[1] :])
    assert ran(subject)[0] == 100 + fade + 200
    y = np.concatenate([first, second, third], axis=1)
    dry = delayed(x, late)
    away = slice(at[0] + fade * 128, at[1])
    assert np.array_equal(y[:, away], dry[:, away])
    assert np.abs(y - dry).max() <= 1e-5  # what it gives is the sound itself, all along
    assert subject.counters()["resets"] == 1
    assert subject.latency == late
