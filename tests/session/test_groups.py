"""Models in series and side by side: the offline composition, aligned to the sample."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from realtime.models.load import open_model
from realtime.session.operations import Insert, Move, Remove, Set, Swap
from realtime.session.sound import Branch, Stage

from ..graphs import fir_model, identity_spectrum
from ..networks import gru_model
from ..references.cases import CAPTURES
from ..signals import Array, delayed, impulse, noise, sine
from ..sounds import (
    LANES,
    RATE,
    Player,
    effect,
    group,
    heard,
    model,
    on_disk,
    path_of,
    same_bits,
    sound,
    steps,
)

HALF = fir_model(np.array([0.5, 0.0], dtype=np.float32))
LATE = identity_spectrum(512, 256, 64)  # 192 samples
LATER = identity_spectrum(1024, 512, 64)  # 448 samples


def capture(name: str, **more: object) -> Stage:
    return model(on_disk(json.dumps(CAPTURES[name]).encode(), ".nam"), **more)


def alone(stage: Stage, x: Array, hop: int = 64) -> Array:
    """A capture or model stepped by hand, without any of the engine."""
    assert stage.model is not None
    opened = open_model(stage.model, x.shape[0], hop)
    blocks = x.reshape(x.shape[0], 1, -1, opened.card.hop_length).transpose(2, 0, 1, 3)
    y = np.stack([opened.step(np.ascontiguousarray(b)) for b in blocks])
    opened.close()
    return np.ascontiguousarray(y.transpose(1, 2, 0, 3).reshape(x.shape))


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("block", [1, 33, 64, 480])
def test_two_captures_in_series_are_one_after_the_other(lane: str, block: int) -> None:
    x = noise(9600, channels=2)
    first, second = capture("wavenet"), capture("lstm")
    expected = alone(second, alone(first, x))
    assert same_bits(heard(sound(first, second), x, block, lane), expected)
    three = sound(first, second, model(gru_model()))
    assert same_bits(heard(three, x, block, lane), alone(model(gru_model()), expected))


@pytest.mark.parametrize("lane", LANES)
def test_branches_of_different_latency_are_aligned_to_the_longest(lane: str) -> None:
    branches: Sequence[Branch] = [
        Branch((model(HALF),), -6.0),
        Branch((model(LATE),), 0.0),
        Branch((model(LATER), model(HALF)), 2.0),
        Branch((), -20.0),
    ]
    what = sound(group(*branches))
    assert path_of(what).latency == 448
    x = noise(9600)
    gains = [0.5 * 10 ** (-6 / 20), 1.0, 0.5 * 10 ** (2 / 20), 10 ** (-20 / 20)]
    y = heard(what, x, 64, lane)
    assert np.abs(y - sum(gains) * x).max() <= 2e-6  # all four on one another, to the sample
    with Player(what, impulse(9600, 3000), lane=lane) as player:
        came = player.finish()
        assert int(np.abs(came).argmax()) - 3000 == player.declared
        assert np.sort(np.abs(came[0]))[-2] < 1e-5  # nothing beside it


def aligned(stage: Stage, x: Array, late: int) -> Array:
    """A capture alone, the right way up and as late as `late` by itself."""
    assert stage.model is not None
    lag = open_model(stage.model).lag
    y = delayed(alone(stage, x), late - lag.samples)
    return -y if lag.inverted else y


@pytest.mark.parametrize("lane", LANES)
def test_captures_and_models_side_by_side_are_the_delayed_sum(lane: str) -> None:
    x = noise(9600)
    first, second = capture("wavenet"), capture("lstm")
    what = sound(group([first], [second], [model(LATE)]))
    late = max(open_model(s.model).lag.samples for s in (first, second))  # type: ignore[arg-type]
    y = heard(what, x, 64, lane)[:, 4800:]
    expected = aligned(first, x, late) + aligned(second, x, late) + delayed(x, late)
    if late > 192:
        expected = aligned(first, x, late) + aligned(second, x, late) + delayed(x, late - 192)
    assert np.abs(y - expected[:, 4800:]).max() <= 2e-6


def line(taps: list[float]) -> str:
    """A capture that is an impulse response, the newest tap first."""
    data = {"version": "0.5.4", "architecture": "Linear", "weights": taps, "sample_rate": RATE}
    config = {"receptive_field": len(taps), "bias": False}
    return on_disk(json.dumps({**data, "config": config}).encode(), ".nam")


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("turned", [1.0, -1.0])
def test_captures_late_by_themselves_or_upside_down_add_up_and_do_not_comb(
    turned: float, lane: str
) -> None:
    late, early = line([0.0] * 28 + [0.5 * turned]), line([0.0, 0.0, 0.0, -0.4])
    x = noise(9600)
    what = sound(group([model(late)], [model(early)], []))
    path = path_of(what)
    assert path.latency == 0  # of the player; the captures are late by themselves
    assert np.abs(heard(what, x, 64, lane) - delayed(1.9 * x, 28)).max() <= 1e-6
    # one behind the other turn back what the first has turned
    twice = sound(group([model(late), model(late)], []))
    assert np.abs(heard(twice, x, 64, lane) - delayed(1.25 * x, 56)).max() <= 1e-6
    # in a group within a group
    deep = sound(group([group([model(late)], []), model(early)], []))
    assert np.abs(heard(deep, x, 64, lane) - delayed(1.6 * x, 31)).max() <= 1e-6


def test_what_stirs_before_the_sound_does_not_count_as_its_beginning() -> None:
    """The answer of a known capture as the C++ core plays it: ripples first, then upside down."""
    taps = [0.0] * 23 + [-0.05, -0.01, 0.09, 0.09, -0.11, -0.33, -0.32, -0.12, 0.07, 0.11, 0.07]
    there = model(line(taps))
    assert open_model(there.model or "").lag == (28, True)
    x = noise(9600)
    both, alone = heard(sound(group([there], [])), x), heard(sound(there), x)
    power = float(np.square(both).mean())
    assert power > float(np.square(alone).mean() + np.square(x).mean())  # they add up


def test_the_lag_follows_what_stands_in_a_branch() -> None:
    late = line([0.0] * 28 + [-1.0])
    with Player(sound(group([], [], identity=1)), noise(RATE)) as player:
        player.at(6400, Insert(model(late, identity=2), 0, 1, 0))
        player.run_to(19_200)
        player.session.settle()
        player.at(25_600, Remove(2))
        y = player.finish()
    x = player.x
    assert np.abs(y[:, 16_000:25_600] - delayed(2 * x, 28)[:, 16_000:25_600]).max() <= 1e-6
    assert np.abs(y[:, 38_400:RATE] - 2 * x[:, 38_400:]).max() <= 1e-6


def test_a_branch_of_python_plays_the_same_as_alone() -> None:
    x = noise(9600)
    reverb = effect("Reverb", room_size=0.3)
    together = heard(sound(group([reverb], [capture("wavenet")])), x)
    lag = open_model(capture("wavenet").model).lag.samples  # type: ignore[arg-type]
    apart = delayed(heard(sound(reverb), x), lag) + aligned(capture("wavenet"), x, lag)
    assert np.abs(together - apart)[:, lag:].max() <= 1e-6


def test_groups_stand_in_groups() -> None:
    x = noise(9600)
    inner = group([model(HALF)], [model(LATE)])
    what = sound(group([inner, model(HALF)], []), output_gain_db=-6.0)
    assert path_of(what).latency == 192
    gain = 10 ** (-6 / 20)
    assert np.abs(heard(what, x) - gain * (0.75 * x + x)).max() <= 2e-6


@pytest.mark.parametrize("lane", LANES)
def test_a_branches_gain_moves_without_a_step(lane: str) -> None:
    what = sound(group([model(HALF)], []))
    with Player(what, sine(RATE // 2, 100.0, 0.3), lane=lane) as player:
        player.at(4800, Set(1, "2.gain_db", -20.0))
        y, dry = player.finish(), player.dry()
    assert np.allclose(y[:, :4800], 1.5 * dry[:, :4800], atol=1e-6)
    assert np.allclose(y[:, 12_000:], 0.6 * dry[:, 12_000:], atol=1e-5)
    assert steps(y) <= 1.5 * steps(dry) + 0.9 * 0.3 / 64


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("mix", [1.0, 0.5])
def test_stages_inside_a_group_change_while_it_plays(lane: str, mix: float) -> None:
    what = sound(group([model(HALF, identity=2)], [model(HALF, identity=3)], identity=1), mix=mix)
    changes = [
        (Insert(model(LATE, identity=4), 0, 1, 0), 192, 1.0),
        (Swap(3, model(LATER, identity=3)), 448, 1.5),
        (Move(4, 1), 448, 1.5),
        (Set(3, "bypass", 1.0), 448, 1.5),
        (Remove(4), 448, 1.5),
        (Remove(3), 0, 1.5),
        (Insert(group([], [], identity=5), 0, 1, 1), 0, 2.5),
    ]
    with Player(what, sine(len(changes) * 9600 + 9600, 150.0, 0.2), lane=lane) as player:
        base, at = player.declared, 0
        for operation, latency, factor in changes:
            at += 9600
            before = player.device.position
            player.at(at, operation)
            player.run_to(at + 8000)
            player.session.settle()
            assert player.declared == base + latency == player.session.stream.voice.latency
            late = player.declared
            y = player.device.played(at + 6000, at + 8000)
            dry = player.x[:, at + 6000 - late : at + 8000 - late]
            assert np.allclose(y, (1 - mix + mix * factor) * dry, atol=1e-5), operation
            whole = player.device.played(before, at + 8000)
            assert steps(whole) <= 2.5 * steps(player.x) + 2 * 0.5 * np.pi / 960, operation
        player.finish()


def test_the_whole_mix_stays_aligned_through_changes_of_latency() -> None:
    x = noise(RATE)
    with Player(sound(model(HALF), mix=0.5), x) as player:
        player.at(9600, Swap(1, model(LATE, identity=1)))
        y = player.finish()
    late = 192
    assert np.allclose(y[:, :9600], 0.75 * x[:, :9600], atol=1e-6)
    assert np.allclose(y[:, 19_200:RATE], delayed(x, late)[:, 19_200:], atol=1e-5)
