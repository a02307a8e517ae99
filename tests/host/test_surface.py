"""The host behind presets, MIDI and OSC: knobs by name, presets in and out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient
from realtime.presets.preset import Preset, Stage

from realtime.controllers.bindings import Bindings
from realtime.controllers.osc import OscServer
from realtime.errors import RestyleError
from realtime.host.surface import HostSurface, to_preset, to_spec
from realtime.parameters.mapping import MidiMapping
from realtime.presets.files import save_preset
from realtime.session.spec import Spec, StageSpec

from ..graphs import fir_model
from ..networks import controlled_model
from .cards import playing


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "half.onnx").write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    (folder / "controls.onnx").write_bytes(controlled_model())
    return folder


def test_every_knob_is_listed_with_its_range_and_value(models: Path) -> None:
    with playing(models / "controls.onnx", mix=0.25) as played:
        surface = HostSurface(played.host)
        played.host.insert("post", {"effect": "Reverb", "room_size": 0.3})
        found = {p.name: p for p in surface.parameters()}
        assert found["mix"].value == 0.25
        assert (found["gain"].minimum, found["gain"].maximum, found["gain"].value) == (0, 1, 0.5)
        assert found["choice"].kind == "categorical"
        assert found["post.1.room_size"].value == 0.3
        assert found["post.1.stage_mix"].value == 1.0
        for name, value in (
            ("gain", 0.75),
            ("post.1.room_size", 0.9),
            ("post.1.bypass", 1.0),
            ("post_mix", 0.5),
            ("input_gain_db", -3.0),
        ):
            surface.set(name, value)
            assert surface.get(name) == value
        with pytest.raises(RestyleError, match="did you mean 'gain'"):
            surface.set("gian", 0.5)
        with pytest.raises(RestyleError, match="within 0..1"):
            surface.set("post.1.room_size", 2.0)


def test_a_control_is_heard(models: Path) -> None:
    with playing(models / "controls.onnx") as played:
        surface = HostSurface(played.host)
        played.settles(0.15)
        surface.set("gain", 1.0)
        played.settles(0.3)
        surface.bypass(True)
        surface.set("gain", 0.0)
        played.settles(0.3)


def test_what_is_turned_while_the_model_changes_holds_afterwards(models: Path) -> None:
    slow = models / "slow.onnx"  # a pipe: it is opened as long as nobody writes to it
    os.mkfifo(slow)
    with playing(models / "controls.onnx") as played:
        host = played.host
        swap = {"op": "swap", "model": str(slow)}
        beside = threading.Thread(target=lambda: host.do(swap), daemon=True)
        beside.start()
        played.until(lambda: any("slow.onnx" in p.progress for p in host.pending))
        host.set("mix", 0.25)
        host.set("gain", 0.75)
        slow.write_bytes((models / "controls.onnx").read_bytes())
        played.until(lambda: not host.pending)
        beside.join(20.0)
        assert (host.get("mix"), host.get("gain")) == (0.25, 0.75)
        assert host.spec.controls["gain"] == 0.75
        # the mix is of 0.3 and of 0.75 times 0.3
        played.settles(0.3 * (0.75 + 0.25 * 0.75))


def test_a_preset_is_loaded_whole_or_not_at_all_and_saved_as_it_is(models: Path) -> None:
    save_preset(
        "soft",
        Preset(
            name="soft",
            model="test-fir",
            output_gain_db=-6.0,
            mix=0.5,
            post=(Stage({"effect": "Gain", "gain_db": -6.0}, mix=0.5),),
        ),
    )
    save_preset("lost", Preset(name="lost", model="nobody"))
    save_preset("odd", Preset(name="odd", post=(Stage({"effect": "Gainn"}),)))
    with playing(models / "controls.onnx") as played:
        surface, before = HostSurface(played.host), played.host.spec
        for name, says in (("lost", "nobody"), ("odd", "Gainn"), ("none", "no preset 'none'")):
            with pytest.raises(RestyleError, match=says):
                surface.load_preset(name)
        assert played.host.spec == before
        surface.load_preset("soft")
        gain = 10 ** (-6 / 20)
        level = 0.3 * 0.75 * gain * (0.5 + 0.5 * gain)
        played.settles(level)
        surface.set("post.1.gain_db", 0.0)
        saved = surface.save("again")
        assert saved.post[0].entry == {"effect": "Gain", "gain_db": 0.0}
        assert (saved.model, saved.mix, saved.output_gain_db) == ("test-fir", 0.5, -6.0)
        assert surface.status()["preset"] == "soft"


def test_a_plugins_state_goes_into_the_preset_and_comes_back(
    models: Path, bundle: Callable[[str], Path], own_cache: Path
) -> None:
    with playing(models / "half.onnx") as played:
        surface = HostSurface(played.host)
        played.host.insert("post", {"plugin": str(bundle("delay"))})
        surface.set("post.1.gain_db", -12.0)
        level = 0.15 * 10 ** (-12 / 20)
        played.settles(level)
        save_preset("with plug-in", surface.save("with plug-in"))
        surface.set("post.1.gain_db", 0.0)
        played.settles(0.15)
        surface.load_preset("with plug-in")
        played.settles(level)


def test_midi_and_osc_turn_the_knobs_of_a_host(models: Path) -> None:
    with playing(models / "controls.onnx") as played:
        surface = HostSurface(played.host)
        bindings = Bindings(surface, [MidiMapping("cc", 7, "parameter", "gain")])
        bindings.feed(mido.Message("control_change", control=7, value=127).bytes())
        played.settles(0.3)
        with OscServer(surface, "127.0.0.1", 0) as server:
            client = SimpleUDPClient(*server.address)
            client.send_message("/restyle/param/gain", 0.25)
            client.send_message("/restyle/style", "nobody")
            client.send_message("/restyle/mix", "loud")
            played.until(lambda: played.host.get("gain") == 0.25)
            client.send_message("/restyle/style", "test-fir")
            played.until(lambda: played.host.now["model"] == "test-fir")
            client._sock.close()
        played.settles(0.15)


def test_specs_and_presets_say_the_same(models: Path) -> None:
    preset = Preset(
        name="p",
        model="test-fir",
        mix=0.5,
        input_gain_db=1.0,
        output_gain_db=-2.0,
        pre_mix=0.75,
        pre=(Stage({"effect": "Gain", "gain_db": -1.0}, bypass=True, mix=0.5),),
    )
    numbers = iter(range(1, 9))
    spec = to_spec(preset, Spec(lane="worker"), lambda: next(numbers))
    assert spec.pre == (StageSpec(1, {"effect": "Gain", "gain_db": -1.0}, True, 0.5),)
    assert spec.lane == "worker"
    assert to_preset(spec, "p", "", {}) == preset
