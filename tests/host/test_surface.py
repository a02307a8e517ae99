"""The host behind presets, MIDI and OSC: knobs by name, presets in and out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient

from realtime.controllers.bindings import Bindings
from realtime.controllers.osc import OscServer
from realtime.errors import RestyleError
from realtime.host.surface import HostSurface, PatientSurface
from realtime.parameters.mapping import MidiMapping
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.session.operations import Insert
from realtime.session.sound import Branch, Sound, Stage, identified

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
        played.insert(effect="Reverb", parameters={"room_size": 0.3})
        found = {p.name: p for p in surface.parameters()}
        assert found["mix"].value == 0.25
        assert (found["1.gain"].minimum, found["1.gain"].maximum, found["1.gain"].value) == (
            0,
            1,
            0.5,
        )
        assert found["1.choice"].kind == "categorical"
        assert found["2.room_size"].value == 0.3
        assert found["2.stage_mix"].value == 1.0
        for name, value in (
            ("gain", 0.75),
            ("2.room_size", 0.9),
            ("2.bypass", 1.0),
            ("2.stage_mix", 0.5),
            ("input_gain_db", -3.0),
        ):
            surface.set(name, value)
            assert surface.get(name) == value
        with pytest.raises(RestyleError, match="did you mean 'gain'"):
            surface.set("gian", 0.5)
        with pytest.raises(RestyleError, match="within 0..1"):
            surface.set("2.room_size", 2.0)


def test_what_changes_the_latency_has_its_stage_made_anew(models: Path) -> None:
    capture = models / "amp.nam"
    config = {"receptive_field": 1, "bias": False}
    data = {"version": "0.5.4", "architecture": "Linear", "weights": [0.5], "sample_rate": 48000}
    capture.write_text(json.dumps({**data, "config": config}))
    with playing(capture) as played:
        told: list[str] = []
        surface, patient = HostSurface(played.host), PatientSurface(played.host, told.append)
        played.settles(0.15)
        declared = surface.status()["latency_samples"]
        surface.set("oversampling", 4.0)
        assert surface.get("1.oversampling") == 4.0
        played.until(lambda: surface.status()["latency_samples"] == declared + 3)
        played.settles(0.15)
        patient.set("oversampling", 2.0)
        played.until(lambda: surface.status()["latency_samples"] == declared + 2)
        patient.set("oversampling", 3.0)
        played.until(lambda: bool(told))
        assert "oversampling must be 1, 2, 4 or 8, got 3" in told[0]
        with pytest.raises(RestyleError, match="oversampling must be 1, 2, 4 or 8, got 5"):
            surface.set("oversampling", 5.0)
        assert surface.get("oversampling") == 2.0


def test_a_control_is_heard(models: Path) -> None:
    with playing(models / "controls.onnx") as played:
        surface = HostSurface(played.host)
        played.settles(0.15)
        surface.set("gain", 1.0)
        played.settles(0.3)
        surface.bypass(True)
        surface.set("gain", 0.0)
        played.settles(0.3)


def test_what_is_turned_while_a_change_is_made_holds_afterwards(models: Path) -> None:
    many = tuple(Stage(model=str(models / "controls.onnx")) for _ in range(6))
    silent = tuple(Branch(many, gain_db=-100.0) for _ in range(7))
    (group,) = identified((Stage(group=(Branch(), *silent)),), 100)  # takes a while to open
    with playing(models / "controls.onnx") as played:
        host = played.host
        beside = threading.Thread(target=lambda: host.do(Insert(group)), daemon=True)
        beside.start()
        played.until(lambda: host.pending)
        host.set("mix", 0.25)
        host.set("1.gain", 0.75)
        played.until(lambda: not host.pending, 60)
        beside.join(20.0)
        assert (host.get("mix"), host.get("1.gain")) == (0.25, 0.75)
        assert host.setup.sound.stages[0].parameters["gain"] == 0.75
        # the mix is of 0.3 and of 0.75 times 0.3
        played.settles(0.3 * (0.75 + 0.25 * 0.75))


def test_a_preset_is_loaded_whole_or_not_at_all_and_saved_as_it_is(models: Path) -> None:
    gained = Stage(effect="Gain", parameters={"gain_db": -6.0}, mix=0.5)
    soft = Sound((Stage(model="test-fir", mix=0.5), gained), output_gain_db=-6.0)
    save_preset("soft", Preset("soft", "", soft))
    save_preset("lost", Preset("lost", "", Sound((Stage(model="nobody"),))))
    save_preset("odd", Preset("odd", "", Sound((Stage(effect="Gainn"),))))
    with playing(models / "controls.onnx") as played:
        surface, before = HostSurface(played.host), played.host.setup
        for name, says in (("lost", "nobody"), ("odd", "Gainn"), ("none", "no preset 'none'")):
            with pytest.raises(RestyleError, match=says):
                surface.load_preset(name)
        assert played.host.setup == before
        surface.load_preset("soft")
        gain = 10 ** (-6 / 20)
        level = 0.3 * 0.75 * gain * (0.5 + 0.5 * gain)
        played.settles(level)
        surface.set("2.gain_db", 0.0)
        saved = surface.save("again")
        first, second = saved.sound.stages
        assert (first.model, first.mix, saved.sound.output_gain_db) == ("test-fir", 0.5, -6.0)
        assert (second.effect, second.parameters) == ("Gain", {"gain_db": 0.0})
        assert surface.status()["preset"] == "soft"


def test_a_plugins_state_goes_into_the_preset_and_comes_back(
    models: Path, bundle: Callable[[str], Path], own_cache: Path
) -> None:
    with playing(models / "half.onnx") as played:
        surface = HostSurface(played.host)
        played.insert(plugin=str(bundle("delay")))
        surface.set("2.gain_db", -12.0)
        level = 0.15 * 10 ** (-12 / 20)
        played.settles(level)
        save_preset("with plug-in", surface.save("with plug-in"))
        surface.set("2.gain_db", 0.0)
        played.settles(0.15)
        surface.load_preset("with plug-in")
        played.settles(level)


def test_midi_and_osc_turn_the_knobs_of_a_host(models: Path) -> None:
    with playing(models / "controls.onnx") as played:
        surface = HostSurface(played.host)
        bindings = Bindings(surface, [MidiMapping(cc=7, parameter="gain")])
        bindings.feed(mido.Message("control_change", control=7, value=127).bytes())
        played.settles(0.3)
        with OscServer(surface, "127.0.0.1", 0) as server:
            client = SimpleUDPClient(*server.address)
            client.send_message("/restyle/param/gain", 0.25)
            client.send_message("/restyle/style", "nobody")
            client.send_message("/restyle/mix", "loud")
            played.until(lambda: played.host.get("gain") == 0.25)
            client.send_message("/restyle/style", "test-fir")
            played.until(lambda: surface.status()["style"] == "test-fir")
            client._sock.close()
        played.settles(0.15)
