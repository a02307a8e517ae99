"""What is bypassed rests and comes back as if it had not; what comes in makes no dip."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from realtime.session.operations import Insert, Move, Operation, Remove, Set, Swap
from realtime.session.sound import Stage

from ..graphs import fir_model, identity_spectrum
from ..references.cases import CAPTURES
from ..signals import noise, sine
from ..sounds import LANES, RATE, Player, effect, group, heard, model, on_disk, path_of, sound

LATE = identity_spectrum(512, 256, 64)  # 192 samples
SECOND = RATE
AWAY, BACK = 12_800, 25_600


def capture(name: str, **more: object) -> Stage:
    return model(on_disk(json.dumps(CAPTURES[name]).encode(), ".nam"), **more)


def runs(player: Player) -> dict[int, int]:
    """How often each stage was stepped, by its identity."""
    slots = player.session.stream.path.slots()
    return {s.identity: int(s.placed.record.arrays["histogram"].sum()) for s in slots}


def unity(identity: int = 0) -> Stage:
    return effect("Gain", gain_db=0.0, identity=identity)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(
    "change",
    [
        Insert(unity(3), 1), Insert(group([unity(4)], identity=3), 0), Swap(1, unity(1)),
        Swap(1, effect("Gain", gain_db=0.0, engine="pedalboard", identity=1)), Move(1, 1),
        Remove(1),
    ],
    ids=lambda o: type(o).__name__,
)  # fmt: skip
def test_what_passes_the_sound_unchanged_comes_and_goes_unheard(
    change: Operation, lane: str
) -> None:
    python = isinstance(change, Swap) and change.stage.engine == "pedalboard"
    if lane == "inline" and python:
        pytest.skip("needs the worker")
    with Player(sound(unity(), unity()), sine(SECOND // 2, 440.0, 0.5), lane=lane) as player:
        player.at(6400, change)
        y, dry = player.finish(), player.dry()
    assert np.abs(y - dry).max() <= 0.5e-4


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", ["wavenet", "gated", "lstm"])
def test_a_capture_rests_while_it_is_bypassed_and_is_as_if_it_had_not(
    name: str, whole: bool, lane: str
) -> None:
    x = noise(SECOND)
    what = sound(capture(name))
    steady = heard(what, x, lane=lane)
    identity = 0 if whole else 1
    with Player(what, x, lane=lane) as player:
        player.at(AWAY, Set(identity, "bypass", 1.0))
        player.run_to(AWAY + 4800)
        before = runs(player)
        player.run_to(BACK)
        assert runs(player) == before
        player.at(BACK, Set(identity, "bypass", 0.0))
        y, late, dry = player.finish(), player.declared, player.dry()
        (slot,) = player.session.stream.path.slots()
        memory = slot.stage.settling
    y = y[:, late : late + SECOND]
    assert np.array_equal(y[:, : AWAY - late], steady[:, : AWAY - late])
    dry = dry[:, late:][:, :SECOND]
    # nothing of the stage is heard before it has settled
    away = slice(AWAY + 4800, BACK + memory)
    assert np.abs(y[:, away] - dry[:, away]).max() <= 1e-7
    there = slice(BACK + memory + 256 + 960 + 3 * 64 + 2 * late, SECOND)
    if name == "lstm":
        assert np.abs(y[:, there] - steady[:, there]).max() <= 1e-4
    else:
        assert np.array_equal(y[:, there], steady[:, there])


@pytest.mark.parametrize("lane", LANES)
def test_a_bypassed_group_runs_none_of_its_stages_and_comes_back_clean(lane: str) -> None:
    echo = effect("Delay", delay_seconds=0.02, feedback=0.9, mix=0.5)
    what = sound(group([echo, capture("wavenet")], [capture("gated"), model(LATE)]))
    x = noise(SECOND)
    x[:, AWAY - 6400 : BACK + 12_160] = 0.0
    with Player(what, x, lane=lane) as player:
        player.at(AWAY - 6400, Set(1, "bypass", 1.0))
        player.run_to(AWAY)
        before = runs(player)
        player.run_to(BACK)
        assert runs(player) == before
        player.at(BACK, Set(1, "bypass", 0.0))
        y, late = player.finish(), player.declared
    steady = heard(what, x * (np.arange(SECOND) >= AWAY), lane=lane)
    y = y[:, late : late + SECOND]
    # the delay's tail of before is gone, and everything else is as if it had never been away
    there = slice(BACK + 9600, SECOND)
    assert np.abs(y[:, there] - steady[:, there]).max() <= 1e-6


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("identity", [0, 1])
def test_stages_inside_change_while_all_around_them_rests(lane: str, identity: int) -> None:
    what = sound(group([unity(), unity()], []))
    with Player(what, sine(SECOND, 440.0, 0.2), lane=lane) as player:
        player.at(3200, Set(identity, "bypass", 1.0))
        for k, change in enumerate(
            (Move(2, 1), Swap(2, unity(2)), Insert(unity(7), 0, 1, 1), Remove(3))
        ):
            player.at(6400 + 6400 * k, change)
        player.run_to(32_000)
        player.session.settle()
        before = runs(player)
        player.run_to(38_400)
        assert runs(player) == before
        player.at(38_400, Set(identity, "bypass", 0.0))
        y, dry = player.finish(), player.dry()
    assert np.allclose(y[:, 6400:38_400], dry[:, 6400:38_400], atol=1e-6)
    assert np.allclose(y[:, 44_800:], 2 * dry[:, 44_800:], atol=1e-6)


def test_python_stages_of_a_bypassed_group_rest_and_forget() -> None:
    echo = effect("Delay", engine="pedalboard", delay_seconds=0.02, feedback=0.9, mix=0.5)
    x = noise(SECOND)
    x[:, AWAY - 6400 :] = 0.0
    with Player(sound(group([echo], [capture("wavenet")])), x) as player:
        player.at(AWAY - 6400, Set(1, "bypass", 1.0))
        player.run_to(AWAY)
        slot = player.session.stream.path.slot(2)
        assert slot is not None
        calls: list[int] = []
        process = slot.stage.process  # type: ignore[attr-defined]
        slot.stage.process = lambda b: (calls.append(1), process(b))[1]  # type: ignore[attr-defined]
        player.run_to(BACK)
        assert not calls
        player.at(BACK, Set(1, "bypass", 0.0))
        y = player.finish()
        assert calls
    silence = heard(sound(group([], [capture("wavenet")])), np.zeros_like(x))[0, -1]
    assert np.abs(y[:, BACK:SECOND] - silence).max() < abs(silence) + 1e-6
    assert np.allclose(y[:, -9600:], silence, atol=1e-6)


def test_resting_allocates_nothing_in_python() -> None:
    path = path_of(sound(group([capture("wavenet")], [capture("gated")])), block=64)
    x = noise(64)
    y = path.process(x)
    path.record["idle"] = 1
    path.process(x)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(50):
        path.process(x)
    grown = tracemalloc.take_snapshot().compare_to(before, "filename")
    tracemalloc.stop()
    assert sum(s.size_diff for s in grown if "realtime" in s.traceback[0].filename) < 2 * y.nbytes


def test_a_path_with_python_stages_flushes_denormals_as_the_callback_does() -> None:
    halves = [model(fir_model(np.array([0.5, 0.0], dtype=np.float32))) for _ in range(2)]
    python = effect("Gain", engine="pedalboard", gain_db=0.0)
    tiny = np.full((1, 6400), 1.5e-38, dtype=np.float32)
    with_python = path_of(sound(*halves, python)).process_hops(tiny)
    assert np.array_equal(with_python, path_of(sound(*halves)).process_hops(tiny))
    assert not with_python.any()
    assert (tiny * np.float32(0.5)).all()  # and not outside
