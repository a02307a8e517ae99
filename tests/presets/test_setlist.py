"""Setlists as files and on the command line; scenes in presets."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import PresetError
from realtime.presets.check import Library
from realtime.presets.files import find_preset, read_preset, save_preset
from realtime.presets.format import Preset
from realtime.presets.opening import open_preset, open_session
from realtime.presets.setlist import list_setlists, open_setlist, save_setlist
from realtime.session.sound import Scene, Sound, Stage

from ..controllers.fake import LIBRARY, sound


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    for name in ("one", "two"):
        save_preset(name, Preset(sound=Sound((Stage(effect="Gain"),))))
    return tmp_path


def test_a_setlist_is_written_read_and_listed(folder: Path) -> None:
    path = save_setlist("gig", ["two", "one", "two"], 2.5)
    assert path == folder / "presets" / "setlists" / "gig.toml"
    name, opened = open_setlist("gig", Library())
    assert name == "gig"
    assert [(o.title, o.tail) for o in opened] == [("two", 2.5), ("one", 2.5), ("two", 2.5)]
    assert list_setlists() == ["gig"]
    with pytest.raises(PresetError, match="there is a setlist 'gig'"):
        save_setlist("gig", ["one"])
    before = path.read_bytes()
    save_setlist("gig", ["two", "one", "two"], 2.5, replace_old=True)
    assert path.read_bytes() == before
    with pytest.raises(PresetError, match="there is no preset 'three'"):
        save_setlist("other", ["one", "three"])
    assert list_setlists() == ["gig"]


def test_files_start_from_the_setlists_folder_and_titles_and_tails_are_its_own(
    folder: Path,
) -> None:
    (folder / "band").mkdir()
    find_preset("one").rename(folder / "band" / "first.toml")
    text = (
        'format = 1\ntail = 1.0\n[[preset]]\npreset = "first.toml"\ntitle = "Song"\ntail = 0.0\n'
        '[[preset]]\npreset = "two"\n'
    )
    (folder / "band" / "list.toml").write_text(text)
    name, opened = open_setlist(folder / "band" / "list.toml", Library())
    assert name == "list"
    assert [(o.title, o.tail) for o in opened] == [("Song", 0.0), ("two", 1.0)]
    assert opened[0].path == folder / "band" / "first.toml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format = 1\n", r"at least one \[\[preset\]\]"),
        ("format = 2\n[[preset]]\npreset = 'one'\n", "format must be one of 1, got 2"),
        ("format = 1\n[[preset]]\npreset = 'oen'\n", r"\[\[preset\]\] 1: .*did you mean 'one'"),
        ("format = 1\n[[preset]]\npreset = 'one'\ntail = -1.0\n", "within 0..60 s"),
        ("format = 1\n[[preset]]\npreest = 'one'\n", "did you mean 'preset'"),
    ],
)
def test_mistakes_are_one_sentence_that_names_the_place(folder: Path, text: str, says: str) -> None:
    path = folder / "bad.toml"
    path.write_text(text)
    with pytest.raises(PresetError, match=says) as caught:
        open_setlist(path, Library())
    assert str(caught.value).startswith("bad.toml")


# -- scenes in presets -----------------------------------------------------------------------------

SCENES = """
[[scene]]
name = "Lead"
values = { room_size = 0.9, "2.bypass" = false, warm = 0.9, fuzz = 0.3 }

[[scene]]
name = "Clean"
values = { mix = 0.5 }
"""


def opened(folder: Path, text: str) -> Preset:
    path = folder / "scenes.toml"
    path.write_text('format = 2\n[[stage]]\nmodel = "blend"\n[[stage]]\neffect = "Reverb"\n' + text)
    return open_preset(path, LIBRARY)


def test_scenes_of_a_file_are_checked_and_named_in_full(folder: Path) -> None:
    lead, clean = opened(folder, SCENES).sound.scenes
    weights = {"1.warm": 0.75, "1.fuzz": 0.25, "1.lo": 0.0}
    assert lead.values == pytest.approx({"2.room_size": 0.9, "2.bypass": 0.0, **weights})
    assert clean == Scene("Clean", {"mix": 0.5})


def test_scenes_are_written_as_they_are_read(folder: Path) -> None:
    made = sound("blend", scenes=(Scene("A b", {"1.bypass": 1.0, "mix": 0.25}), Scene("C")))
    path = save_preset("with scenes", Preset(sound=made))
    assert read_preset(path).sound.scenes == made.scenes
    before = path.read_bytes()
    save_preset("with scenes", read_preset(path), replace_old=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[scene]]\nname = "x"\nvalues = { romsize = 1.0 }', "scene 'x': unknown parameter"),
        ('[[scene]]\nname = "x"\nvalues = { mix = 2.0 }', "scene 'x': mix must be within 0..1"),
        ('[[scene]]\nname = "x"\n[[scene]]\nname = "x"\n', "two scenes are called 'x'"),
        ("[[scene]]\nvalues = { mix = 1.0 }", r"\[\[scene\]\] 1: it needs name"),
        ('[[scene]]\nname = "x"\nvalues = 3', "must be a table, got 3"),
    ],
)
def test_mistakes_in_scenes_are_one_sentence(folder: Path, text: str, says: str) -> None:
    with pytest.raises(PresetError, match=says):
        opened(folder, text)


# -- sessions --------------------------------------------------------------------------------------


def test_a_preset_of_a_mapping_that_is_not_there_is_a_warning(folder: Path) -> None:
    path = folder / "live.toml"
    path.write_text(
        'format = 2\nsetlist = "lists/gig.toml"\n[midi_input]\nchannels = [2]\n'
        '[[midi]]\nprogram = 1\npreset = "onee"\n[[midi]]\ncc = 1\nparameter = "mix"\n'
        '[[midi]]\nnote = 1\nscene = 2\n[[midi]]\nnote = 2\naction = "next"\n'
    )
    said: list[str] = []
    session = open_session(path, Library(), said.append)
    assert len(session.midi) == 4
    assert session.midi[2].scene == 2
    assert session.midi_input is not None
    assert session.midi_input.channels == (2,)
    assert session.setlist == str(folder / "lists" / "gig.toml")
    assert len(said) == 1
    assert "live.toml: [[midi]] 1" in said[0]
    assert "did you mean 'one'" in said[0]
    assert "program 1 does nothing until it is there" in said[0]
    with pytest.raises(PresetError, match="setlist"):
        read_preset(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[midi]]\ncc = 1\naction = "nxt"', "did you mean 'next'"),
        ("[[midi]]\ncc = 1\nscene = true", "scene must be"),
        ('[[midi]]\ncc = 1\nparameter = "mix"\nswitch = "press"', 'mode = "toggle"'),
        ("[midi_input]\nchannels = [17]\n", "channels must be"),
    ],
)
def test_mistakes_of_a_session_are_one_sentence(folder: Path, text: str, says: str) -> None:
    path = folder / "live.toml"
    path.write_text("format = 2\n" + text)
    with pytest.raises(PresetError, match=says):
        open_session(path, Library())
