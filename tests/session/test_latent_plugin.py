"""A plug-in with latency moved, removed and brought back: declared, wet and bypass agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime.session.operations import Insert, Move, Operation, Remove, Set
from realtime.session.sound import Stage
from realtime.stages.isolate import probe_apart
from realtime.stages.records import Records

from ..signals import impulse, noise
from ..sounds import Player, effect, plugin, sound

EVERY = 12_000


@pytest.fixture
def late(bundle: Callable[[str], Path], own_cache: Path) -> Stage:
    """A plug-in that states and keeps a latency of 480 samples."""
    path = bundle("delay")
    Records(own_cache).put(probe_apart(path))
    return plugin(path, identity=2, delay_samples=480)


@pytest.mark.parametrize("block", [64, 480])
def test_declared_wet_and_bypass_agree_after_every_step(late: Stage, block: int) -> None:
    plain = effect(
        "PeakFilter", identity=1, engine="pedalboard", gain_db=0.0
    )  # an equaliser that passes the sound
    steps: list[tuple[Operation, int]] = [
        (Move(2, 0), 480),
        (Move(2, 1), 480),
        (Remove(2), 0),
        (Insert(late, 0), 480),
        (Move(2, 9), 480),
        (Set(2, "bypass", 1.0), 480),
        (Set(2, "bypass", 0.0), 480),
        (Remove(1), 480),
        (Insert(plain, 0), 480),
    ]
    x = noise((2 * len(steps) + 3) * EVERY, channels=2)
    with Player(sound(plain, late), x, block) as player:
        base = player.declared - 480
        assert base > 0  # the worker's buffers
        for operation, latency in steps:
            for bypass in (0.0, 1.0):
                begin = player.device.position
                player.session.do(Set(0, "bypass", bypass))
                if bypass == 0.0:
                    player.session.do(operation, wait=False)
                player.run_to(begin + EVERY // block * block)
                player.session.settle()
                assert player.declared == base + latency, operation
                assert player.session.stream.voice.latency == player.declared
                here, by = player.device.position, player.declared
                y = player.device.played(here - 2000, here)
                expected = x[:, here - 2000 - by : here - by]
                assert np.abs(y - expected).max() <= 1e-5, (operation, bypass)
        player.finish()


def test_an_impulse_through_it_arrives_where_it_is_declared(late: Stage) -> None:
    plain = effect("Gain", identity=1, gain_db=0.0)
    for order in (sound(plain, late), sound(late, plain)):
        with Player(order, impulse(9600, 3000, channels=2)) as player:
            y = player.finish()
            assert int(np.abs(y[0]).argmax()) - 3000 == player.declared
