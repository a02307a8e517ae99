"""Knobs of a preset's own, and the voices that come with restyle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.errors import ConfigError, PresetError
from realtime.host.front import Front
from realtime.host.machine import State
from realtime.host.view import View
from realtime.presets.check import Library
from realtime.presets.files import (
    delete_preset,
    find_preset,
    list_presets,
    read_preset,
    save_preset,
)
from realtime.presets.format import Preset
from realtime.presets.opening import open_preset
from realtime.session.names import find_knob, walk_knobs
from realtime.session.operations import OWN, Insert, Move, Remove, Set
from realtime.session.render import render
from realtime.session.sound import Macro, Setup, Sound, Stage, identified

from ..signals import Array

RATE = 48_000
LIBRARY = Library()
VOICES = [e.name for e in list_presets(bundled=True) if e.kind == "voices"]
KNOB = """format = 2
[[stage]]
effect = "Distortion"
drive_db = 6.0
[[stage]]
effect = "Gain"
gain_db = -3.0
[[knob]]
name = "heat"
default = 0.25
targets = { "1.drive_db" = [0.0, 24.0], "2.gain_db" = [0.0, -12.0] }
"""


def checked(text: str, folder: Path) -> Sound:
    (folder / "one.toml").write_text(text)
    return LIBRARY.checked(read_preset(folder / "one.toml").sound)[0]


def standing(sound: Sound) -> dict[str, float]:
    _, known = LIBRARY.checked(sound)
    return {k.parameter.name: k.parameter.value for k in walk_knobs(sound, known)}


def turned(sound: Sound, name: str, value: float) -> Sound:
    return find_knob(sound, LIBRARY.checked(sound)[1], name).set(value).apply(Setup(sound)).sound


def test_a_knob_moves_its_targets_along_lines_and_stands_where_the_first_stands(
    tmp_path: Path,
) -> None:
    sound = checked(KNOB, tmp_path)
    assert standing(sound)["heat"] == 0.25
    half = standing(turned(sound, "heat", 0.5))
    assert (half["heat"], half["1.drive_db"], half["2.gain_db"]) == (0.5, 12.0, -6.0)
    assert standing(turned(sound, "1.drive_db", 24.0))["heat"] == 1.0
    with pytest.raises(ConfigError, match=r"heat must be within 0\.\.1"):
        turned(sound, "heat", 1.5)


def test_a_preset_with_knobs_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path))
    (tmp_path / "one.toml").write_text(KNOB)
    preset = read_preset(tmp_path / "one.toml")
    assert read_preset(save_preset("two", preset)).sound == preset.sound
    assert preset.sound.macros[0].targets["2.gain_db"] == (0.0, -12.0)


def test_targets_follow_their_stages(tmp_path: Path) -> None:
    sound = checked(KNOB, tmp_path)
    first, second = (s.identity for s in sound.stages)
    there = Insert(Stage(effect="Reverb", identity=9), 0).apply(Setup(sound)).sound
    assert list(there.macros[0].targets) == ["2.drive_db", "3.gain_db"]
    moved = Move(first, 2).apply(Setup(there)).sound
    assert list(moved.macros[0].targets) == ["3.drive_db", "2.gain_db"]
    left = Remove(first).apply(Setup(moved)).sound
    assert list(left.macros[0].targets) == ["2.gain_db"]
    assert Remove(second).apply(Setup(left)).sound.macros == ()


class Line:
    """A supervisor that remembers what is turned."""

    def __init__(self, sound: Sound) -> None:
        known = {i: list(p) for i, p in LIBRARY.checked(sound)[1].items()}
        now = {"parameters": known}
        self.view = View(State.PLAYING, Setup(sound), now)
        self.turns: list[tuple[int, str, float]] = []

    def turn(self, turns: tuple[tuple[int, str, float], ...], at: int | None = None) -> None:
        self.turns += turns


def test_a_running_host_turns_the_targets_at_once(tmp_path: Path) -> None:
    sound = checked(KNOB, tmp_path)
    line = Line(sound)
    Front(line).set("heat", 0.75)  # type: ignore[arg-type]
    first, second = (s.identity for s in sound.stages)
    assert line.turns == [(first, "drive_db", 18.0), (second, "gain_db", -9.0)]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('"heat"', '"mix"', "knob 'mix': every sound has that name"),
        ('"heat"', '"He at"', "must be a knob's name"),
        ("1.drive_db", "1.drive", "no parameter '1.drive'; did you mean '1.drive_db'"),
        ("[0.0, 24.0]", "[0.0, 2400.0]", "must be within"),
        ("[0.0, 24.0]", "[3.0, 3.0]", "needs its values at both ends"),
        ("[0.0, 24.0]", "[3.0]", "two numbers"),
        ("default = 0.25", "default = 2.0", "minimum, default and maximum must rise"),
    ],
)
def test_a_knob_that_cannot_be_is_one_sentence(
    tmp_path: Path, was: str, now: str, says: str
) -> None:
    with pytest.raises(PresetError, match=r"\[\[knob\]\]|knob") as told:
        checked(KNOB.replace(was, now), tmp_path)
    assert says in str(told.value)


def test_the_same_name_twice_is_refused() -> None:
    one = Macro("heat", {"1.drive_db": (0.0, 1.0)})
    with pytest.raises(ConfigError, match="two knobs are called 'heat'"):
        Sound(macros=(one, one))


def test_bundled_voices_are_found_after_ones_own_and_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path))
    assert len(VOICES) >= 8 and find_preset("radio").parent.name == "voices"
    with pytest.raises(PresetError, match="comes with restyle"):
        delete_preset("radio")
    own = save_preset("radio", Preset("radio", sound=Sound(output_gain_db=-1.0)))
    assert find_preset("radio") == own
    assert [e.bundled for e in list_presets(bundled=True) if e.name == "radio"] == [False]


def vowel() -> Array:
    """A second of a voice: a gliding harmonic tone through two formants, breath, a faint hiss."""
    time = np.arange(RATE) / RATE
    phase = 2.0 * np.pi * np.cumsum(120.0 + 20.0 * time) / RATE
    harmonics = np.arange(1, 40)
    near = [sum(1.0 / (1.0 + ((120.0 * k - f) / 150.0) ** 2) for f in (600.0, 1500.0))
            for k in harmonics]  # fmt: skip
    tone = sum(a * np.sin(k * phase) for a, k in zip(near, harmonics, strict=True))
    breath = np.random.default_rng(3).standard_normal(RATE) * np.select(
        [time < 0.75, time < 0.85], [0.01, 0.1], 0.02
    )
    x = np.asarray(tone * (time < 0.75) + breath)
    return np.asarray(0.3 * x / np.abs(x).max(), dtype=np.float32)


def played(sound: Sound) -> Array:
    """The last second of four: what minds the level takes its time."""
    x = np.tile(vowel(), 4)
    return np.asarray(render(sound, Clip(x[None], RATE)).samples[0, -RATE:])


@pytest.mark.parametrize("voice", VOICES)
def test_a_bundled_voice_sounds_at_about_its_level_and_every_knob_changes_it(
    voice: str,
) -> None:
    sound, known = LIBRARY.checked(open_preset(voice, LIBRARY).sound)
    assert 2 <= len(sound.macros) <= 4
    for macro in sound.macros:
        knob = find_knob(sound, known, macro.name).parameter
        assert knob.value == pytest.approx(macro.default, abs=1e-4)
        wanted = macro.values(macro.default)
        assert {k: v for k, v in standing(sound).items() if k in wanted} == pytest.approx(
            wanted, abs=1e-3
        )
    level = 20 * np.log10(np.std(played(sound)) / np.std(vowel()))
    assert -8.0 < level < 8.0
    for macro in sound.macros:
        least, most = (
            played(Set(OWN, macro.name, share).apply(Setup(sound)).sound) for share in (0.0, 1.0)
        )
        assert np.std(most - least) > 5e-4 * np.std(least), macro.name


def test_a_knob_of_stages_without_identity_is_refused_in_a_sentence() -> None:
    knob = Macro("gain_db", {"1.gain_db": (-20.0, 0.0)})
    sound = Sound((Stage(effect="Gain"),), macros=(knob,))
    with pytest.raises(ConfigError, match="the stage of '1.gain_db' has no identity yet"):
        Set(0, "gain_db", 0.5).apply(Setup(sound))
    known = Sound(identified(sound.stages, 1), macros=(knob,))
    turned = Set(0, "gain_db", 0.5).apply(Setup(known)).sound.stages[0]
    assert turned.parameters["gain_db"] == -10.0
