from __future__ import annotations

import numpy as np
import pytest

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import DeviceError
from realtime.session.session import Session
from realtime.session.sound import Setup, Sound
from realtime.session.stats import callbacks_expected

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import Array, impulse, noise, random_sizes
from ..sounds import LANES, Player, model, offline, path_of, same_bits, sound

BLOCKS: list[int | list[int]] = [1, 33, 64, 128, 441, 480, 1024, random_sizes(5)]


SOUNDS = {
    "pass-through": sound(),
    "gru": sound(model(gru_model())),
    "identity": sound(model(identity_spectrum())),
}


def play(what: Sound, x: Array, block: int | list[int], lane: str, paced: bool = False) -> Player:
    player = Player(what, x, block, lane, paced=paced)
    player.session.stream.path.set_deadline(0.0)  # late hops are to be heard, not replaced
    with player:
        player.finish()
    return player


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("block", BLOCKS, ids=str)
@pytest.mark.parametrize("name", SOUNDS)
def test_every_lane_and_block_size_plays_the_offline_bits_at_the_declared_time(
    name: str, block: int | list[int], lane: str
) -> None:
    what, x = SOUNDS[name], noise(6400, channels=2)
    played = play(what, x, block, lane)
    path, expected = path_of(what), offline(what, x)
    start = played.declared - path.latency
    y = played.device.recording[:, start : start + x.shape[1]]
    n = min(y.shape[1], expected.shape[1])
    assert n > 6400 - path.hop
    assert same_bits(np.ascontiguousarray(y[:, :n]), np.ascontiguousarray(expected[:, :n]))
    counters = played.counters
    assert counters["ring_underflows"] == counters["concealed_samples"] == 0
    assert counters["ring_overflows"] == 0


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("block", BLOCKS, ids=str)
@pytest.mark.parametrize("name", ["pass-through", "identity"])
def test_an_impulse_arrives_at_the_declared_time(
    name: str, block: int | list[int], lane: str
) -> None:
    played = play(SOUNDS[name], impulse(6400, 2050), block, lane)
    assert int(np.abs(played.device.recording).argmax()) - 2050 == played.declared


def test_real_time_and_virtual_time_play_the_same_bits() -> None:
    virtual = play(SOUNDS["gru"], noise(9600), 64, "inline", False)
    for _ in range(5):  # a machine that was busy at the first block calls the others closer
        real = play(SOUNDS["gru"], noise(9600), 64, "inline", True)
        assert np.array_equal(virtual.device.recording, real.device.recording)
        c = real.counters
        # the last block is due when its last sample would have been recorded: never early
        due = (c["callbacks"] - 1) * 64 / 48000 * 1e9
        assert c["last_ns"] - c["first_ns"] > due - 64 / 48000 * 1e9 - 50e6
        if callbacks_expected(c, 48000) >= c["callbacks"] - 2:
            break
    assert callbacks_expected(c, 48000) >= c["callbacks"] - 2


def test_the_tape_is_long_enough_to_hear_the_last_sample() -> None:
    x = noise(1000)
    played = play(SOUNDS["identity"], x, 480, "worker")
    y = played.device.recording[:, played.declared : played.declared + 1000]
    assert y.shape == x.shape
    assert np.abs(y - x).max() <= 1e-6


def test_stopping_ends_the_stream_where_it_is() -> None:
    device = SimulatedDevice(noise(48000 * 300), 48000, 128, paced=True)
    with Session(Setup(), device) as session:
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


@pytest.mark.parametrize("position", [0, 640])
def test_a_card_that_is_held_and_stopped_plays_no_further_block(position: int) -> None:
    for _ in range(20):  # it went on now and then
        device = SimulatedDevice(noise(64_000), 48_000, 64)
        session = Session(Setup(Sound()), device)
        device.hold(0)
        with session:
            device.run_to(position)
        assert device.position == position
        session.stream.path.close()


def test_a_tape_played_round_and_round_is_one_long_sound() -> None:
    what, x = SOUNDS["gru"], noise(6400)
    once = SimulatedDevice(np.tile(x, 3), 48000, 64)
    again = SimulatedDevice(x, 48000, 64, rounds=3)
    for device in (once, again):
        with Session(Setup(what), device) as session:
            session.wait()
        assert device.position >= 3 * 6400
    assert same_bits(again.recording, np.ascontiguousarray(once.recording[:, 12800:19200]))
    kept = again.played(0, 64)
    again.touch()
    assert kept.any()  # a copy
