"""Plug-ins of other channel counts and formats, by stand-ins for what pedalboard says of them."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.errors import ChainError
from realtime.stages.buses import Buses
from realtime.stages.library import find_plugin
from realtime.stages.pedals import bundle_names
from realtime.stages.records import Records
from realtime.stages.scan import find_others, unsupported

from ..signals import Array, noise

RATE, BLOCK = 48000, 64


class Plugin:
    """Halves the sound; its channels and its state are what the test says."""

    _reload_type = "ClearsAudioOnReset"

    def __init__(self, inputs: int, outputs: int, state: bytes | None = b"state") -> None:
        self.inputs, self.outputs = inputs, outputs
        self.parameters = {"drive": SimpleNamespace(raw_value=0.25)}
        self._state = state

    @property
    def raw_state(self) -> bytes:
        return self._state or b""

    @raw_state.setter
    def raw_state(self, value: bytes) -> None:
        if self._state is None:
            raise RuntimeError("an empty state")
        self._state = value

    def process(self, x: Array, rate: float, buffer_size: int, reset: bool) -> Array:
        if len(x) != self.inputs or len(x) != self.outputs:
            raise ValueError(
                f"Plugin 'it' does not support {len(x)}-channel output. (Main bus currently expects"
                f" {self.inputs} input channels and {self.outputs} output channels.)"
            )
        return x * np.float32(0.5)

    def reset(self) -> None:
        pass


def buses(inputs: int, outputs: int, channels: int, state: bytes | None = b"state") -> Buses:
    made = Buses(lambda: Plugin(inputs, outputs, state), "it")
    made.fit(RATE, channels, BLOCK)
    return made


def test_the_first_channels_of_more_are_used_and_the_rest_is_told() -> None:
    made = buses(4, 4, 2)
    x = noise(BLOCK, 2)
    assert np.array_equal(made.process(x, RATE, BLOCK, False), x * np.float32(0.5))
    assert made.note == "channels 3 to 4 of 4 are not connected"
    assert buses(2, 2, 2).note == ""


def test_a_stream_with_more_channels_than_a_stereo_plugin_is_refused_with_both_counts() -> None:
    with pytest.raises(ChainError, match=r"it has 2 input\(s\) and 2 output\(s\).*3 of each"):
        buses(2, 2, 3)


def test_an_instance_for_each_channel_takes_settings_without_a_state() -> None:
    made = Buses(lambda: Plugin(1, 1, None), "it")
    made.instances[0].parameters["drive"].raw_value = 0.75
    made.fit(RATE, 2, BLOCK)
    assert made.layout == "each"
    assert [i.parameters["drive"].raw_value for i in made.instances] == [0.75, 0.75]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Comp.lv2", "an LV2"),
        ("comp.CLAP", "a CLAP"),
        ("comp-vst.so", "a VST2 or LADSPA"),
        ("Comp.dll", "a VST2"),
        ("Comp.aaxplugin", "an AAX"),
    ],
)
def test_other_formats_are_called_by_name(name: str, kind: str, own_cache: Path) -> None:
    says = f"{name} is {kind} plug-in, which is not supported; VST3"
    for wanted in (name, f"/usr/lib/somewhere/{name}"):
        with pytest.raises(ChainError, match=says):
            find_plugin(wanted, Path(), Records())
    assert unsupported(Path("Comp.vst3")) is None


def test_a_scan_of_their_folder_finds_them(tmp_path: Path) -> None:
    (tmp_path / "Comp.lv2").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert [p.name for p in find_others([tmp_path, tmp_path / "gone"])] == ["Comp.lv2"]


@pytest.mark.skipif(
    platform.system() != "Linux" or shutil.which("gcc") is None, reason="needs gcc on Linux"
)
def test_a_library_that_a_plugin_lacks_is_named(tmp_path: Path) -> None:
    inside = tmp_path / "It.vst3" / "Contents" / f"{platform.machine()}-linux"
    inside.mkdir(parents=True)
    (tmp_path / "a.c").write_text("int gone(void) { return 1; }")
    (tmp_path / "b.c").write_text("int gone(void); int it(void) { return gone(); }")

    def build(*words: str) -> None:
        subprocess.run(["gcc", "-shared", "-fPIC", *words], cwd=tmp_path, check=True)

    build("a.c", "-o", "libgone.so", "-Wl,-soname,libgone.so.4")
    build("b.c", "-o", str(inside / "It.so"), "-L.", "-lgone")
    with pytest.raises(ChainError, match=r"It.vst3 needs a library.*not installed: libgone\.so\.4"):
        bundle_names(tmp_path / "It.vst3")
    with pytest.raises(ChainError, match="holds no plug-in"):
        bundle_names(tmp_path)
