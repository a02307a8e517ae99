from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.errors import PresetError
from realtime.parameters.mapping import MidiMapping
from realtime.presets import files as preset_file
from realtime.presets.files import (
    delete_preset,
    find_preset,
    list_presets,
    preset_folder,
    preset_path,
    read_preset,
    read_session,
    save_preset,
    write_file,
)
from realtime.presets.format import OscSettings, Preset, RecordSettings, SessionFile
from realtime.session.sound import Branch, Device, Sound, Stage

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SHARE = st.floats(0, 1)
GAIN = st.floats(-100, 24)
WHOLE = st.integers(1, 16)
VALUES = st.dictionaries(
    TEXT, st.booleans() | TEXT | st.floats(allow_nan=False, allow_infinity=False), max_size=3
)
STATE = st.binary(min_size=1, max_size=9).map(lambda b: __import__("base64").b64encode(b).decode())
OWN = {"bypass": st.booleans(), "mix": SHARE}
PLAIN = (
    st.builds(Stage, effect=TEXT, parameters=VALUES, **OWN)
    | st.builds(Stage, model=TEXT, parameters=VALUES, **OWN)
    | st.builds(Stage, plugin=TEXT, plugin_name=TEXT, state=STATE, parameters=VALUES, **OWN)
)


def group(stages: st.SearchStrategy[Stage]) -> st.SearchStrategy[Stage]:
    branch = st.builds(Branch, st.lists(stages, max_size=2).map(tuple), GAIN)
    return st.builds(Stage, group=st.lists(branch, min_size=1, max_size=2).map(tuple), **OWN)


STAGES = st.lists(PLAIN | group(PLAIN | group(PLAIN)), max_size=2).map(tuple)
SOUNDS = st.builds(Sound, STAGES, GAIN, GAIN, SHARE)
PRESETS = st.builds(Preset, TEXT, st.just("") | TEXT, SOUNDS)
MAPS = st.none() | st.lists(st.integers(-1, 1023), min_size=1, max_size=3).map(tuple)
DEVICES = st.builds(
    Device,
    input=st.none() | TEXT,
    output=st.none() | TEXT,
    sample_rate=st.none() | st.integers(8000, 768000),
    block_size=st.none() | WHOLE,
    in_map=MAPS,
    out_map=MAPS,
    lane=st.sampled_from(["auto", "inline", "worker"]),
    worker_blocks=WHOLE,
    fixed_latency=st.none() | WHOLE,
)
END = st.none() | SHARE
MAPPINGS = st.builds(
    lambda source, number, target, name, **more: MidiMapping(
        **{source: number, target: name}, **more
    ),
    st.sampled_from(["cc", "cc14", "note"]),
    st.integers(0, 31),
    st.sampled_from(["parameter", "style", "preset"]),
    TEXT,
    channel=st.none() | WHOLE,
    port=st.just("") | TEXT,
    low=END,
    high=END,
    curve=st.sampled_from(["linear", "log"]),
    mode=st.sampled_from(["set", "toggle"]),
    pickup=st.booleans(),
)
SESSIONS = st.builds(
    SessionFile, PRESETS, st.none() | DEVICES, st.lists(MAPPINGS, max_size=2).map(tuple),
    st.none() | st.builds(OscSettings, TEXT, WHOLE),
    st.none() | st.builds(RecordSettings, TEXT, st.booleans(), st.booleans()),
)  # fmt: skip

quick = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@quick
@given(SESSIONS)
def test_a_session_is_read_as_it_was_written_and_written_the_same(
    tmp_path: Path, session: SessionFile
) -> None:
    path = tmp_path / "a.toml"
    write_file(path, session)
    back = read_session(path)
    assert back == session
    first = path.read_bytes()
    write_file(path, back)
    assert path.read_bytes() == first


@quick
@given(PRESETS)
def test_a_preset_is_read_as_it_was_written(tmp_path: Path, preset: Preset) -> None:
    write_file(tmp_path / "a.toml", preset)
    assert read_preset(tmp_path / "a.toml") == preset


def test_what_is_at_its_default_is_not_written(tmp_path: Path) -> None:
    one, none = float("1"), float("0")
    stage = Stage(group=(Branch((Stage(model="x", mix=one, parameters={}),), none),), mix=one)
    write_file(tmp_path / "a.toml", Preset(sound=Sound((stage,))))
    tables = (tmp_path / "a.toml").read_text().partition("[[")[2]
    assert tables == 'stage]]\n\n[[stage.group]]\n\n[[stage.group.stage]]\nmodel = "x"\n'


