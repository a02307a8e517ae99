"""Names of parameters in a sound: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import msgspec
import pytest

from realtime.errors import ConfigError
from realtime.parameters.parameter import CATEGORICAL, SWITCH, Parameter, find_parameter
from realtime.session.names import find_knob, full_name, knobs, walk_knobs
from realtime.session.operations import OWN, Insert, Move, Remove, Set, Swap, restyle
from realtime.session.sound import Branch, Setup, Sound, Stage, identified, places

DRIVE = Parameter("drive", 0.0, 10.0, 2.0)
MODE = Parameter("mode", 0.0, 2.0, kind=CATEGORICAL, choices=("low", "band", "high"))
ON = Parameter("on", kind=SWITCH)
SOUND = Sound(
    (
        Stage(model="amp", identity=7, parameters={"drive": 3.0}),
        Stage(effect="Filter", identity=3, parameters={"mode": "band", "on": True}, bypass=True),
        Stage(
            group=(
                Branch((Stage(model="amp", identity=5),), -6.0),
                Branch((Stage(plugin="x", identity=9), Stage(model="cab", identity=4)), 3.0),
            ),
            identity=2,
            mix=0.25,
        ),
    ),
    input_gain_db=-3.0,
)
KNOWN = {7: [DRIVE], 5: [DRIVE], 3: [MODE, ON], 4: [Parameter("size", default=0.5)]}


def test_every_parameter_has_a_name_and_stands_where_the_sound_says() -> None:
    found = {p.name: p.value for p in knobs(SOUND, KNOWN)}
    assert list(found) == [
        *("mix", "input_gain_db", "output_gain_db", "bypass", "mute"),
        *("1.bypass", "1.stage_mix", "1.drive"),
        *("2.bypass", "2.stage_mix", "2.mode", "2.on"),
        *("3.bypass", "3.stage_mix"),
        *("3.1.gain_db", "3.1.1.bypass", "3.1.1.stage_mix", "3.1.1.drive"),
        *("3.2.gain_db", "3.2.1.bypass", "3.2.1.stage_mix"),
        *("3.2.2.bypass", "3.2.2.stage_mix", "3.2.2.size"),
    ]
    wanted = {"input_gain_db": -3.0, "1.drive": 3.0, "2.bypass": 1.0, "2.mode": 1.0, "2.on": 1.0}
    wanted |= {"3.stage_mix": 0.25, "3.1.gain_db": -6.0, "3.1.1.drive": 2.0, "3.2.2.size": 0.5}
    assert {n: found[n] for n in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "identity", "own", "value"),
    [
        ("mix", OWN, "mix", 0.5),
        ("bypass", OWN, "bypass", 1.0),
        ("1.drive", 7, "drive", 4.0),
        ("3.1.1.drive", 5, "drive", 4.0),
        ("3.2.gain_db", 2, "2.gain_db", -1.0),
        ("3.stage_mix", 2, "stage_mix", 0.75),
        ("2.mode", 3, "mode", 2.0),
        ("size", 4, "size", 1.0),  # one stage alone has it
    ],
)
def test_a_name_sets_what_it_names(name: str, identity: int, own: str, value: float) -> None:
    knob = find_knob(SOUND, KNOWN, name)
    assert knob[1:] == (identity, own)
    after = knob.set(value).apply(Setup(SOUND)).sound
    changed = {
        p.name: p.value
        for p, q in zip(knobs(after, KNOWN), knobs(SOUND, KNOWN), strict=True)
        if p != q
    }
    assert changed == {knob.parameter.name: value}
    assert full_name(SOUND, identity, own) == knob.parameter.name


def test_a_choice_is_set_by_its_word_and_a_switch_by_true() -> None:
    assert find_knob(SOUND, KNOWN, "2.mode").set("high") == Set(3, "mode", 2.0)
    assert find_knob(SOUND, KNOWN, "2.on").set(False) == Set(3, "on", 0.0)
    with pytest.raises(ConfigError, match="2.mode must be one of low, band, high, got 'hgih'; did"):
        find_knob(SOUND, KNOWN, "2.mode").set("hgih")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("1.drvie", "unknown parameter '1.drvie'; did you mean '1.drive'"),
        ("szie", "unknown parameter 'szie'; did you mean 'size'"),
        ("drive", "several stages have a parameter 'drive': 1.drive, 3.1.1.drive; say which"),
        ("4.drive", "unknown parameter '4.drive'"),
        ("01.drive", "unknown parameter '01.drive'"),
        ("", "unknown parameter ''"),
    ],
)
def test_names_that_mean_nothing_are_told(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        find_knob(SOUND, KNOWN, name)


def test_a_name_follows_its_stage_when_that_moves() -> None:
    moved = Move(7, 2).apply(Setup(SOUND)).sound
    assert full_name(moved, 7, "drive") == "3.drive"
    assert full_name(Remove(7).apply(Setup(SOUND)).sound, 7, "drive") is None
    assert [p for p, s in places(moved.stages) if s.model == "cab"] == ["2.2.2."]
    knob = next(k for k in walk_knobs(moved, KNOWN) if k[1:] == (7, "drive"))
    assert (knob.parameter.name, knob.parameter.value) == ("3.drive", 3.0)


def test_the_style_is_the_first_model_wherever_it_stands() -> None:
    tape = Stage(model="tape", identity=20)
    assert restyle(SOUND, tape) == Swap(7, tape)
    assert restyle(SOUND, None) == Remove(7)
    inside = msgspec.structs.replace(SOUND, stages=SOUND.stages[1:])
    assert restyle(inside, tape) == Swap(5, tape)
    assert restyle(Sound(), tape) == Insert(tape, 0)
    assert restyle(Sound(), None) is None


def test_stages_get_identities_that_nobody_has() -> None:
    stages = (Stage(effect="a"), Stage(group=(Branch((Stage(effect="b"),)),)))
    numbered = identified(stages, 5)
    assert [s.identity for s in Sound(numbered).walk()] == [5, 6, 7]
    assert identified(numbered, 1) == numbered


def test_own_names_and_places_are_the_two_halves_of_a_name() -> None:
    for name, place, own in (
        ("mix", "", "mix"),
        ("2.room_size", "2.", "room_size"),
        ("3.1.2.drive", "3.1.2.", "drive"),
        ("3.1.gain_db", "3.1.", "gain_db"),
    ):
        parameter = Parameter(name)
        assert (parameter.place, parameter.own_name) == (place, own)
    assert find_parameter([Parameter("2.a"), Parameter("a")], "a").name == "a"
