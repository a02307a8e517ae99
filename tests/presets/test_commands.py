"""``restyle preset`` and ``restyle midi`` as a person runs them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from realtime.cli import main
from realtime.commands import midi as midi_command
from realtime.errors import RestyleError
from realtime.parameters.mapping import MidiMapping
from realtime.presets.files import read_preset, save_preset
from realtime.presets.format import Preset
from realtime.schema import read
from realtime.session.sound import Sound, Stage

CHAIN = '[[pre]]\neffect = "NoiseGate"\nthreshold_db = -50\n[[post]]\neffect = "Reverb"\n'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run a command; return exit code, standard output and standard error."""
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def go(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["restyle", *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return go


def saved(run) -> list[dict[str, Any]]:  # type: ignore[no-untyped-def]
    """What `restyle preset list` prints of one's own."""
    listed = json.loads(run("preset", "list", "--json")[1])
    return [e for e in listed if not e["bundled"]]


def test_a_preset_is_saved_listed_shown_loaded_and_deleted(run, presets_folder: Path) -> None:
    Path("chain.toml").write_text(CHAIN)
    options = ("--model", "amp-blend", "--set", "fuzz=0.7", "--mix", "0.5", "--gain", "3")
    more = ("--output-gain", "-2", "--chain", "chain.toml", "--note", "second verse")
    assert run("preset", "save", "lead", *options, *more)[0] == 0
    weights = {"warm": 0.0, "crunch": 0.0, "fuzz": 1.0, "radio": 0.0}
    stages = (
        Stage(effect="NoiseGate", parameters={"threshold_db": -50.0}),
        Stage(model="amp-blend", parameters=weights),
        Stage(effect="Reverb"),
    )
    wanted = Preset("lead", "second verse", Sound(stages, 3.0, -2.0, 0.5))
    assert read_preset(presets_folder / "lead.toml") == wanted
    code, text, _ = run("preset", "list")
    assert code == 0
    assert "lead" in text and "NoiseGate" in text and "second verse" in text
    (entry,) = saved(run)
    assert entry["preset"]["stage"][1] == {"model": "amp-blend", **weights}
    assert run("preset", "show", "lead")[1] == (presets_folder / "lead.toml").read_text()
    code, text, _ = run("preset", "load", "lead")
    assert code == 0
    assert 'restyle live --preset "lead"' in text
    assert "1.threshold_db" in text and "model amp-blend" in text
    assert run("preset", "check", "lead")[:2] == (0, "lead is good\n")
    assert run("preset", "delete", "lead")[0] == 0
    assert list(presets_folder.iterdir()) == []
    assert saved(run) == [] and "radio" in run("preset", "list")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["save", "x", "--model", "tube-apm"],
            "[[stage]] 1: there is no model 'tube-apm'; did you mean",
        ),
        (["save", "x", "--set", "warm=1"], "unknown parameter 'warm'"),
        (["save", "x", "--model", "amp-blend", "--set", "wram=1"], "did you mean 'warm'"),
        (["save", "x", "--model", "amp-blend", "--set", "warm"], "--set takes NAME=VALUE"),
        (["save", "x", "--mix", "2"], "mix must be a number within 0..1, got 2"),
        (["save", "x", "--model", "tagger"], "model tagger is a tagger, which makes no sound"),
        (["upgrade", "x"], "there is no preset 'x'"),
        (["save", "a/b"], "is no name for a preset"),
        (["save", "x", "--chain", "gone.toml"], "cannot read gone.toml"),
        (["load", "x"], "there is no preset 'x'"),
        (["show", "x"], "there is no preset 'x'"),
        (["delete", "x"], "there is no preset 'x'"),
        (["delete", "../x"], "is no name for a preset"),
        (["delete", "mine.toml"], "is no name for a preset; leave .toml out"),
        (["save", "mine.TOML"], "is no name for a preset; leave .toml out"),
        (["show", "/dev/null"], "there is no preset file /dev/null"),
        (["load", "odd\udcff"], "holds bytes that are no UTF-8"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    run, presets_folder: Path, words: list[str], says: str
) -> None:
    code, text, error = run("preset", *words)
    assert code == 2
    assert text == ""
    assert error.startswith("restyle: ")
    assert error.count("\n") == 1
    assert says in error
    assert not presets_folder.exists()


def test_what_is_too_large_to_be_a_preset_or_no_file_is_not_read(run, presets_folder: Path) -> None:
    presets_folder.mkdir(parents=True)
    with (presets_folder / "sparse.toml").open("wb") as file:
        file.truncate(40 << 30)
    (presets_folder / "folder.toml").mkdir()
    code, text, error = run("preset", "show", "sparse")
    assert (code, text) == (2, "") and "it has more than 16 MiB" in error
    code, text, error = run("preset", "load", "folder")
    assert (code, text) == (2, "") and "it is not a file" in error


def test_an_old_preset_is_overwritten_only_by_force(run, presets_folder: Path) -> None:
    assert run("preset", "save", "x", "--note", "old")[0] == 0
    assert "add --force" in run("preset", "save", "x", "--note", "new")[2]
    assert read_preset(presets_folder / "x.toml").note == "old"
    assert run("preset", "save", "x", "--note", "new", "--force")[0] == 0
    assert read_preset(presets_folder / "x.toml").note == "new"


def test_old_presets_are_upgraded(run, presets_folder: Path) -> None:
    presets_folder.mkdir()
    old = "format = 1\nmodel = 'tape'\n" + CHAIN
    (presets_folder / "old.toml").write_text(old)
    code, text, _ = run("preset", "upgrade", "--check", "old")
    assert (code, (presets_folder / "old.toml").read_text()) == (0, old)
    assert "old.toml would be rewritten from format 1 to 2" in text
    assert "was rewritten from format 1 to 2" in run("preset", "upgrade", "old")[1]
    stages = read_preset(presets_folder / "old.toml").sound.stages
    assert [s.name for s in stages] == ["NoiseGate", "tape", "Reverb"]
    assert "is of format 2 already" in run("preset", "upgrade", "old")[1]


def test_several_presets_are_checked_at_once(run, presets_folder: Path) -> None:
    presets_folder.mkdir()
    (presets_folder / "good.toml").write_text("format = 2\n")
    (presets_folder / "bad.toml").write_text("format = 2\nmxi = 1\n")
    code, text, _ = run("preset", "check", "good", "bad", "gone")
    assert code == 2
    good, bad, gone = text.splitlines()
    assert good == "good is good"
    assert "unknown key 'mxi'; did you mean 'mix'" in bad
    assert "there is no preset 'gone'" in gone


def test_broken_presets_are_listed_with_their_problem(run, presets_folder: Path) -> None:
    presets_folder.mkdir()
    (presets_folder / "bad.toml").write_text("format = 9\n")
    assert "newer than this restyle reads" in run("preset", "list")[1]
    (entry,) = saved(run)
    assert entry["preset"] is None


class Inputs:
    """Ports on which a knob is moved at once."""

    def __init__(self, receive, wanted=(), report=None) -> None:
        for data in ([0xB0, 7, 1], [0xB0, 7, 2], [0xB0]):
            receive([data], "box")

    def __enter__(self) -> Inputs:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_a_knob_is_learnt_and_its_table_printed(run, monkeypatch) -> None:
    monkeypatch.setattr(midi_command, "MidiInputs", Inputs)
    code, text, _ = run("midi", "learn", "fuzz", "--model", "amp-blend", "--seconds", "1")
    assert code == 0
    assert text == '[[midi]]\ncc = 7\nchannel = 1\nparameter = "1.fuzz"\n'


def test_messages_are_printed(run, monkeypatch) -> None:
    monkeypatch.setattr(midi_command, "MidiInputs", Inputs)
    code, text, _ = run("midi", "monitor", "--seconds", "0.01")
    assert code == 0
    assert text.splitlines() == [
        "box: control_change channel=0 control=7 value=1 time=0",
        "box: control_change channel=0 control=7 value=2 time=0",
        "box: malformed: b0",
    ]


def test_inputs_are_listed(run, monkeypatch) -> None:
    monkeypatch.setattr(midi_command, "input_names", lambda: ["box"])
    assert run("midi", "list")[1] == "box\n"
    assert json.loads(run("midi", "list", "--json")[1]) == ["box"]
    monkeypatch.setattr(midi_command, "input_names", list)
    assert "no MIDI input" in run("midi", "list")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["learn", "mxi"], "unknown parameter 'mxi'; did you mean 'mix'"),
        (["learn", "mix", "--model", "a", "--preset", "b"], "either --model or --preset"),
        (["learn", "mix", "--seconds", "0"], "--seconds must be positive"),
        (["monitor", "--seconds", "nan"], "--seconds must be positive"),
        (["learn", "mix", "--preset", "gone"], "there is no preset 'gone'"),
        (["learn", "bypass", "--seconds", "0.01"], "no controller moved within"),
    ],
)
def test_midi_commands_refuse_in_one_sentence(
    run, monkeypatch, words: list[str], says: str
) -> None:
    class Still(Inputs):
        def __init__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(midi_command, "MidiInputs", Still)
    code, _, error = run("midi", *words)
    assert code == 2
    assert says in error


