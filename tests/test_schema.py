"""Mistakes in data from outside are one sentence each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from realtime.errors import ConfigError, ControlError, RestyleError
from realtime.schema import check, read, read_json, shown


class Knob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: Annotated[float, Meta(ge=-6.0, le=6.0, extra={"unit": "dB"})] = 0.0
    mode: Literal["low", "high"] = "low"
    count: Annotated[int, Meta(ge=1, le=8)] | None = None

    def __post_init__(self) -> None:
        check(self)
        if self.mode == "high" and self.count is None:
            raise ConfigError("high needs a count")


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    knobs: tuple[Knob, ...] = ()
    values: dict[str, float] = {}
    main: Knob | None = None
    port: int | str = 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "x: it needs name, text"),
        ([], r"x: it must be a table, got \[\]"),
        (
            {"name": "a", "knosb": 1},
            "x: unknown key 'knosb'; did you mean 'knobs'.; there are name",
        ),
        ({"name": 3}, 'x: name must be text, got 3; write for example name = "…"'),
        ({"name": "a", "values": {"b": "c"}}, r'x: \[values\]: b must be a number, got "c"'),
        ({"name": "a", "values": 3}, r"x: \[values\] must be a table of names and numbers, got 3"),
        ({"name": "a", "main": 3}, r"x: \[main\] must be a table, got 3"),
        ({"name": "a", "main": {"level": 7}}, r"x: \[main\]: level must be .* -6..6 dB, got 7"),
        (
            {"name": "a", "main": {"count": 0}},
            r"\[main\]: count must be a whole number within 1..8",
        ),
        ({"name": "a", "port": 0.5}, "port must be a whole number or text, got 0.5"),
        (
            {"name": "a", "knobs": {}},
            r"knobs must be tables in double brackets; write \[\[knobs\]\]",
        ),
        (
            {"name": "a", "knobs": [{}, {"mode": "hgih"}]},
            r"\[\[knobs\]\] 2: mode must be one of high",
        ),
        ({"name": "a", "knobs": [{"mode": "high"}]}, r"x: \[\[knobs\]\] 1: high needs a count"),
        ({"name": "a", "knobs": [{"level": float("nan")}]}, "level must be .* got nan"),
        (
            {"name": "a", "values": {"b": 10**5000}},
            "b must be .* got a number of more than 60 digits",
        ),
    ],
)
def test_each_mistake_names_place_expectation_and_value(data: Any, says: str) -> None:
    with pytest.raises(ControlError, match=says) as caught:
        read(data, Board, "x", error=ControlError)
    assert "\n" not in str(caught.value)


def test_what_is_good_comes_back_as_its_type() -> None:
    good = {"name": "a", "knobs": [{"level": 3, "mode": "high", "count": 2}], "values": {"b": 1}}
    assert read(good, Board) == Board("a", (Knob(3.0, "high", 2),), {"b": 1.0})


def test_objects_of_json_are_called_so() -> None:
    with pytest.raises(ConfigError, match="the body: knobs 1: level must be a number within"):
        read({"name": "a", "knobs": [{"level": "x"}]}, Board, "the body", table="an object")
    with pytest.raises(ConfigError, match="the body: main must be an object, got 3"):
        read({"name": "a", "main": 3}, Board, "the body", table="an object")


def test_values_made_by_code_are_held_against_the_same_ranges() -> None:
    for wrong in ({"level": 7.0}, {"level": float("nan")}, {"level": "1"}, {"count": 9}):
        with pytest.raises(ConfigError, match="must be a"):
            Knob(**wrong)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match='mode must be one of high, low, got "hgih"; did you mean'
    ):
        Knob(mode="hgih")  # type: ignore[arg-type]


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(["name", "knobs", "values", "main", "port", "level", "mode", "count", "`"])
DATA = st.recursive(
    LEAF, lambda d: st.lists(d, max_size=3) | st.dictionaries(KEYS, d, max_size=4), max_leaves=12
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYS, DATA, max_size=5))
def test_whatever_comes_is_a_value_or_one_sentence(data: Any) -> None:
    try:
        read(data, Board, "x")
    except RestyleError as error:
        assert str(error).startswith("x: ")
        assert "\n" not in str(error) or any("\n" in str(v) for v in data)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b"[1e999]",
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        b"9" * 5000,
        b"{'a': 1}",
    ],
)
def test_what_is_no_json_is_one_sentence(text: bytes) -> None:
    with pytest.raises(ControlError, match="the body is not valid JSON: ") as caught:
        read_json(text, ControlError, "the body")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_values_are_shown_short() -> None:
    assert (
        shown(True) == "true" and shown("a\nb") == '"a\\nb"' and shown(10**400).startswith("a num")
    )
    assert len(shown("x" * 1000)) == 58
