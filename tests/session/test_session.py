from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError, StreamError
from realtime.models.streaming import load_model
from realtime.session import lanes as voices
from realtime.session.config import StreamConfig
from realtime.session.session import Session
from realtime.stages.chain import Chain
from realtime.stages.effects import EffectStage, make_plugin
from realtime.stream.voice import FADE

from ..graphs import identity_spectrum
from ..networks import failing_model, gru_model
from ..signals import Array, delayed, noise


class Recorder:
    """A stage that passes its block, after doing what the test asks for."""

    name, latency = "recorder", 0

    def __init__(self, fail_at: int | None = None, nap: float = 0.0) -> None:
        self.fail_at, self.nap, self.calls, self.live = fail_at, nap, 0, False
        self.shapes: set[tuple[int, ...]] = set()
        self.threads: set[str] = set()

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        self.prepared = (sample_rate, channels, block_length)

    def process(self, block: Array) -> Array:
        if self.live:
            self.calls += 1
            self.threads.add(threading.current_thread().name)
            if self.calls == self.fail_at:
                raise RuntimeError("the effect broke")
            time.sleep(self.nap)
        self.shapes.add(block.shape)
        return block

    def reset(self) -> None:
        pass


def gain_chain(db: float = -6.0) -> Chain:
    return Chain([EffectStage(make_plugin("Gain", {"gain_db": db}))])


def device(seconds: float = 0.1, block: int = 128, paced: bool = False) -> SimulatedDevice:
    return SimulatedDevice(noise(int(seconds * 48000)), 48000, block, paced=paced)


@pytest.mark.parametrize(
    ("lane", "chain", "paced", "chosen", "reason"),
    [
        ("inline", False, True, "inline", "as asked"),
        ("worker", False, True, "worker", "as asked"),
        ("worker", True, True, "worker", "as asked"),
        ("auto", True, True, "worker", "the chain needs Python objects"),
        ("auto", False, False, "inline", "virtual time"),
        ("auto", False, True, None, "the limit is"),
    ],
)
def test_the_lane_is_chosen_with_a_reason(
    lane: str, chain: bool, paced: bool, chosen: str | None, reason: str
) -> None:
    pre = gain_chain() if chain else None
    session = Session(StreamConfig(lane=lane), device(paced=paced), pre=pre)
    assert session.lane in ([chosen] if chosen else ["inline", "worker"])
    assert reason in session.lane_reason


def test_auto_follows_its_own_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    for microseconds, chosen in ((1.0, "inline"), (1e6, "worker")):
        monkeypatch.setattr(voices, "warm_up", lambda path, hops, us=microseconds: us)
        session = Session(StreamConfig(), device(paced=True), load_model(gru_model()))
        assert session.lane == chosen


def test_the_inline_lane_refuses_a_chain() -> None:
    with pytest.raises(ConfigError, match="cannot run a pedalboard chain.*--lane worker"):
        Session(StreamConfig(lane="inline"), device(), post=gain_chain())


@pytest.mark.parametrize("place", ["pre", "post"])
def test_an_error_in_a_stage_surfaces_in_wait(place: str) -> None:
    stage = Recorder(fail_at=3)
    session = Session(StreamConfig(), device(seconds=10.0), **{place: Chain([stage])})
    stage.live = True
    with pytest.raises(StreamError, match="the effect broke") as caught, session:
        session.wait(30.0)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not session.device.active


def test_a_failing_model_surfaces_in_wait_while_the_dry_sound_plays() -> None:
    x = noise(48000)
    x[0, 12_345] = 1.5
    played = SimulatedDevice(x, 48000, 64)
    session = Session(StreamConfig(), played, load_model(failing_model()))
    with session, pytest.raises(StreamError, match="test-failing.*out of data bounds.*dry sound"):
        session.wait()
    hop = 12_345 // 64 * 64
    assert np.abs(played.recording).max() <= 1.0
    assert np.allclose(played.recording[0, :hop], x[0, :hop] / 2)


def test_python_stages_get_constant_blocks_in_the_worker_thread() -> None:
    stage = Recorder()
    session = Session(
        StreamConfig(), device(block=100), load_model(gru_model(hop=48)), pre=Chain([stage])
    )
    stage.live = True
    with session:
        session.wait()
    assert stage.prepared == (48000, 1, 96)  # two hops: at least 64 samples
    assert stage.shapes == {(1, 96)}
    assert stage.threads == {"restyle-worker"}


def test_a_slow_worker_is_waited_for_in_virtual_time() -> None:
    stage = Recorder(nap=0.002)
    x = noise(6400)
    played = SimulatedDevice(x, 48000, 64)
    session = Session(StreamConfig(), played, pre=Chain([stage]))
    stage.live = True
    with session:
        session.wait()
    counters = session.memory.counters()
    assert counters["concealed_samples"] == counters["ring_underflows"] == 0
    declared = session.budget.declared
    assert np.array_equal(played.recording[:, declared : declared + 6400], x)


