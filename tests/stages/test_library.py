from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ChainError
from realtime.stages.file import load_chain
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


CHAIN = """
[[pre]]
effect = "Gain"
gain_db = -6

[[pre]]
plugin = "{plugin}"
{more}
"""


def chain_file(folder: Path, plugin: str, more: str = "") -> Path:
    path = folder / "chain.toml"
    path.write_text(CHAIN.format(plugin=plugin, more=more), encoding="utf-8")
    return path


def test_a_chain_file_names_a_plugin_by_path_from_its_own_folder(
    place: Callable[[str], Path], own_cache: Path, tmp_path: Path
) -> None:
    place("delay")
    text = 'gain_db = -20.0\nparameters = { mode = "Inverted", honest = true }'
    pre, post = load_chain(chain_file(tmp_path, "plug-ins/Test Delay.vst3", text))
    assert post is None
    assert pre is not None
    assert pre.names == ["Gain", "Test Delay"]
    pre.prepare(RATE, 2, 128)
    assert pre.latency == 64
    x = noise(128 * 20, channels=2)
    expected = delayed(-(10 ** (-26 / 20)) * x, 64)
    assert np.allclose(blockwise(pre, x), expected, rtol=1e-3, atol=1e-6)


def test_a_chain_file_names_a_scanned_plugin_and_its_state(known: None, tmp_path: Path) -> None:
    first = open_plugin("test delay")
    first.set_parameter("delay_samples", 33)
    first.set_parameter("mode", "Inverted")
    text = f'state = "{first.save_state()}"\ndelay_samples = 44'
    pre, _ = load_chain(chain_file(tmp_path, "Test Delay", text))
    assert pre is not None
    pre.prepare(RATE, 2, 128)
    assert pre.latency == 44
    assert pre.slots[1].stage.get_parameter("mode") == "Inverted"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("plugin", "more", "says"),
    [
        ("Nothing", "", "no plug-in 'Nothing'.*'restyle scan' looks"),
        ("gone.vst3", "", r"there is no plug-in file .*gone\.vst3"),
        ("Test Delay", "gain = 1", "no parameter 'gain'; did you mean 'gain_db'"),
        ("Test Delay", "gain_db = 100", "within -60..20 dB, got 100"),
        ("Test Delay", 'state = "%%"', "not base64"),
        ("Test Delay", "state = 3", "state must be text, got 3"),
        ("Test Delay", 'preset = "gone.vstpreset"', "cannot read preset .*gone.vstpreset"),
        ("Test Delay", "parameters = 3", "parameters must be a table"),
        ("Test Delay", 'plugin_name = "Other"', "holds no plug-in 'Other'.*holds Test Delay"),
        ("Test Delay", 'effect = "Gain"', 'needs effect = "NAME" or plugin'),
        ("Test Synth", "", "Test Synth is an instrument"),
    ],
)
def test_mistakes_in_a_chain_file_are_one_sentence(
    known: None, tmp_path: Path, plugin: str, more: str, says: str
) -> None:
    with pytest.raises(ChainError, match=says) as caught:
        load_chain(chain_file(tmp_path, plugin, more))
    assert str(caught.value).startswith("chain.toml: ")
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
