from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ChainError, RestyleError
from realtime.parameters.parameter import CATEGORICAL, CONTINUOUS, SWITCH, find_parameter
from realtime.stages.plugin import PluginStage

from ..signals import noise
from .test_effects import RATE, blockwise
from .test_plugin import stage

Bundle = Callable[[str], Path]


def get(subject: PluginStage, name: str) -> float:
    return subject.get_value(find_parameter(subject.parameters(), name))


def test_parameters_are_named_with_range_unit_default_and_kind(bundle: Bundle) -> None:
    found = {p.name: p for p in PluginStage(bundle("delay")).parameters()}
    gain, delay = found["gain_db"], found["delay_samples"]
    assert (gain.minimum, gain.maximum, gain.default) == pytest.approx((-60.0, 20.0, 0.0), abs=1e-4)
    assert (gain.unit, gain.kind) == ("dB", CONTINUOUS)
    assert (delay.minimum, delay.maximum, delay.default, delay.step) == (0.0, 1000.0, 64.0, 1.0)
    assert delay.unit == "samples"
    assert (found["honest"].kind, found["honest"].default) == (SWITCH, 1.0)
    assert found["mode"].kind == CATEGORICAL
    assert found["mode"].choices == ("Plain", "Inverted", "Swapped")
    assert found["mode"].default == 0.0


def test_parameters_read_back_and_act_on_the_next_block(bundle: Bundle) -> None:
    subject = stage(bundle("delay"), delay_samples=0)
    x = np.full((2, 128), 0.5, dtype=np.float32)
    steps = (("gain_db", -60.0, 0.001), ("gain_db", 0.0, 1.0), ("mode", "Inverted", -1.0))
    for name, value, factor in steps:
        subject.set_parameter(name, value)
        wanted = 1.0 if value == "Inverted" else value
        assert get(subject, name) == pytest.approx(wanted, abs=1e-3)
        assert np.allclose(subject.process(x), factor * x, rtol=1e-4)
    subject.set_parameter("honest", False)
    assert get(subject, "honest") == 0.0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("gain", 0.0, "Test Delay has no parameter 'gain'; did you mean 'gain_db'"),
        ("gain_db", 21.0, r"gain_db must be within -60..20 dB, got 21"),
        ("gain_db", float("nan"), "must be a number"),
        ("gain_db", "loud", "must be a number"),
        ("honest", 0.5, "must be true or false"),
        ("mode", "Plane", "one of Plain, Inverted, Swapped, got 'Plane'; did you mean 'Plain'"),
    ],
)
def test_wrong_names_and_values_are_one_sentence(
    bundle: Bundle, name: str, value: float | str, says: str
) -> None:
    with pytest.raises(RestyleError, match=says):
        PluginStage(bundle("delay")).set_parameter(name, value)


@pytest.mark.parametrize("key", ["delay", "mono", "keeper"])
def test_the_state_makes_another_instance_sound_the_same(bundle: Bundle, key: str) -> None:
    first = PluginStage(bundle(key))
    first.set_parameter("gain_db", -6.0)
    first.set_parameter("delay_samples", 17)
    first.set_parameter("mode", "Inverted")
    before = first.save_state()  # no block has been played yet
    first.prepare(RATE, 2, 128)
    assert first.save_state() == before
    second = PluginStage(bundle(key))
    second.load_state(before)
    second.prepare(RATE, 2, 128)
    assert second.latency == 17
    assert get(second, "mode") == 1.0
    x = noise(128 * 20, channels=2)
    assert np.array_equal(blockwise(first, x), blockwise(second, x))


def test_states_and_presets_of_other_plugins_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    subject, other = PluginStage(bundle("delay")), PluginStage(bundle("crasher"))
    state = subject.save_state()
    with pytest.raises(ChainError, match="Test Crasher refuses this state"):
        other.load_state(state)
    with pytest.raises(ChainError, match="not base64"):
        subject.load_state("§§")
    preset = tmp_path / "it.vstpreset"
    with pytest.raises(ChainError, match="cannot read preset"):
        subject.load_preset(preset)
    preset.write_bytes(b"rubbish")
    with pytest.raises(ChainError, match="not a .vstpreset file"):
        subject.load_preset(preset)
    preset.write_bytes(base64.b64decode(state))
    with pytest.raises(ChainError, match="refuses preset it.vstpreset"):
        other.load_preset(preset)
    subject.load_preset(preset)