def test_a_stuck_worker_in_real_time_is_concealed_and_counted() -> None:
    stage = Recorder()
    x = noise(19_200)
    played = SimulatedDevice(x, 48000, 64, paced=True)
    session = Session(StreamConfig(), played, pre=Chain([stage]))
    stage.live, stage.nap = True, 0.3
    with session:
        session.wait()
    counters = session.memory.counters()
    assert counters["concealed_samples"] > 0
    assert counters["callbacks"] == played.position // 64
    # dry and wet are the same sound here, so only the fades out of the held sample differ
    recording = played.recording
    expected = delayed(np.pad(x, ((0, 0), (0, 9600))), session.budget.declared)
    differs = np.abs(recording - expected[:, : recording.shape[1]]) > 1e-6
    assert 0 < differs.sum() <= FADE * counters["ring_underflows"]


def test_gains_and_mix_of_the_settings_reach_the_engine() -> None:
    config = StreamConfig(mix=0.5, input_gain_db=-6.0, output_gain_db=-20.0)
    session = Session(config, device(), load_model(gru_model()))
    assert session.engine.get("mix") == 0.5
    assert session.engine.get("output_gain") == pytest.approx(0.1)
    assert session.engine.get("input_gain") == pytest.approx(10 ** (-6 / 20))


def test_warming_up_leaves_no_trace() -> None:
    x = noise(9600)
    recordings = []
    for _ in range(2):
        played = SimulatedDevice(x, 48000, 64)
        with Session(StreamConfig(), played, load_model(gru_model())) as session:
            session.wait()
        recordings.append(played.recording)
    assert np.array_equal(*recordings)
    assert session.engine.counters()["hops"] == played.position // 64


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_the_budget_lists_every_part_in_the_order_of_the_sound(lane: str) -> None:
    session = Session(StreamConfig(lane=lane), device(block=100), load_model(identity_spectrum()))
    parts = {p.name: p for p in session.budget.parts}
    assert next(iter(parts)) == "device input"
    assert list(parts)[-1] == "device output"
    assert parts["model"].samples == 128
    if lane == "inline":
        assert parts["block adapter"].samples == 128 - 4
        assert session.budget.declared == 124 + 128
    else:
        assert parts["worker pre-fill"].samples == 124 + 128
        assert session.budget.declared == 124 + 128 + 128


def test_chains_with_latency_are_in_the_budget() -> None:
    chain = Chain([EffectStage(make_plugin("Resample", {"target_sample_rate": 8000.0}))])
    session = Session(StreamConfig(), device(), pre=chain, post=gain_chain())
    parts = {p.name: p.samples for p in session.budget.parts}
    assert parts["pre-chain"] == chain.latency > 0
    assert parts["post-chain"] == 0
    assert session.budget.declared == sum(parts.values())


def test_statistics_are_plain_data_with_all_figures() -> None:
    played = device(seconds=0.2)
    with Session(StreamConfig(lane="worker"), played, load_model(gru_model())) as session:
        session.wait()
    stats = json.loads(json.dumps(session.stats()))
    assert stats["model"] == "test-gru"
    assert (stats["lane"], stats["lane_reason"]) == ("worker", "as asked")
    assert (stats["block_size"], stats["hop_length"], stats["channels"]) == (128, 64, 1)
    assert stats["callbacks_seen"] == played.position // 128
    assert stats["callbacks_missed"] == 0
    assert set(stats["xruns"].values()) == {0}
    assert stats["latency"]["declared_samples"] == session.budget.declared
    for spread in ("callback_us", "hop_us", "model_us", "interval_us"):
        assert 0 < stats[spread]["p50"] <= stats[spread]["p99"] <= stats[spread]["p99_9"]
    assert stats["engine"]["hops"] == played.position // 64


def test_missed_callbacks_are_counted_against_the_clock() -> None:
    session = Session(StreamConfig(), device(paced=True))
    record = session.memory.record
    record["callbacks"], record["samples"] = 90, 90 * 128
    record["first_ns"], record["last_ns"] = 1_000, 1_000 + round(99 * 128 / 48000 * 1e9)
    assert session.callbacks_expected() == pytest.approx(100.0)
    assert session.stats()["callbacks_missed"] == 10


def test_counters_beyond_32_bits_are_reported_as_they_are() -> None:
    session = Session(StreamConfig(), device())
    session.memory.record["callbacks"] = 2**40
    session.memory.record["samples"] = 2**47
    assert session.stats()["callbacks_seen"] == 2**40
