from __future__ import annotations

import numpy as np
import pytest
from realtime.engine.engine import Engine
from realtime.session.config import StreamConfig

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import DeviceError
from realtime.models.streaming import load_model
from realtime.session.session import Session

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import impulse, noise, random_sizes

BLOCKS: list[int | list[int]] = [1, 33, 64, 128, 441, 480, 1024, random_sizes(5)]


def play(x, block, lane: str, make=None, paced: bool = False):  # type: ignore[no-untyped-def]
    model = load_model(make(), x.shape[0]) if make else None
    device = SimulatedDevice(x, 48000, block, paced=paced)
    config = StreamConfig(lane=lane)
    session = Session(config, device, model, channels=x.shape[0])
    session.engine.set_deadline(0.0)  # a busy machine's late hops are to be heard, not replaced
    with session:
        session.wait()
    return session, device


@pytest.mark.parametrize("lane", ["inline", "worker"])
@pytest.mark.parametrize("block", BLOCKS, ids=str)
@pytest.mark.parametrize("make", [None, gru_model, identity_spectrum])
def test_every_lane_and_block_size_plays_the_offline_bits_at_the_declared_time(  # type: ignore[no-untyped-def]
    make, block, lane: str
) -> None:
    x = noise(6400, channels=2)
    session, device = play(x, block, lane, make)
    engine = Engine(load_model(make(), 2) if make else None, channels=2)
    expected = engine.process_hops(x)
    start = session.budget.declared - engine.latency
    y = device.recording[:, start : start + x.shape[1]]
    n = min(y.shape[1], expected.shape[1])
    assert n > 6400 - engine.hop_length
    assert np.array_equal(y[:, :n].view(np.int32), expected[:, :n].view(np.int32))
    counters = session.memory.counters()
    assert counters["ring_underflows"] == counters["concealed_samples"] == 0
    assert counters["ring_overflows"] == 0


@pytest.mark.parametrize("lane", ["inline", "worker"])
@pytest.mark.parametrize("block", BLOCKS, ids=str)
@pytest.mark.parametrize("make", [None, identity_spectrum])
def test_an_impulse_arrives_at_the_declared_time(make, block, lane: str) -> None:  # type: ignore[no-untyped-def]
    at = 2050
    session, device = play(impulse(6400, at), block, lane, make)
    assert int(np.abs(device.recording).argmax()) - at == session.budget.declared


def test_real_time_and_virtual_time_play_the_same_bits() -> None:
    x = noise(9600)
    (_, virtual), (session, real) = (
        play(x, 64, "inline", gru_model, paced) for paced in (False, True)
    )
    assert np.array_equal(virtual.recording, real.recording)
    c = session.memory.counters()
    # the last block is due when its last sample would have been recorded: never early
    due = (c["callbacks"] - 1) * 64 / 48000 * 1e9
    assert c["last_ns"] - c["first_ns"] > due - 64 / 48000 * 1e9 - 50e6
    assert session.callbacks_expected() >= c["callbacks"] - 2


def test_the_tape_is_long_enough_to_hear_the_last_sample() -> None:
    x = noise(1000)
    session, device = play(x, 480, "worker", identity_spectrum)
    declared = session.budget.declared
    y = device.recording[:, declared : declared + 1000]
    assert y.shape == x.shape
    assert np.abs(y - x).max() <= 1e-6


def test_stopping_ends_the_stream_where_it_is() -> None:
    device = SimulatedDevice(noise(48000 * 300), 48000, 128, paced=True)
    with Session(StreamConfig(), device) as session:
        session.wait(0.05)
    assert not device.active
    assert device.recording.shape[1] == device.position < 48000 * 300


@pytest.mark.parametrize("block", [0, -1, [], [64, 0]])
def test_impossible_block_sizes_are_refused(block) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DeviceError, match="block size must be at least 1"):
        SimulatedDevice(noise(10), 48000, block)


def test_no_sound_to_play_is_refused() -> None:
    with pytest.raises(DeviceError, match="no sound to play"):
        SimulatedDevice(np.zeros((1, 0), dtype=np.float32), 48000)
