"""An engine that plays for a plug-in, against the offline render of the same sound."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.devices.plugin_device import PluginDevice, _serve
from realtime.devices.plugin_record import PluginRecord
from realtime.devices.simulated import SimulatedDevice
from realtime.errors import DeviceError
from realtime.host.plugin_link import PluginLink, first_knobs, share
from realtime.parameters.parameter import Parameter
from realtime.session.operations import Load, Set
from realtime.session.render import render
from realtime.session.session import Session
from realtime.session.sound import Device, Macro, Setup, Sound, Stage

from ..native_code import faults
from ..signals import noise
from .plug_in import Array, PlugIn

RATE = 48000
RANDOM = [int(n) for n in np.random.default_rng(1).integers(1, 4097, 40)]
CUTOFF = {"cutoff_frequency_hz": 900.0}
LOW = Sound(stages=(Stage(effect="LowpassFilter", identity=1, parameters=CUTOFF),))
PYTHON = Sound(stages=(Stage(effect="Phaser", engine="pedalboard", identity=1),))


class Engine:
    """A session on a plug-in's device, looked after as the engine process does."""

    def __init__(self, plug_in: PlugIn, sound: Sound) -> None:
        self.device = PluginDevice(plug_in.record.name)
        setup = Setup(sound, Device(kind="plugin", tape=plug_in.record.name))
        self.session = Session(setup, self.device)
        self.link = PluginLink(self.session, self.device)
        self.session.start()

    def look(self, plug_in: PlugIn) -> None:
        """Until the take has begun."""
        while self.device.waits:
            self.link.look()
        plug_in.wait()


@pytest.fixture
def plug_in() -> Iterator[PlugIn]:
    made = PlugIn()
    yield made
    made.close()


@pytest.fixture
def engine(plug_in: PlugIn) -> Iterator[Engine]:
    made = Engine(plug_in, LOW)
    yield made
    made.session.stop()


def rendered(sound: Sound, x: Array) -> Array:
    return render(sound, Clip(x, RATE)).samples


@pytest.mark.parametrize("sound", [LOW, PYTHON], ids=["native", "pedalboard"])
def test_every_take_equals_the_render_after_the_latency(plug_in: PlugIn, sound: Sound) -> None:
    engine = Engine(plug_in, sound)
    x = noise(30_000, channels=2)
    expected = rendered(sound, x)
    try:
        for _ in range(2):  # the second take begins in the initial state, too
            engine.look(plug_in)
            y = plug_in.play(x, RANDOM)
            late = plug_in.record["latency"]
            assert late == engine.session.stream.budget.declared
            assert not y[:, :late].any()
            assert np.array_equal(y[:, late:], expected[:, : y.shape[1] - late])
            plug_in.prepare(RATE, 4096)
    finally:
        engine.session.stop()


def test_a_host_at_another_rate_than_the_model_hears_what_the_render_gives() -> None:
    plug_in = PlugIn(rate=44100)
    sound = Sound(stages=(Stage(model="tube-amp", identity=1),))
    engine = Engine(plug_in, sound)
    x = noise(12_000, channels=2)
    try:
        for _ in range(2):
            engine.look(plug_in)
            y, late = plug_in.play(x, [300, 1, 2000]), plug_in.record["latency"]
            expected = render(sound, Clip(x, 44100)).samples
            assert np.array_equal(y[:, late:], expected[:, : x.shape[1] - late])
            plug_in.prepare(44100, 512)
    finally:
        engine.session.stop()
        plug_in.close()


def test_automation_is_timed_to_the_hop_and_equals_the_same_events_of_a_session(
    plug_in: PlugIn, engine: Engine
) -> None:
    """Sixteen parameters: mix, the two gains, then the stage's bypass, mix and own."""
    sound, known = engine.session.setup.sound, engine.session.parameters()
    names = [k.parameter.name for k in first_knobs(sound, known)]
    assert names[:3] == ["mix", "input_gain_db", "output_gain_db"]
    assert names[3:6] == ["1.bypass", "1.stage_mix", "1.cutoff_frequency_hz"]
    parameter = first_knobs(sound, known)[5].parameter
    x = noise(20_000, channels=2)
    engine.look(plug_in)
    parts = [plug_in.play(x[:, :7000], [1000])]
    plug_in.turn(5, 0.25)
    plug_in.turn(0, 0.5)
    plug_in.push(x[:, 7000:])
    parts.append(plug_in.answers(7000, 20_000))
    y = np.concatenate(parts, axis=1)
    ratio = parameter.maximum / parameter.minimum
    value = parameter.minimum * ratio**0.25 if parameter.curve == "log" else None
    value = value or parameter.minimum + 0.25 * (parameter.maximum - parameter.minimum)

    device = SimulatedDevice(x, RATE, [1000, 999])
    device.hold(0)
    with Session(Setup(LOW), device) as session:
        session.do(Set(1, "cutoff_frequency_hz", value), at=7000)
        session.do(Set(0, "mix", 0.5), at=7000)
        device.hold(None)
        session.wait()
    assert np.array_equal(y, device.recording[:, :20_000])
    stand = plug_in.record.fields["values"]
    assert (stand[5], stand[0]) == (0.25, 0.5)
    assert plug_in.record["applied"] == 2


