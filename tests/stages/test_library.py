from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.errors import ChainError, RestyleError
from realtime.stages.build import make_plugin_stage
from realtime.stages.isolate import probe_apart
from realtime.stages.library import open_plugin
from realtime.stages.records import OK, Record, Records
from realtime.stages.scan import scan

from ..signals import delayed, noise
from .test_effects import RATE, blockwise

Bundle = Callable[[str], Path]


@pytest.fixture(scope="module")
def seen(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Records of a scanned effect and a scanned instrument."""
    records = Records(tmp_path_factory.mktemp("seen") / "plugins.json")
    return [r for r, _ in scan([bundle("delay"), bundle("synth")], records)]


@pytest.fixture
def known(seen: list[Record], own_cache: Path) -> None:
    """This test's cache folder knows them."""
    for record in seen:
        Records().put(record)


def test_a_plugin_is_named_by_its_path(place: Callable[[str], Path], own_cache: Path) -> None:
    path = place("delay")
    settings = {"gain_db": -20.0, "mode": "Inverted", "honest": True}
    made = make_plugin_stage(str(path), parameters=settings)
    made.prepare(RATE, 2, 128)
    assert (made.name, made.latency) == ("Test Delay", 64)
    x = noise(128 * 20, channels=2)
    assert np.allclose(blockwise(made, x), delayed(-0.1 * x, 64), rtol=1e-3, atol=1e-6)


def test_a_scanned_plugin_is_named_with_its_state(known: None) -> None:
    first = open_plugin("test delay")
    first.set_parameter("delay_samples", 33)
    first.set_parameter("mode", "Inverted")
    made = make_plugin_stage(
        "Test Delay", state=first.save_state(), parameters={"delay_samples": 44}
    )
    made.prepare(RATE, 2, 128)
    assert made.latency == 44
    assert {p.name: p.value for p in made.parameters()}["mode"] == 1.0


@pytest.mark.parametrize(
    ("plugin", "more", "says"),
    [
        ("Nothing", {}, "no plug-in 'Nothing'.*'restyle scan' looks"),
        ("gone.vst3", {}, r"there is no plug-in file .*gone\.vst3"),
        ("Test Delay", {"parameters": {"gain": 1}}, "no parameter 'gain'; did you mean 'gain_db'"),
        ("Test Delay", {"parameters": {"gain_db": 100}}, "within -60..20 dB, got 100"),
        ("Test Delay", {"state": "%%"}, "not base64"),
        ("Test Delay", {"preset": "gone.vstpreset"}, "cannot read preset .*gone.vstpreset"),
        ("Test Delay", {"plugin_name": "Other"}, "holds no plug-in 'Other'.*holds Test Delay"),
        ("Test Synth", {}, "Test Synth is an instrument"),
    ],
)
def test_mistakes_are_one_sentence(
    known: None, plugin: str, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(RestyleError, match=says) as caught:
        make_plugin_stage(plugin, **more)
    assert "\n" not in str(caught.value)


def test_one_of_several_plugins_is_to_be_named(bundle: Bundle, own_cache: Path) -> None:
    path = bundle("delay")
    info = probe_apart(path).plugins[0]
    both = (info, replace(info, name="Other"))
    Records().put(Record(str(path), OK, "", both))
    with pytest.raises(ChainError, match="several plug-ins; give plugin_name: Test Delay, Other"):
        open_plugin(str(path))
    assert open_plugin(str(path), "Test Delay").plugin_name == "Test Delay"
    assert open_plugin("Test Delay").plugin_name == "Test Delay"


def test_a_name_two_files_have_is_not_guessed(
    bundle: Bundle, place: Callable[[str], Path], own_cache: Path
) -> None:
    list(scan([bundle("delay"), place("delay")], Records()))
    with pytest.raises(ChainError, match="several plug-ins are called 'Test Delay'"):
        open_plugin("Test Delay")
