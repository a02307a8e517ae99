"""Presets against the real catalogue and the real effects."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import ChainError, ControlError, PresetError
from realtime.parameters.mapping import MidiMapping
from realtime.parameters.parameter import Parameter
from realtime.presets.chains import read_chain
from realtime.presets.check import Library, find_card
from realtime.presets.files import preset_path, save_preset, write_file
from realtime.presets.format import Preset
from realtime.presets.opening import open_preset, open_session
from realtime.presets.paths import absolute
from realtime.session.names import knobs
from realtime.session.sound import Branch, Sound, Stage

from ..nam.test_file import tiny
from ..nam.test_file import write as write_capture

REAL = Library()


@pytest.fixture(autouse=True)
def no_models_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))


def model(name: str, **values: float) -> Stage:
    return Stage(model=name, parameters=values)


def effect(name: str, **values: float | str) -> Stage:
    return Stage(effect=name, parameters=values)


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ((model("tube-apm"),), r"1: there is no model 'tube-apm'; did you mean 'tube-a"),
        ((model("./gone.onnx"),), r"1: there is no model file"),
        ((model("tagger"),), "model tagger is a tagger, which makes no sound; choose one"),
        ((model("ear"),), "model ear is an ear, which makes no sound; choose one"),
        ((model("tube-amp", x=1),), "1: model tube-amp has no parameter 'x'; it has none"),
        ((model("amp-blend", wram=1),), "did you mean 'warm'"),
        ((model("amp-blend", warm=2),), r"warm must be within 0\.\.1, got 2"),
        ((model("amp-blend", warm=0),), "a blend needs a weight above 0"),
        ((effect("Revreb"),), r"live.toml: \[\[stage\]\] 1: unknown effect 'Revreb'; .*'Reverb'"),
        (
            (effect("Gain"), effect("Reverb", room=1)),
            r"\[\[stage\]\] 2: effect Reverb has no parameter 'room'; did you mean 'room_size'",
        ),
        (
            (effect("Gain"), Stage(group=(Branch(), Branch((effect("Reverb", room=1),))))),
            r"\[\[stage\]\] 2: \[\[stage.group\]\] 2: \[\[stage.group.stage\]\] 1: effect Reverb",
        ),
        ((effect("Gain", gain_db="3"),), 'gain_db must be a number, got "3"'),
        ((effect("LadderFilter", mode="LPF13"),), "must be one of LPF12.*did you mean 'LPF12'"),
        ((effect("Gain", mix=0.5),), "dry/wet is stage_mix"),
        ((effect("Convolution"),), 'needs a file; write impulse_response_filename = "FILE.wav"'),
        (
            (effect("Convolution", impulse_response_filename="/gone.wav"),),
            "there is no file /gone.wav",
        ),
        ((Stage(plugin="No Such Verb"),), "there is no plug-in 'No Such Verb'"),
        ((Stage(plugin="/gone.vst3"),), "there is no plug-in file /gone.vst3"),
    ],
)
def test_what_is_not_there_is_named(stages: tuple[Stage, ...], says: str, own_cache: Path) -> None:
    with pytest.raises(PresetError, match=says) as caught:
        REAL.checked(Sound(stages), "live.toml")
    assert "\n" not in str(caught.value)


def test_a_good_sound_gives_the_parameters_of_its_stream() -> None:
    delay = Stage(effect="Delay", parameters={"mix": 0.2}, bypass=True, mix=0.4)
    filter = effect("LadderFilter", mode="BPF12")
    branches = (Branch((filter,), -3.0), Branch())
    stages = (model("amp-blend", warm=1.0, fuzz=0.75), delay, Stage(group=branches))
    sound, known = REAL.checked(Sound(stages, mix=0.5))
    found = {p.name: p for p in knobs(sound, known)}
    values = {n: p.value for n, p in found.items()}
    assert values["mix"] == 0.5
    assert values["1.warm"] == pytest.approx(4 / 7)
    assert values["1.fuzz"] == pytest.approx(3 / 7)
    assert (values["2.bypass"], values["2.stage_mix"], values["2.mix"]) == (1.0, 0.4, 0.2)
    assert (values["3.1.gain_db"], values["3.2.gain_db"]) == (-3.0, 0.0)
    assert found["3.1.1.mode"].shown(values["3.1.1.mode"]) == "BPF12"


def test_opening_checks_gives_full_paths_and_all_weights(
    tmp_path: Path, presets_folder: Path
) -> None:
    save_preset("lead", Preset(sound=Sound((model("amp-blend", fuzz=0.5),))))
    (amp,) = open_preset("lead", REAL).sound.stages
    assert amp.parameters == {"warm": 0, "crunch": 0, "fuzz": 1, "radio": 0}
    write_file(tmp_path / "own.toml", Preset(sound=Sound((model("gone.onnx"),))))
    with pytest.raises(PresetError, match=f"own.toml: .*no model file {tmp_path}/gone.onnx"):
        open_preset(tmp_path / "own.toml", REAL)
    preset_path("bad").write_text("format = 1\nmodel = 'tube-apm'\n")
    with pytest.raises(PresetError, match=r"bad.toml: .*there is no model 'tube-apm'"):
        open_preset("bad", REAL)


def test_only_what_is_a_path_is_made_whole() -> None:
    verb = Stage(plugin="x/Verb.vst3", preset="big.vstpreset")
    room = effect("Convolution", impulse_response_filename="room.wav", mix=1.0)
    stages = (model("tube-amp"), Stage(plugin="Verb"), Stage(group=(Branch((verb, room)),)))
    amp, named, group = absolute(stages, Path("/a"))
    assert (amp, named) == stages[:2]
    assert group.group is not None
    verb, room = group.group[0].stages
    assert (verb.plugin, verb.preset) == ("/a/x/Verb.vst3", "/a/big.vstpreset")
    assert room.parameters == {"impulse_response_filename": "/a/room.wav", "mix": 1.0}
    assert absolute((model("own.nam"),), Path("/a"))[0].model == "/a/own.nam"
    assert absolute((model("/m/own.onnx"),), Path("/a"))[0].model == "/m/own.onnx"


SESSION = """format = 2
[[stage]]
model = "amp-blend"
[[stage]]
effect = "Gain"
[record]
folder = "takes"
"""


def test_a_session_is_opened_with_its_mappings_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTYLE_RECORDINGS", str(tmp_path / "takes"))
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
        ("parameter = '3.gain_db'", "unknown parameter '3.gain_db'"),
        ("parameter = '0.gain_db'", "unknown parameter '0.gain_db'"),
        ("parameter = 'stage_mix'", "several stages have a parameter 'stage_mix': 1.stage_mix, 2"),
        ("parameter = 'mix'\nlow = -1", r"low must be within 0\.\.1, the range of mix, got -1"),
        ("parameter = 'mix'\ncurve = 'log'", "a log curve needs both ends above 0"),
        ("style = 'taep'", "there is no model 'taep'; did you mean 'tape'"),
    ],
)
def test_a_mapping_to_what_is_not_there_is_refused(tmp_path: Path, mapping: str, says: str) -> None:
    path = tmp_path / "live.toml"
    path.write_text(SESSION + f"[[midi]]\ncc = 1\n{mapping}\n")
    with pytest.raises(PresetError, match=r"live.toml: \[\[midi\]\] 1: .*" + says) as caught:
        open_session(path, REAL)
    assert "\n" not in str(caught.value)


def test_parameters_of_a_plug_in_are_left_to_whoever_plays_it(tmp_path: Path) -> None:
    library = Library(plugin=lambda name: None)
    path = tmp_path / "live.toml"
    path.write_text(
        "format = 2\n[[stage]]\nplugin = 'Verb'\nsize = 3.0\n"
        "[[midi]]\ncc = 1\nparameter = '1.size'\n[[midi]]\ncc = 2\nparameter = '1.stage_mix'\n"
    )
    session = open_session(path, library)
    assert session.preset.sound.stages[0].parameters == {"size": 3.0}
    with pytest.raises(ControlError, match="range of 1.size is not known here; give low"):
        MidiMapping(cc=1, parameter="1.size").ends(Parameter("1.size", -float("inf"), float("inf")))


def test_a_chain_file_gives_stages_with_or_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_text('[[stage]]\neffect = "Delay"\nmix = 0.25\n[[stage]]\neffect = "Reverb"\n')
    amp = model("tube-amp")
    delay, verb = read_chain(path)
    assert delay == effect("Delay", mix=0.25)  # the effect's own
    assert read_chain(path, amp) == (amp, delay, verb)
    path.write_text('[[stage]]\neffect = "Delay"\n[[stage]]\nmodel = "tape"\n')
    assert read_chain(path, amp) == (effect("Delay"), amp)
    path.write_text('[[post]]\neffect = "Delay"\n[[pre]]\neffect = "Reverb"\n')  # an older file
    assert read_chain(path, amp) == (effect("Reverb"), amp, effect("Delay"))
    assert read_chain(path) == (effect("Reverb"), effect("Delay"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[stgae]]\neffect = 'Gain'\n", "chain.toml: unknown key 'stgae'; did you mean 'stage'"),
        ("[[prre]]\neffect = 'Gain'\n", "chain.toml: unknown key 'prre'; did you mean 'pre'"),
        ("[[stage]]\neffect = 7\n", r"chain.toml: \[\[stage\]\] 1: effect must be text, got 7"),
        ("[[stage]]\neffect = 'a'\n[[post]]\neffect = 'b'\n", "are of older chain files"),
    ],
)
def test_a_chain_file_with_mistakes_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(text)
    with pytest.raises(ChainError, match=says):
        read_chain(path)
    with pytest.raises(ChainError, match="cannot read"):
        read_chain(tmp_path / "gone.toml")


def test_a_capture_that_cannot_play_is_told_and_a_good_one_has_its_ranges(tmp_path: Path) -> None:
    bad = tmp_path / "amp.nam"
    bad.write_text("{}")
    with pytest.raises(PresetError, match="amp"):
        REAL.checked(Sound((model(str(bad)),)))
    good = write_capture(tmp_path, tiny())
    assert find_card(str(good)).controls[0].name == "input_db"
    with pytest.raises(PresetError, match=r"input_db must be within -24\.\.24 dB, got 90"):
        REAL.checked(Sound((model(str(good), input_db=90.0),)))


def test_a_response_that_is_no_sound_is_refused_as_where_it_plays(tmp_path: Path) -> None:
    path = tmp_path / "cab.wav"
    path.write_text("no sound at all")
    room = effect("Convolution", impulse_response_filename=str(path))
    with pytest.raises(PresetError, match=r"\[\[stage\]\] 1: cannot read cab\.wav"):
        REAL.checked(Sound((room,)))
