"""Files of format 1 mean what they meant, and are rewritten as format 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import PresetError
from realtime.presets.check import Library
from realtime.presets.files import read_preset, read_session, upgrade_file
from realtime.presets.opening import open_session
from realtime.session.sound import Branch, Sound, Stage

OLD = """format = 1
name = "Warm lead"
note = "second verse"
model = "amp-blend"
mix = 0.75
input_gain_db = 3.0
output_gain_db = -2.0
pre_mix = 1.0
post_mix = 0.5

[controls]
warm = 0.25
fuzz = 0.75

[[pre]]
effect = "NoiseGate"
threshold_db = -50

[[post]]
effect = "Delay"
mix = 0.25

[[post]]
effect = "Reverb"
stage_mix = 0.5
bypass = true
"""
GATE = Stage(effect="NoiseGate", parameters={"threshold_db": -50.0})
DELAY = Stage(effect="Delay", parameters={"mix": 0.25})
REVERB = Stage(effect="Reverb", mix=0.5, bypass=True)
AMP = Stage(model="amp-blend", parameters={"warm": 0.25, "fuzz": 0.75}, mix=0.75)
NAMES = {
    "mix": "2.stage_mix",
    "bypass": "bypass",
    "input_gain_db": "input_gain_db",
    "warm": "2.warm",
    "pre.1.threshold_db": "1.threshold_db",
    "post.1.mix": "3.1.1.mix",
    "post.2.stage_mix": "3.1.2.stage_mix",
    "post_mix": "3.stage_mix",
}


def write(folder: Path, text: str) -> Path:
    path = folder / "old.toml"
    path.write_text(text)
    return path


def test_chains_become_stages_around_the_model(tmp_path: Path) -> None:
    preset = read_preset(write(tmp_path, OLD))
    assert (preset.name, preset.note) == ("Warm lead", "second verse")
    chain = Stage(group=(Branch((DELAY, REVERB)),), mix=0.5)
    assert preset.sound == Sound((GATE, AMP, chain), 3.0, -2.0)


def test_a_chain_that_is_wholly_wet_needs_no_group(tmp_path: Path) -> None:
    preset = read_preset(write(tmp_path, OLD.replace("post_mix = 0.5", "")))
    assert preset.sound.stages == (GATE, AMP, DELAY, REVERB)


def test_without_chains_mix_is_the_paths(tmp_path: Path) -> None:
    text = 'format = 1\nmodel = "tape"\nmix = 0.25\n'
    assert read_preset(write(tmp_path, text)).sound == Sound((Stage(model="tape"),), mix=0.25)
    text = 'format = 1\nmix = 0.25\n[[post]]\neffect = "Reverb"\n'
    only = read_preset(write(tmp_path, text)).sound  # no model: nothing was mixed
    assert only == Sound((Stage(effect="Reverb"),))


def test_mappings_turn_what_they_turned(tmp_path: Path) -> None:
    tables = "".join(f"[[midi]]\ncc = {i}\nparameter = '{n}'\n" for i, n in enumerate(NAMES))
    session = open_session(write(tmp_path, OLD + tables), Library())
    assert [m.parameter for m in session.midi] == list(NAMES.values())


def test_a_mapping_of_a_chains_dry_wet_makes_it_a_group(tmp_path: Path) -> None:
    tables = "[[midi]]\ncc = 1\nparameter = 'pre_mix'\n[[midi]]\ncc = 2\nstyle = 'tape'\n"
    session = read_session(write(tmp_path, OLD + tables))
    assert session.midi[0].parameter == "1.stage_mix"
    assert session.preset.sound.stages[0] == Stage(group=(Branch((GATE,)),))
    plain = 'format = 1\nmodel = "amp-blend"\n[[midi]]\ncc = 1\nparameter = "mix"\n'
    assert read_session(write(tmp_path, plain)).midi[0].parameter == "mix"


def test_mistakes_keep_their_sentences(tmp_path: Path) -> None:
    for text, says in (
        ("format = 1\n[controls]\nx = 1\n", r"\[controls\] names 'x', but there is no model; take"),
        (OLD + "[[midi]]\ncc = 1\nparameter = 'post.3.mix'\n", "unknown parameter 'post.3.mix'"),
        (OLD + "[[midi]]\ncc = 1\nparameter = 'wram'\n", "unknown parameter '2.wram'.*'2.warm'"),
    ):
        with pytest.raises(PresetError, match=says):
            open_session(write(tmp_path, text), Library())


def test_an_upgraded_file_means_the_same(tmp_path: Path) -> None:
    tables = "[[midi]]\ncc = 1\nparameter = 'warm'\n[device]\ninput_channels = [0, 2]\n"
    path = write(tmp_path, "# mine\n" + OLD + tables)
    before = read_session(path)
    assert upgrade_file(path, write=False) == 1
    assert path.read_text().startswith("# mine")
    assert upgrade_file(path) == 1
    text = path.read_text()
    assert text.startswith("format = 2\n")
    assert "[[stage.group.stage]]" in text
    assert read_session(path) == before
    assert upgrade_file(path) == 2
    assert path.read_text() == text
    broken = write(tmp_path, OLD + "[[midi]]\n")
    with pytest.raises(PresetError, match="exactly one of cc"):
        upgrade_file(broken)
    assert broken.read_text().startswith("format = 1")