def test_a_file_without_a_name_has_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lead.toml"
    path.write_text("format = 1\n")
    assert read_preset(path) == Preset(name="lead")


HEAD, TWO = "format = 1\n", "format = 2\n"
STAGE = TWO + "[[stage]]\n"
INNER = STAGE + "[[stage.group]]\n"
BAD = [
    ("", "the key format is missing; write format = 2 as the first line"),
    ("format = 3\n", r"format 3 is newer than this restyle reads \(2\)"),
    ("format = 0\n", "format must be a whole number"),
    ("format = true\n", "format must be a whole number"),
    ('format = "1"\n', 'format must be a whole number from 1, got "1"'),
    ("format = [\n", "is not valid TOML"),
    ("x = " + "9" * 5000, "is not valid TOML"),
    (HEAD + "mxi = 0.5\n", "unknown key 'mxi'; did you mean 'mix'"),
    (HEAD + "mix = 'loud'\n", r'mix must be a number within 0\.\.1, got "loud"; write for example'),
    (HEAD + "mix = true\n", "mix must be a number .*got true"),
    (HEAD + "mix = nan\n", "mix must be a number .*got nan"),
    (HEAD + "mix = 1.01\n", "mix must be a number .*got 1.01"),
    (HEAD + "mix = 1" + "0" * 400, "mix must be a number"),
    (HEAD + "mix = 1979-05-27\n", "mix must be a number"),
    (HEAD + "[[stage]]\neffect = 'Gain'\n", "unknown key 'stage'"),
    (TWO + "[[post]]\neffect = 'Gain'\n", "unknown key 'post'"),
    (TWO + "pre_mix = 1\n", "unknown key 'pre_mix'"),
    (TWO + "note = 3\n", "note must be text, got 3"),
    (TWO + "mix = -0.5\n", r"mix must be a number within 0\.\.1, got -0.5"),
    (TWO + "[stage]\neffect = 'Gain'\n", r"stage must be tables in double .*write \[\[stage\]\]"),
    (TWO + "stage = [1]\n", r"stage must be tables in double brackets"),
    (STAGE + "room_size = 1\n", r"\[\[stage\]\] 1: a stage needs exactly one of model"),
    (STAGE + "effect = 'A'\nmodel = 'B'\n", r"\[\[stage\]\] 1: a stage needs exactly one"),
    (STAGE + "effect = ''\n", r"\[\[stage\]\] 1: effect must be text, got"),
    (
        STAGE + "effect = 'Gain'\nstage_mix = 2\n",
        r"1: stage_mix must be a number within 0\.\.1, got 2",
    ),
    (
        STAGE + "effect = 'Gain'\ngain_db = [1]\n",
        r"\[\[stage\]\] 1: .*gain_db must be a number, true",
    ),
    (STAGE + "effect = 'Gain'\ngain_db = inf\n", r"gain_db must be a number, true.*got inf"),
    (STAGE + "effect = 'Gain'\nparameters = 3\n", r"\[parameters\] must be a table, got 3"),
    (STAGE + "group = 3\n", r"1: group must be tables in double .*write \[\[stage.group\]\]"),
    (INNER + "gain = 3\n", r"\[\[stage.group\]\] 1: unknown key 'gain'; did you mean 'gain_db'"),
    (
        INNER + "gain_db = 30\n",
        r"\[\[stage.group\]\] 1: gain_db must be a .* -100\.\.24 dB, got 30",
    ),
    (
        INNER + "[[stage.group.stage]]\neffect = 'Gain'\nbypass = 'yes'\n",
        r"\[\[stage\]\] 1: \[\[stage.group\]\] 1: \[\[stage.group.stage\]\] 1: bypass must be true",
    ),
    (
        TWO + "stage = " + "[{group = [{stage = " * 6 + "[]" + "}]}]" * 6,
        "groups stand within groups at most 4 deep",
    ),
    (
        TWO + "stage = " + "[{group = [{stage = " * 40 + "[]" + "}]}]" * 40,
        "nested too deeply",
    ),
    (HEAD + "input_gain_db = 25\n", r"input_gain_db must be a number within -100\.\.24 dB, got 25"),
    (HEAD + "model = 3\n", "model must be text, got 3"),
    (HEAD + 'model = ""\n', "model must be text"),
    (HEAD + "controls = 3\n", r"\[controls\] must be a table of names and numbers, got 3"),
    (HEAD + "[controls]\nwarm = 'x'\n", r'\[controls\]: warm must be a number, got "x"'),
    (HEAD + "[controls]\nwarm = inf\n", "warm must be a number"),
    (
        HEAD + "[pre]\neffect = 'Gain'\n",
        r"pre must be tables in double brackets; write \[\[",
    ),
    (HEAD + "[[post]]\nroom_size = 1\n", r"\[\[post\]\] 1: a stage needs exactly one"),
    (HEAD + "[[post]]\neffect = 'A'\nplugin = 'B'\n", "a stage needs exactly one"),
    (HEAD + "[[post]]\neffect = 3\n", "effect must be text, got 3"),
    (HEAD + "[[post]]\neffect = 'Gain'\nbypass = 1\n", "bypass must be true or false, got 1"),
    (HEAD + "[[post]]\neffect = 'Gain'\nstage_mix = 2\n", "stage_mix must be a number within 0..1"),
    (HEAD + "[[post]]\neffect = 'Gain'\ngain_db = [1]\n", "gain_db must be a number, true, false"),
    (HEAD + "[[post]]\neffect = 'Gain'\ngain_db = nan\n", "gain_db must be a number, true, false"),
    (HEAD + "[[post]]\nplugin = 'x'\nstate = 'a b'\n", "state must be bytes in base64"),
    (HEAD + "[[post]]\nplugin = 'x'\nstate = 'ä'\n", "state must be bytes in base64"),
    (HEAD + "[[post]]\nplugin = 'x'\nparameters = 3\n", r"\[parameters\] must be a table"),
    (HEAD + "[device]\ninputs = 1\n", r"\[device\]: unknown key 'inputs'; did you mean 'input'"),
    (HEAD + "[device]\nsample_rate = 4\n", r"sample_rate must be a whole number .* Hz, got 4"),
    (HEAD + "[device]\nblock_size = 64.0\n", "block_size must be a whole number .*got 64.0"),
    (HEAD + "[device]\ninput_channels = 1\n", "input_channels must be a list of whole numbers"),
    (HEAD + "[device]\ninput_channels = []\n", "input_channels must be a list of whole numbers"),
    (HEAD + "[device]\ninput_channels = [-1]\n", "input_channels must be a list of whole numbers"),
    (HEAD + "[device]\ninput_channels = [1]\nchannels = 2\n", "make them equal"),
    (HEAD + "[device]\nlane = 'inlin'\n", "lane must be one of .*did you mean 'inline'"),
    (HEAD + "[device]\nlane = []\n", "lane must be one of"),
    (HEAD + "[device]\nfixed_latency = -1\n", "fixed_latency must be a whole number"),
    (HEAD + "[osc]\nport = 70000\n", r"\[osc\]: port must be a whole number within 1..65535"),
    (HEAD + "[osc]\nhots = 'x'\n", "did you mean 'host'"),
    (HEAD + "[record]\ndry = 'yes'\n", "dry must be true or false"),
    (HEAD + "[record]\nfile = 'yes'\n", r"\[record\]: unknown key 'file'"),
    (HEAD + "[midi]\ncc = 1\n", r"write \[\[midi\]\]"),
    (HEAD + "[[midi]]\ncc = 1\n", r"\[\[midi\]\] 1: a mapping needs exactly one of parameter"),
    (
        HEAD + "[[midi]]\nparameter = 'mix'\n",
        "exactly one of cc, cc14, nrpn, note, program; it has none",
    ),
    (HEAD + "[[midi]]\ncc = 1\nnote = 2\nparameter = 'mix'\n", "it has cc and note"),
    (
        HEAD + "[[midi]]\ncc = 128\nparameter = 'mix'\n",
        r"cc must be a whole number .* 0\.\.127",
    ),
    (HEAD + "[[midi]]\ncc14 = 32\nparameter = 'mix'\n", r"cc14 must be .* within 0\.\.31"),
    (
        HEAD + "[[midi]]\ncc = 1\nchannel = 0\nparameter = 'mix'\n",
        "channel must be .* got 0",
    ),
    (HEAD + "[[midi]]\ncc = 1\ncurve = 'lg'\nparameter = 'mix'\n", "did you mean 'log'"),
    (HEAD + "[[midi]]\ncc = 1\nlow = 'a'\nparameter = 'mix'\n", "low must be a number"),
    (HEAD + "[[midi]]\nprogram = 1\nparameter = 'mix'\n", "chooses a preset, style or scene"),
    (HEAD + "[[midi]]\ncc = 1\nparamter = 'mix'\n", "did you mean 'parameter'"),
]


