"""Presets against the real catalogue and pedalboard's real effects."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import ChainError, ControlError, PresetError
from realtime.parameters.mapping import MidiMapping
from realtime.presets.chain_text import read_stages
from realtime.presets.check import Library
from realtime.presets.files import preset_path, save_preset, write_file
from realtime.presets.format import Preset
from realtime.presets.preset_open import absolute, open_preset, open_session
from realtime.stages.file import load_chain

REAL = Library()


@pytest.fixture(autouse=True)
def no_models_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))


@pytest.mark.parametrize(
    ("preset", "says"),
    [
        (Preset(model="tube-apm"), "live.toml: there is no model 'tube-apm'; did you mean 'tube-a"),
        (Preset(model="./gone.onnx"), "live.toml: there is no model file"),
        (Preset(model="tube-amp", controls={"x": 1}), r"\[controls\] names 'x', but the model has"),
        (Preset(controls={"x": 1}), r"\[controls\] names 'x', but there is no model; take it out"),
        (Preset(model="amp-blend", controls={"wram": 1}), "did you mean 'warm'"),
        (Preset(model="amp-blend", controls={"warm": 2}), r"warm must be within 0\.\.1, got 2"),
        (Preset(model="amp-blend", controls={"warm": 0}), "a blend needs a weight above 0"),
        (
            Preset(pre=(Stage({"effect": "Revreb"}),)),
            r"\[\[pre\]\] 1: unknown effect 'Revreb'",
        ),
        (
            Preset(post=(Stage({"effect": "Gain"}), Stage({"effect": "Reverb", "room": 1}))),
            r"\[\[post\]\] 2: effect Reverb has no parameter 'room'; did you mean 'room_size'",
        ),
        (Preset(post=(Stage({"effect": "Gain", "gain_db": "3"}),)), "refuses its parameters"),
        (Preset(post=(Stage({"effect": "Gain", "mix": 0.5}),)), "dry/wet is stage_mix"),
    ],
)
def test_what_is_not_there_is_named(preset: Preset, says: str) -> None:
    with pytest.raises(PresetError, match=says) as caught:
        REAL.parameters(preset, "live.toml")
    assert "\n" not in str(caught.value)


def test_a_good_preset_gives_the_parameters_of_its_stream() -> None:
    preset = Preset(
        model="amp-blend",
        mix=0.5,
        controls={"warm": 1.0, "fuzz": 3.0 / 4},
        post=(Stage({"effect": "Delay", "mix": 0.2}, bypass=True, mix=0.4),),
    )
    found = {p.name: p.value for p in REAL.parameters(preset)}
    assert found["mix"] == 0.5
    assert found["warm"] == pytest.approx(4 / 7)
    assert found["fuzz"] == pytest.approx(3 / 7)
    assert found["2.bypass"] == 1.0
    assert found["2.stage_mix"] == 0.4


def test_opening_checks_gives_full_paths_and_all_weights(tmp_path: Path, folder: Path) -> None:
    preset = Preset(model="amp-blend", controls={"fuzz": 0.5})
    save_preset("lead", preset)
    assert open_preset("lead", REAL).controls == {"warm": 0, "crunch": 0, "fuzz": 1, "radio": 0}
    write_file(tmp_path / "own.toml", Preset(model="gone.onnx"))
    with pytest.raises(PresetError, match=f"own.toml: there is no model file {tmp_path}/gone.onnx"):
        open_preset(tmp_path / "own.toml", REAL)
    preset_path("bad").write_text("format = 1\nmodel = 'tube-apm'\n")
    with pytest.raises(PresetError, match="bad.toml: there is no model 'tube-apm'"):
        open_preset("bad", REAL)


def test_a_capture_is_found_and_its_controls_are_left_to_the_player(tmp_path: Path) -> None:
    capture = tmp_path / "amp.nam"
    capture.write_text("{}")
    found = REAL.parameters(Preset(model=str(capture), controls={"input_db": 3.0}))
    knob = next(p for p in found if p.name == "input_db")
    assert knob.value == 3.0
    with pytest.raises(ControlError, match="range of input_db is not known here; give low"):
        MidiMapping(cc=1, parameter="input_db").ends(knob)


def test_only_what_is_a_path_is_made_whole() -> None:
    plugin = Stage({"plugin": "x/Verb.vst3", "preset": "big.vstpreset"})
    named = Stage({"plugin": "Verb"})
    whole = absolute(Preset(model="tube-amp", pre=(plugin, named)), Path("/a"), Path("/b"))
    assert whole.model == "tube-amp"
    assert whole.pre[0].entry == {"plugin": "/b/x/Verb.vst3", "preset": "/b/big.vstpreset"}
    assert whole.pre[1] == named
    assert absolute(Preset(model="own.nam"), Path("/a")).model == "/a/own.nam"
    assert absolute(Preset(model="/m/own.onnx"), Path("/a")).model == "/m/own.onnx"


SESSION = "format = 1\nmodel = 'amp-blend'\n[[post]]\neffect = 'Gain'\n[record]\nfolder = 'takes'\n"


def test_a_session_is_opened_with_its_mappings_checked(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    save_preset("soft", Preset())
    good = "parameter = 'warm'", "parameter = '2.gain_db'", "style = 'tape'", "preset = 'soft'"
    path.write_text(SESSION + "".join(f"[[midi]]\ncc = {i}\n{g}\n" for i, g in enumerate(good)))
    session = open_session(path, REAL)
    assert len(session.midi) == 4
    assert session.record is not None
    assert session.record.folder == str(tmp_path / "takes")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("parameter = 'wram'", "unknown parameter 'wram'; did you mean 'warm'"),
        ("parameter = 'post.2.gain_db'", "unknown parameter 'post.2.gain_db'"),
        ("parameter = 'post.0.gain_db'", "unknown parameter 'post.0.gain_db'"),
        ("parameter = 'mix'\nlow = -1", r"low must be within 0\.\.1, the range of mix, got -1"),
        ("parameter = 'mix'\ncurve = 'log'", "a log curve needs both ends above 0"),
        ("style = 'taep'", "there is no model 'taep'; did you mean 'tape'"),
        ("preset = 'gone'", "there is no preset 'gone'"),
    ],
)
def test_a_mapping_to_what_is_not_there_is_refused(tmp_path: Path, mapping: str, says: str) -> None:
    path = tmp_path / "live.toml"
    path.write_text(SESSION + f"[[midi]]\ncc = 1\n{mapping}\n")
    with pytest.raises(PresetError, match=r"live.toml: \[\[midi\]\] 1: .*" + says) as caught:
        open_session(path, REAL)
    assert "\n" not in str(caught.value)


def test_a_chain_file_gives_the_stages_the_chain_itself_has(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(
        '[[pre]]\neffect = "NoiseGate"\nthreshold_db = -50\n'
        '[[post]]\neffect = "Delay"\nmix = 0.25\n[[post]]\neffect = "Reverb"\n'
    )
    stages = read_stages(path)
    chains = dict(zip(("pre", "post"), load_chain(path), strict=True))
    for place, chain in chains.items():
        assert chain is not None
        assert [s.name for s in stages[place]] == chain.names
    assert stages["post"][0].entry == {"effect": "Delay", "mix": 0.25}  # the effect's own
    assert stages["post"][0].mix == 1.0
    path.write_text("[[prre]]\neffect = 'Gain'\n")
    with pytest.raises(ChainError, match="chain.toml: unknown key 'prre'; did you mean 'pre'"):
        read_stages(path)
