"""Changes while sound plays: models, lanes and engines, by position and without a click."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError, StreamError
from realtime.models.streaming import load_model
from realtime.session.config import StreamConfig
from realtime.session.session import Session
from realtime.stages.chain import Chain
from realtime.stages.effects import EffectStage, make_plugin

from ..graphs import fir_model, identity_spectrum
from ..networks import gru_model
from ..signals import Array, delayed, noise, sine

RATE, BLOCK = 48000, 64
LOUD = np.array([1.5, 0.0], dtype=np.float32)
SOFT = np.array([0.25, 0.0], dtype=np.float32)
TURNED = np.array([-0.8, 0.0], dtype=np.float32)


def fir(taps: Array, hop: int = 64) -> Any:
    return load_model(fir_model(taps, hop))


def steps(y: Array) -> float:
    return float(np.abs(np.diff(y)).max())


def gain_chain(db: float = 0.0) -> Chain:
    return Chain([EffectStage(make_plugin("Gain", {"gain_db": db}))])


class Stage:
    """A session on a simulated device that waits where the test says."""

    def __init__(self, x: Array, model: Any, lane: str = "inline", **more: Any) -> None:
        self.device = SimulatedDevice(x, RATE, BLOCK)
        self.session = Session(StreamConfig(lane=lane), self.device, model, **more)
        self.device.hold(0)

    def __enter__(self) -> Stage:
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop()

    def at(self, position: int, change: Callable[[], None]) -> None:
        self.device.run_to(position)
        assert self.device.position == position
        change()

    def finish(self) -> Array:
        self.device.hold(None)
        self.session.wait()
        return self.device.recording


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_a_swap_crossfades_to_the_very_sound_of_the_new_model(lane: str) -> None:
    x = sine(RATE // 2, 300.0, 0.4)
    with Stage(x, fir(LOUD), lane) as stage:
        stage.at(9600, lambda: stage.session.swap(fir(TURNED)))
        y = stage.finish()
        declared = stage.session.budget.declared
        assert stage.session.memory.record["swap_position"] == 9600
        assert stage.session.memory.record["swaps"] == 1
        assert stage.session.memory.counters()["concealed_samples"] == 0
    dry = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared)
    fade_from = 9600
    assert np.array_equal(y[:, :fade_from], 1.5 * dry[:, :fade_from])
    settled = 9600 + declared + 4800
    assert np.array_equal(y[:, settled:], np.float32(-0.8) * dry[:, settled:])
    # between: never louder than the louder, no step above what the two signals have
    assert np.abs(y).max() <= np.abs(1.5 * dry).max() + 1e-6
    assert steps(y) <= 1.5 * steps(dry) + 2.3 * 0.4 * np.pi / 2 / 960


def test_a_swap_to_a_model_with_another_latency_declares_it() -> None:
    x = noise(RATE // 2)
    with Stage(x, fir(LOUD)) as stage:
        stage.at(9600, lambda: stage.session.swap(load_model(identity_spectrum(512, 256, 128))))
        y = stage.finish()
        assert stage.session.engine.latency == 128
        declared = stage.session.budget.declared
    expected = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared)
    assert np.allclose(y[:, 16_000:], expected[:, 16_000:], atol=1e-5)


def test_a_fixed_latency_is_kept_through_swaps_and_refused_when_too_short() -> None:
    x = noise(RATE // 2)
    model = load_model(identity_spectrum(512, 256, 128))
    with pytest.raises(ConfigError, match="too short.*--fixed-latency"):
        Session(StreamConfig(), SimulatedDevice(x, RATE, BLOCK), model, fixed_latency=64)
    with Stage(x, fir(LOUD), fixed_latency=700) as stage:
        assert stage.session.budget.declared == 700
        stage.at(9600, lambda: stage.session.swap(model))
        y = stage.finish()
        assert stage.session.budget.declared == 700
    expected = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), 700)
    assert np.allclose(y[:, :9600], 1.5 * expected[:, :9600], atol=1e-6)
    assert np.allclose(y[:, 16_000:], expected[:, 16_000:], atol=1e-5)


def test_the_lane_changes_by_a_crossfade() -> None:
    x = sine(RATE // 2, 300.0, 0.4)
    with Stage(x, fir(LOUD)) as stage:
        stage.at(9600, lambda: stage.session.swap(fir(LOUD), lane="worker"))
        y = stage.finish()
        assert stage.session.lane == "worker"
        declared = stage.session.budget.declared
    dry = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared)
    assert np.array_equal(y[:, 16_000:], 1.5 * dry[:, 16_000:])
    assert steps(y) <= 1.5 * steps(dry) + 1.5 * 0.8 * np.pi / 2 / 960


def test_between_chains_the_engine_is_swapped_and_the_chains_play_on() -> None:
    x = sine(RATE // 2, 300.0, 0.4)
    post = gain_chain(-6.0)
    with Stage(x, fir(LOUD), "worker", post=post) as stage:
        stage.at(9600, lambda: stage.session.swap(fir(TURNED)))
        stage.device.run_to(16_000)
        stage.session.settle()
        assert stage.session.path.post is post
        y = stage.finish()
        declared = stage.session.budget.declared
    gain = 10 ** (-6.0 / 20)
    dry = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared) * gain
    assert np.allclose(y[:, :9600], 1.5 * dry[:, :9600], atol=1e-6)
    assert np.allclose(y[:, 16_000:], -0.8 * dry[:, 16_000:], atol=1e-6)
    assert steps(y) <= 1.5 * steps(dry) + 2.3 * 0.4 * np.pi / 2 / 960


def test_parameters_take_effect_at_the_hop_that_starts_at_their_time_or_after() -> None:
    x = np.full((1, RATE // 4), 0.5, dtype=np.float32)
    with Stage(x, fir(np.array([1.0, 0.0], dtype=np.float32))) as stage:
        stage.session.set("output_gain", 0.5, at=3201)
        y = stage.finish()
        assert stage.session.budget.declared == 0
    changed = int(np.flatnonzero(y[0] != 0.5)[0])
    assert changed == 3264
    assert y[0, 9000] == pytest.approx(0.25)


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_gains_and_mix_outlive_a_swap_and_controls_belong_to_their_model(lane: str) -> None:
    x = noise(RATE // 2)
    with Stage(x, fir(SOFT), lane) as stage:
        stage.at(4800, lambda: stage.session.set("mix", 0.5))
        stage.at(9600, lambda: stage.session.swap(fir(TURNED)))
        stage.device.run_to(24_000)
        assert stage.session.engine.get("mix") == 0.5
        with pytest.raises(ConfigError, match="unknown parameter 'warmth'"):
            stage.session.set("warmth", 1.0)
        y = stage.finish()
        declared = stage.session.budget.declared
    dry = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared)
    assert np.allclose(y[:, 20_000:24_000], 0.1 * dry[:, 20_000:24_000], atol=1e-6)


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_bypass_fades_to_the_input_at_the_declared_latency_and_back(lane: str) -> None:
    x = sine(RATE // 2, 300.0, 0.4)
    with Stage(x, load_model(identity_spectrum(512, 256, 128)), lane) as stage:
        stage.session.set("output_gain", 0.5)
        stage.session.set("bypass", 1.0, at=6400)
        stage.session.set("bypass", 0.0, at=16_000)
        y = stage.finish()
        declared = stage.session.budget.declared
    dry = delayed(np.pad(x, ((0, 0), (0, y.shape[1] - x.shape[1]))), declared)
    assert np.array_equal(y[:, 6400 + 960 : 16_000], dry[:, 6400 + 960 : 16_000])
    assert np.allclose(y[:, 17_000:], 0.5 * dry[:, 17_000:], atol=1e-5)
    assert steps(y) <= steps(dry) + 0.4 / 960 + 1e-6


def test_models_are_closed_when_they_have_ceased_to_sound() -> None:
    x = noise(RATE)
    closed = []

    class Watched:
        def __init__(self, name: str) -> None:
            self.model, self.name = fir(LOUD), name

        def __getattr__(self, name: str) -> Any:
            return getattr(self.model, name)

        def close(self) -> None:
            closed.append(self.name)
            self.model.close()

    with Stage(x, fir(SOFT)) as stage:
        stage.at(6400, lambda: stage.session.swap(Watched("a")))
        stage.at(16_000, lambda: stage.session.settle())
        assert closed == []
        stage.session.swap(Watched("b"))
        stage.device.run_to(32_000)
        stage.session.settle()
        assert closed == ["a"]
        stage.finish()
    stage.session.engine.model.close()


def test_two_hundred_swaps_leave_memory_flat_and_the_latency_as_declared() -> None:
    late = fir_model(SOFT), identity_spectrum(512, 256, 128)
    sizes = []
    with Stage(noise(202 * 12_800), None) as stage:
        stage.device._out.fill(0.0)  # touches its pages, which the sound would do bit by bit
        for k in range(200):
            place = (k + 1) * 12_800
            stage.at(place, lambda k=k: stage.session.swap(load_model(late[k % 2])))  # type: ignore[misc]
            stage.device.run_to(place + 9600)
            stage.session.settle()
            assert stage.session.budget.declared == (0, 64 + 128)[k % 2]
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert stage.session.memory.record["swaps"] == 200
    # the first ones fill allocators; then nothing grows
    assert sizes[-1] - sizes[100] < 4 << 10  # KiB


def test_a_change_on_a_device_that_does_not_call_is_an_error_in_time() -> None:
    with Stage(noise(RATE), gru_and_nothing()) as stage:
        stage.device.run_to(640)
        stage.session.swap(fir(LOUD))
        begin = time.monotonic()
        with pytest.raises(StreamError, match="not taken up"):
            stage.session.settle(0.2)
        assert time.monotonic() - begin < 30


def gru_and_nothing() -> Any:
    return load_model(gru_model())


def test_channel_maps_choose_and_silence() -> None:
    x = noise(6400, channels=4)
    device = SimulatedDevice(x, RATE, BLOCK, out_channels=3)
    session = Session(StreamConfig(), device, channels=2, in_map=[3, 1], out_map=[1, -1, 0])
    with session:
        session.wait()
    n = 6400
    late = session.budget.declared
    assert np.array_equal(device.recording[0, late:n], x[1, : n - late])
    assert not device.recording[1].any()
    assert np.array_equal(device.recording[2, late:n], x[3, : n - late])
    with pytest.raises(ConfigError, match="input channel map needs 2 numbers within -1..3"):
        Session(StreamConfig(), device, channels=2, in_map=[4, 0])
