"""Random changes of stages, models and groups: no click, declared = measured, the same again."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from realtime.session.operations import Insert, Move, Operation, Remove, Set, Swap
from realtime.session.sound import Sound, Stage

from ..graphs import fir_model, identity_spectrum
from ..networks import gru_model
from ..signals import Array, noise
from ..sounds import LANES, RATE, Player, effect, group, model, same_bits, sound, steps

EVERY, QUIET, FADE = 9600, 1440, 960
MODELS = (
    fir_model(np.array([0.8, 0.0], dtype=np.float32)),
    fir_model(np.array([-0.7, 0.0], dtype=np.float32)),
    identity_spectrum(512, 256, 64),
    identity_spectrum(1024, 512, 64),
)
EFFECTS = (("Gain", {"gain_db": -3.0}), ("HighpassFilter", {}), ("PeakFilter", {"gain_db": 3.0}))


def tone(samples: int) -> Array:
    """A low sine, in whose small steps little can hide."""
    t = np.arange(samples) / RATE
    return (0.2 * np.sin(2.0 * np.pi * 120.0 * t)).astype(np.float32)[None]


class Choice:
    """Draws operations that can be made on what plays."""

    def __init__(self, seed: int, python: bool) -> None:
        self._draw, self._next, self._python = random.Random(seed), 100, python

    def _identity(self) -> int:
        self._next += 1
        return self._next

    def stage(self, deep: bool = True) -> Stage:
        """A new stage: model, effect or group."""
        kinds = ["model", "model"] + ["effect"] * self._python + ["group"] * deep
        kind = self._draw.choice(kinds)
        if kind == "model":
            return model(self._draw.choice(MODELS), identity=self._identity())
        if kind == "effect":
            name, values = self._draw.choice(EFFECTS)
            return effect(name, identity=self._identity(), **values)
        branches = [
            [self.stage(False) for _ in range(self._draw.randrange(2))]
            for _ in range(self._draw.choice((1, 2)))
        ]
        return group(*branches, identity=self._identity())

    def operation(self, now: Sound) -> Operation:
        """A change of `now`."""
        stages = list(now.walk())
        groups = [s for s in stages if s.group is not None]
        kind = self._draw.choice(["insert", "remove", "move", "swap", "bypass", "mix", "gain"])
        if not stages or (kind == "insert" and len(stages) < 6):
            where = self._draw.choice([*groups, None]) if groups else None
            index = self._draw.randrange(4)
            if where is None or where.group is None:
                return Insert(self.stage(), index)
            branch = self._draw.randrange(len(where.group))
            return Insert(self.stage(False), index, where.identity, branch)
        one = self._draw.choice(stages)
        if kind in ("insert", "remove"):
            return Remove(one.identity)
        if kind == "move":
            return Move(one.identity, self._draw.randrange(4))
        if kind == "swap":
            return Swap(one.identity, self.stage(False))
        if kind == "gain" and groups:
            return Set(self._draw.choice(groups).identity, "1.gain_db", self._draw.uniform(-9, 0))
        if kind == "bypass":
            return Set(one.identity, "bypass", self._draw.choice([0.0, 1.0]))
        return Set(one.identity, "stage_mix", self._draw.random())


def played(seed: int, lane: str, count: int) -> Iterator[tuple[Player, Operation, int]]:
    """Make `count` changes, one each :data:`EVERY` samples, each heard out before it is yielded."""
    start = sound(*[effect("Gain", gain_db=0.0)] * (lane == "auto"), model(MODELS[0]))
    choice = Choice(seed, lane == "auto")
    with Player(start, tone((count + 2) * EVERY), lane=lane) as player:
        for k in range(1, count + 1):
            operation = choice.operation(player.session.now().sound)
            player.at(k * EVERY, operation)
            player.run_to((k + 1) * EVERY)
            player.session.settle()
            yield player, operation, k * EVERY


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("lane", [*LANES, "auto"])
def test_no_change_clicks_and_the_latency_is_as_declared(seed: int, lane: str) -> None:
    found = []
    for player, operation, at in played(seed, lane, 60):
        stream = player.session.stream
        parts = stream.budget.parts
        assert sum(p.samples for p in parts) == player.declared == stream.voice.latency
        assert int(stream.voice.record["latency"]) == player.declared
        assert int(stream.path.record["latency"]) == stream.path.latency
        if at < 2 * EVERY:
            continue
        # a click: a step beyond the signals' own, before and after, and a fade's slope
        device = player.device
        before, stretch = device.played(at - EVERY, at), device.played(at - 1, at + EVERY)
        settled = [before[:, -QUIET:], stretch[:, -QUIET:]]
        loudest = max(np.abs(y).max() for y in settled) + 0.2
        own = max(steps(settled[0]), steps(settled[1]), steps(tone(QUIET)))
        bound = 1.1 * own + 1.5 * 2 * loudest * np.pi / 2 / FADE + 1e-4
        if steps(stretch) > bound:
            found.append((operation, steps(stretch), bound))
    assert found == []


@pytest.mark.parametrize("lane", LANES)
def test_the_dry_sound_arrives_as_declared_after_every_change(lane: str) -> None:
    """Of paths whose stages pass the sound as it is, later: wet and bypass at one place."""
    draw, x = random.Random(4), noise(40 * EVERY)
    late = [identity_spectrum(512, 256, 64), identity_spectrum(1024, 512, 64)]
    with Player(sound(model(late[0])), x, lane=lane) as player:
        for k in range(1, 39, 2):
            stages = player.session.now().sound.stages
            one = draw.choice(stages).identity if stages else 0
            new = model(draw.choice(late), identity=100 + k)
            operation = draw.choice(
                [Insert(new, draw.randrange(3)), Remove(one), Move(one, draw.randrange(3))]
                if stages
                else [Insert(new, 0)]
            )
            for bypass in (0.0, 1.0):
                player.at((k + int(bypass)) * EVERY, Set(0, "bypass", bypass))
                if not bypass:
                    player.session.do(operation, wait=False)
                player.run_to((k + int(bypass)) * EVERY + 8960)
                player.session.settle()
                here, by = player.device.position, player.declared
                y = player.device.played(here - 2000, here)
                assert np.abs(y - x[:, here - 2000 - by : here - by]).max() <= 1e-5, operation
        player.finish()


CHANGES = (
    (3000, Insert(model(MODELS[2], identity=7), 0)),
    (9001, Swap(1, model(gru_model(), identity=1))),
    (9400, Swap(1, model(MODELS[1], identity=1))),  # while the last one is under way
    (14_000, Move(7, 1)),
    (14_100, Insert(group([model(MODELS[0], identity=9)], [], identity=8), 1)),
    (20_000, Remove(7)),
    (20_100, Remove(9)),
)


@pytest.mark.parametrize("block", [64, 33, 480])
def test_changes_at_positions_are_the_same_bits_in_both_lanes_and_again(block: int) -> None:
    x = noise(RATE // 2 * 2)
    runs = []
    for lane in ("inline", "inline", "worker"):
        with Player(sound(model(MODELS[0])), x, block, lane) as player:
            for at, operation in CHANGES:
                player.session.do(operation, at=at, wait=False)
            y = player.finish()
            late = player.declared - player.session.stream.path.latency
            assert [c.operation for c in player.session.log] == [o for _, o in CHANGES]
            places = [c.at for c in player.session.log]
            runs.append((y[:, late : late + x.shape[1]], places))
    for y, places in runs[1:]:
        n = min(y.shape[1], runs[0][0].shape[1])
        assert places == runs[0][1]
        assert same_bits(np.ascontiguousarray(y[:, :n]), np.ascontiguousarray(runs[0][0][:, :n]))
    for (at, _), place in zip(CHANGES, runs[0][1], strict=True):
        assert place is not None and place >= at and place % 64 == 0
