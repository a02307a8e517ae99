from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from realtime.devices.simulated import SimulatedDevice
from realtime.engine.placed import Slot
from realtime.errors import ChainError, ConfigError, StreamError
from realtime.parameters.parameter import Parameter
from realtime.session import lanes
from realtime.session.builder import Builder, Shape
from realtime.session.events import to_event
from realtime.session.operations import Insert, Set
from realtime.session.session import Session
from realtime.session.sound import Device, Setup, Stage
from realtime.session.stats import callbacks_expected, stats
from realtime.stream.voice import FADE

from ..graphs import identity_spectrum
from ..networks import controlled_model, failing_model, gru_model
from ..signals import Array, noise
from ..sounds import LANES, Player, effect, group, model, sound

GRU = model(gru_model())


class Recorder:
    """A Python stage that passes its block, after doing what the test asks for."""

    name, native, governed, hop, latency = "recorder", False, False, 1, 0
    settling = 0

    def __init__(self, fail_at: int | None = None, nap: float = 0.0) -> None:
        self.fail_at, self.nap, self.calls, self.live = fail_at, nap, 0, False
        self.shapes: set[tuple[int, ...]] = set()
        self.threads: set[str] = set()

    def parameters(self) -> list[Parameter]:
        return []

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        self.prepared = (sample_rate, channels, length)

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

    def close(self) -> None:
        pass


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What stands wherever a sound asks for the effect Invert."""
    made, build = Recorder(), Builder.slot

    def slot(self: Builder, spec: Stage, shape: Shape) -> Slot:
        if spec.effect != "Invert":
            return build(self, spec, shape)
        made.prepare(shape.sample_rate, self.channels, shape.hop)
        return Slot(made, spec.identity, self.channels, shape.sample_rate)

    monkeypatch.setattr(Builder, "slot", slot)
    return made


PYTHON = effect("Gain", engine="pedalboard")
HERE = effect("Invert", engine="pedalboard")


def device(seconds: float = 0.1, block: int = 128, paced: bool = False) -> SimulatedDevice:
    return SimulatedDevice(noise(int(seconds * 48000)), 48000, block, paced=paced)


@pytest.mark.parametrize(
    ("lane", "python", "paced", "chosen", "reason"),
    [
        ("inline", False, True, "inline", "as asked"),
        ("worker", False, True, "worker", "as asked"),
        ("worker", True, True, "worker", "as asked"),
        ("auto", True, True, "worker", "a stage needs Python"),
        ("auto", False, False, "inline", "virtual time"),
        ("auto", False, True, None, "the limit is"),
    ],
)
def test_the_lane_is_chosen_with_a_reason(
    lane: str, python: bool, paced: bool, chosen: str | None, reason: str
) -> None:
    what = sound(*[PYTHON] * python)
    stream = Session(Setup(what, Device(lane=lane)), device(paced=paced)).stream
    assert stream.lane in ([chosen] if chosen else ["inline", "worker"])
    assert reason in stream.lane_reason


def test_auto_follows_its_own_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    for microseconds, chosen in ((1.0, "inline"), (1e6, "worker")):
        monkeypatch.setattr(lanes, "warm_up", lambda path, hops, us=microseconds: us)
        session = Session(Setup(sound(GRU)), device(paced=True))
        assert session.stream.lane == chosen


def test_the_inline_lane_refuses_python_stages() -> None:
    for what in (sound(PYTHON), sound(group([PYTHON]))):
        with pytest.raises(ConfigError, match=r"inline lane cannot run effects.*--lane worker"):
            Session(Setup(what, Device(lane="inline")), device())


def test_stages_without_an_identity_or_with_one_twice_are_refused() -> None:
    with pytest.raises(ConfigError, match="identity"):
        Session(Setup(sound().__class__(stages=(GRU,))), device())
    with Player(sound(GRU), noise(6400)) as player:
        with pytest.raises(ConfigError, match="two stages have the identity 1"):
            player.session.do(Insert(model(gru_model(), identity=1)))
        with pytest.raises(ConfigError, match="identity"):
            player.session.do(Insert(GRU))
        player.finish()


@pytest.mark.parametrize("inside", [False, True])
def test_an_error_in_a_stage_surfaces_in_wait(recorder: Recorder, inside: bool) -> None:
    recorder.fail_at = 3
    what = sound(group([HERE]) if inside else HERE)
    session = Session(Setup(what), device(seconds=10.0))
    recorder.live = True
    with pytest.raises(StreamError, match="the effect broke") as caught, session:
        session.wait(30.0)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not session.device.active


def test_a_failing_model_surfaces_in_wait_while_the_dry_sound_plays() -> None:
    x = noise(48000)
    x[0, 12_345] = 1.5
    with Player(sound(model(failing_model())), x) as player:
        with pytest.raises(StreamError, match=r"test-failing.*out of data bounds.*dry sound"):
            player.finish()
        player.device.hold(None)
        while player.device.active:
            time.sleep(0.001)
        y = player.device.recording
    hop = 12_345 // 64 * 64
    assert np.abs(y).max() <= 1.0
    assert np.allclose(y[0, :hop], x[0, :hop] / 2)


def test_python_stages_get_constant_blocks_in_the_worker_thread(recorder: Recorder) -> None:
    session = Session(Setup(sound(HERE, model(gru_model(hop=48)))), device(block=100))
    recorder.live = True
    with session:
        session.wait()
    assert recorder.prepared == (48000, 1, 96)  # two hops: at least 64 samples
    assert recorder.shapes == {(1, 96)}
    assert recorder.threads == {"restyle-worker"}


def test_a_slow_worker_is_waited_for_in_virtual_time(recorder: Recorder) -> None:
    recorder.nap = 0.002
    x = noise(6400)
    with Player(sound(HERE), x) as player:
        recorder.live = True
        y, late, counters = player.finish(), player.declared, player.counters
    assert counters["concealed_samples"] == counters["ring_underflows"] == 0
    assert np.array_equal(y[:, late : late + 6400], x)


def test_a_stuck_worker_in_real_time_is_concealed_and_counted(recorder: Recorder) -> None:
    recorder.nap = 0.3
    with Player(sound(HERE), noise(19_200), paced=True) as player:
        recorder.live = True
        y, dry, counters = player.finish(), player.dry(), player.counters
    assert counters["concealed_samples"] > 0
    assert counters["callbacks"] == y.shape[1] // 64
    # dry and wet are the same sound here, so only the fades out of the held sample differ
    differs = np.abs(y - dry) > 1e-6
    assert 0 < differs.sum() <= FADE * counters["ring_underflows"]


def test_warming_up_leaves_no_trace() -> None:
    recordings = []
    for _ in range(2):
        with Player(sound(GRU), noise(9600)) as player:
            recordings.append(player.finish())
            hops = player.session.stream.path.counters()["hops"]
            assert hops == player.device.position // 64
    assert np.array_equal(*recordings)


@pytest.mark.parametrize("lane", LANES)
def test_the_budget_lists_every_part_in_the_order_of_the_sound(lane: str) -> None:
    what = sound(model(identity_spectrum()), model(identity_spectrum(512, 256, 128)))
    budget = Session(Setup(what, Device(lane=lane)), device(block=100)).stream.budget
    found = [(p.name, p.samples) for p in budget.parts]
    first = ("block adapter", 124) if lane == "inline" else ("worker pre-fill", 124 + 128)
    assert found == [
        ("device input", 0),
        first,
        ("test-identity", 128),
        ("test-identity", 128),
        ("device output", 0),
    ]
    assert budget.declared == sum(samples for _, samples in found)


def test_effects_with_latency_and_groups_are_in_the_budget() -> None:
    late = effect("Resample", target_sample_rate=8000.0)
    stream = Session(Setup(sound(late, group([late], []))), device()).stream
    parts = {p.name: p.samples for p in stream.budget.parts}
    assert parts["Resample"] == parts["group"] > 0
    assert stream.budget.declared == sum(parts.values()) == stream.voice.latency


def test_statistics_are_plain_data_with_all_figures() -> None:
    with Player(sound(GRU, model(identity_spectrum())), noise(9600), 128, "worker") as player:
        player.finish()
        found = json.loads(json.dumps(stats(player.session.stream)))
        late, position = player.declared, player.device.position
    assert [s["name"] for s in found["stages"]] == ["test-gru", "test-identity"]
    assert (found["lane"], found["lane_reason"]) == ("worker", "as asked")
    assert (found["block_size"], found["hop_length"], found["channels"]) == (128, 128, 1)
    assert found["callbacks_seen"] == position // 128
    assert found["callbacks_missed"] == 0
    assert set(found["xruns"].values()) == {0}
    assert found["latency"]["declared_samples"] == late
    spreads = [found[n] for n in ("callback_us", "hop_us", "interval_us")]
    for spread in (*spreads, *(s["step_us"] for s in found["stages"])):
        assert 0 < spread["p50"] <= spread["p99"] <= spread["p99_9"]
    assert found["path"]["hops"] == position // 128


def test_missed_callbacks_are_counted_against_the_clock() -> None:
    stream = Session(Setup(sound()), device(paced=True)).stream
    record = stream.memory.record
    record["callbacks"], record["samples"] = 90, 90 * 128
    record["first_ns"], record["last_ns"] = 1_000, 1_000 + round(99 * 128 / 48000 * 1e9)
    assert callbacks_expected(stream.memory.counters(), 48000) == pytest.approx(100.0)
    assert stats(stream)["callbacks_missed"] == 10


def test_counters_beyond_32_bits_are_reported_as_they_are() -> None:
    stream = Session(Setup(sound()), device()).stream
    stream.memory.record["callbacks"] = 2**40
    stream.memory.record["samples"] = 2**47
    assert stats(stream)["callbacks_seen"] == 2**40


@pytest.mark.parametrize("lane", LANES)
def test_what_plays_is_told_with_all_that_events_have_set(lane: str) -> None:
    what = sound(
        model(controlled_model(), gain=0.75),
        group([model(identity_spectrum())], []),
        output_gain_db=-3.0,
    )
    with Player(what, noise(12_800), lane=lane) as player:
        session = player.session
        assert session.now().sound == what
        changes = [
            Set(0, "mix", 0.5),
            Set(0, "bypass", 1.0),
            Set(0, "input_gain_db", -6.0),
            Set(1, "gain", 0.25),
            Set(1, "choice", 2.0),
            Set(2, "stage_mix", 0.5),
            Set(2, "2.gain_db", -4.0),
            Set(3, "bypass", 1.0),
        ]
        expected = session.setup
        for change in changes:
            expected = change.apply(expected)
            event = to_event(change.identity, change.name, change.value, session.parameters())
            session.stream.send(*event)
        told = session.now().sound
        player.run_to(6400)  # taken by now
        for found in (told, session.now().sound):
            for before, after in zip(expected.sound.walk(), found.walk(), strict=True):
                assert (after.bypass, after.mix) == (before.bypass, before.mix)
                assert after.parameters == pytest.approx(before.parameters)
            assert found.stages[1].group is not None
            assert found.stages[1].group[1].gain_db == pytest.approx(-4.0)
            assert (found.mix, found.bypass) == (0.5, True)
            assert found.input_gain_db == pytest.approx(-6.0)
            assert found.output_gain_db == -3.0
        player.finish()


@pytest.mark.parametrize(
    ("identity", "name", "value"),
    [
        (0, "mix", 1.5),
        (0, "mix", float("nan")),
        (0, "output_gain_db", 25.0),
        (0, "bypass", 3.0),
        (0, "mixx", 0.5),
        (1, "gian", 0.5),
        (1, "gain", 2.0),
        (1, "choice", 5.0),
        (1, "stage_mix", -1.0),
        (1, "bypass", 0.5),
        (7, "gain", 0.5),
    ],
)
def test_events_that_cannot_be_are_refused_before_they_are_sent(
    identity: int, name: str, value: float
) -> None:
    session = Session(Setup(sound(model(controlled_model()))), device())
    before = session.now()
    with pytest.raises(ConfigError):
        to_event(identity, name, value, session.parameters())
    with pytest.raises((ConfigError, ChainError)):
        session.do(Set(identity, name, value))
    assert session.now() == before