@pytest.mark.parametrize(("text", "says"), BAD)
def test_mistakes_are_one_sentence_that_names_the_file(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "live.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PresetError, match=says) as caught:
        read_session(path)
    sentence = str(caught.value)
    assert sentence.startswith("live.toml")
    assert "\n" not in sentence
    assert len(sentence) < 400


def test_a_session_is_no_preset_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text(HEAD + "[osc]\nport = 9000\n")
    with pytest.raises(PresetError, match=r"live.toml: \[osc\] belongs in a session file"):
        read_preset(path)


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xff\n")
    for bad in (path, tmp_path, tmp_path / "gone.toml"):
        with pytest.raises(PresetError, match=f"cannot read .*{bad.name}"):
            read_preset(bad)
    with pytest.raises(PresetError, match="cannot write"):
        write_file(path / "under.toml", Preset())
    with pytest.raises(PresetError, match="cannot write a.toml"):
        write_file(tmp_path / "a.toml", Preset(note="\ud800"))


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    write_file(path, Preset(note="old"))
    bad = Sound((Stage(effect="Gain", parameters={"x": float("nan")}),))
    with pytest.raises(PresetError, match="a.toml: .*x must be a number"):
        write_file(path, Preset(sound=bad))
    with pytest.raises(PresetError, match="a.toml: .*input must be text"):
        write_file(path, SessionFile(device=Device(input="")))
    assert read_preset(path).note == "old"


def test_a_failing_disk_leaves_the_old_file_and_nothing_beside_it(
    presets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_preset("lead", Preset(note="old"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preset_file.Path, "write_bytes", full)
    with pytest.raises(PresetError, match="No space left"):
        save_preset("lead", Preset(note="new"), replace_old=True)
    monkeypatch.undo()
    assert [p.name for p in presets_folder.iterdir()] == ["lead.toml"]
    assert read_preset(presets_folder / "lead.toml").note == "old"


def test_presets_are_saved_listed_found_and_deleted_by_name(presets_folder: Path) -> None:
    assert list_presets() == []
    amp = (Stage(model="tube-amp"),)
    preset = Preset(sound=Sound(amp, mix=0.5))
    path = save_preset("Warm lead", preset)
    assert (
        path == presets_folder / "Warm lead.toml" == find_preset("Warm lead") == find_preset(path)
    )
    with pytest.raises(PresetError, match="there is a preset 'Warm lead'; .*--force"):
        save_preset("Warm lead", preset)
    save_preset("Warm lead", Preset(sound=Sound(amp, mix=0.25)), replace_old=True)
    (presets_folder / "broken.toml").write_text("mix = 3\n")
    (presets_folder / ".hidden.toml").write_text("mix = 3\n")
    lead, broken = list_presets()
    assert lead.preset == Preset("Warm lead", sound=Sound(amp, mix=0.25))
    assert broken.preset is None
    assert "format is missing" in (broken.problem or "")
    with pytest.raises(PresetError, match="did you mean 'Warm lead'"):
        find_preset("Warm leda")
    with pytest.raises(PresetError, match="there is no preset file"):
        find_preset(presets_folder / "gone.toml")
    delete_preset("Warm lead")
    with pytest.raises(PresetError, match="there is no preset 'Warm lead'"):
        delete_preset("Warm lead")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc/x",
        "~",
        "-rf",
        " a",
        "a ",
        "a.",
        "con",
        "NUL.x",
        "a\nb",
        "a\0b",
        "x" * 65,
        "C:x",
        "_a",
    ],
)
def test_names_that_are_no_file_names_everywhere_are_refused(name: str) -> None:
    with pytest.raises(PresetError, match="is no name for a preset"):
        preset_path(name)


def test_the_folder_is_where_the_system_keeps_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESTYLE_PRESETS")
    monkeypatch.setattr(preset_file.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert preset_folder() == Path("/x/restyle/presets")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert preset_folder() == Path.home() / ".config" / "restyle" / "presets"
    monkeypatch.setattr(preset_file.sys, "platform", "darwin")
    assert preset_folder().parts[-4:] == ("Library", "Application Support", "restyle", "presets")
    monkeypatch.setattr(preset_file.sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", "/roaming")
    assert preset_folder() == Path("/roaming/restyle/presets")