def test_what_was_restored_is_no_movement_and_a_knob_of_the_sounds_own_moves_all_of_its_targets(
    plug_in: PlugIn,
) -> None:
    macro = Macro(
        "warmth", {"1.cutoff_frequency_hz": (500.0, 4500.0), "input_gain_db": (0.0, -6.0)}
    )
    engine = Engine(plug_in, Sound(LOW.stages, macros=(macro,)))
    try:
        engine.look(plug_in)
        stand = plug_in.record.fields["values"].copy()
        assert stand[0] == np.float32(0.1)  # 900 Hz of 500 to 4500
        for k in range(6):
            plug_in.turn(k, float(stand[k]))
        plug_in.play(noise(256, channels=2), [256])
        assert plug_in.record["applied"] == 0
        plug_in.turn(0, 0.5)
        plug_in.play(noise(512, channels=2), [256])
        now = engine.session.now().sound
        assert now.stages[0].parameters["cutoff_frequency_hz"] == 2500.0
        assert now.input_gain_db == pytest.approx(-3.0, abs=1e-6)
    finally:
        engine.session.stop()


def test_a_sound_is_changed_while_the_host_brings_nothing(plug_in: PlugIn, engine: Engine) -> None:
    engine.look(plug_in)
    other = Sound(stages=(Stage(effect="HighpassFilter", identity=2),))
    engine.session.do(Load(other))  # waits until it is heard
    plug_in.record["made"] = plug_in.record.write("wanted", "the same as text")
    x = noise(4000, channels=2)
    plug_in.push(x)  # what was played meanwhile was not the host's: the take begins anew
    while engine.device.waits or plug_in.record["answered"] < plug_in.record["begin"] + 4000:
        engine.link.look()
        time.sleep(0.001)
    y = plug_in.answers(0, 4000)
    late = plug_in.record["latency"]
    assert np.array_equal(y[:, late:], rendered(other, x)[:, : 4000 - late])
    assert plug_in.record["loaded"] == plug_in.record["made"]


def test_an_engine_that_was_away_answers_nothing_stale(plug_in: PlugIn, engine: Engine) -> None:
    plug_in.prepare(RATE, 512, offline=False)
    engine.look(plug_in)
    assert engine.device.pause()  # as stopped by a signal
    x = noise(RATE, channels=2)
    for k in range(0, RATE, 480):
        plug_in.push(x[:, k : k + 480])
    engine.device.go()
    begin = plug_in.record["begin"]
    plug_in.answers(RATE - 1, RATE)
    assert plug_in.record["valid"] == begin + RATE + plug_in.record["latency"]
    plug_in.push(x[:, :1000])
    plug_in.answers(RATE, RATE + 1000)
    assert plug_in.record["answered"] == plug_in.record["written"]


def test_the_loop_neither_allocates_nor_raises_nor_asks_for_the_lock(engine: Engine) -> None:
    engine.device.pause()
    engine.device.go()
    for compiled in _serve.overloads.values():
        assert faults(SimpleNamespace(_library=compiled.library)) == []


def test_a_host_at_another_rate_is_no_take_of_this_engine(plug_in: PlugIn, engine: Engine) -> None:
    engine.look(plug_in)
    plug_in.prepare(44100, 512)
    for _ in range(3):
        assert not engine.link.look()
    assert engine.device.waits


def test_a_position_within_the_range_and_back() -> None:
    linear = Parameter("gain_db", -60.0, 20.0, value=-20.0)
    log = Parameter("cutoff_hz", 20.0, 20_000.0, curve="log", value=200.0)
    assert share(linear) == 0.5
    assert share(log) == pytest.approx(1.0 / 3.0)


def test_memory_that_is_not_a_plug_ins_is_refused_in_a_sentence() -> None:
    with pytest.raises(DeviceError, match="there is no plug-in behind /proc/1/fd/99999"):
        PluginRecord("/proc/1/fd/99999")
    made = PlugIn()
    made.record["version"] = 2
    with pytest.raises(DeviceError, match="build it anew with: make plugin"):
        PluginDevice(made.record.name)
    made.close()
    with pytest.raises(DeviceError, match="at most 1024 KiB"):
        PlugIn().record.write("kept", "x" * (1 << 20))