def test_what_learn_prints_is_read_back() -> None:
    mapping = MidiMapping(cc14=7, parameter="mix", channel=3, low=0.1, curve="log", pickup=True)
    table = msgspec.to_builtins(mapping)
    assert table == {
        "cc14": 7,
        "channel": 3,
        "parameter": "mix",
        "low": 0.1,
        "curve": "log",
        "pickup": True,
    }
    assert read(table, MidiMapping) == mapping
    with pytest.raises(RestyleError, match="it has cc and cc14"):
        read({**table, "cc": 3}, MidiMapping)


def test_setlists_on_the_command_line(run, presets_folder: Path) -> None:
    for name in ("one", "two"):
        save_preset(name, Preset(sound=Sound((Stage(effect="Gain"),))))
    assert "no setlist yet" in run("preset", "setlist", "list")[1]
    code, text, _ = run("preset", "setlist", "save", "gig", "one", "two", "--tail", "3")
    assert code == 0
    assert 'restyle live --setlist "gig"' in text
    code, text, _ = run("preset", "setlist", "show", "gig")
    assert code == 0
    assert "two" in text
    assert "3 s" in text
    code, _, error = run("preset", "setlist", "save", "gig", "one", "nobody")
    assert code == 2
    assert "gig" in error
    assert run("preset", "setlist", "delete", "gig")[0] == 0
    assert run("preset", "setlist", "show", "gig")[0] == 2
