import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import PresetError
from realtime.presets.toml import parse, to_toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | TEXT
    | st.lists(st.integers(0, 99), max_size=4)
)
TABLE = st.dictionaries(TEXT, PLAIN, max_size=4)
INSIDE = st.dictionaries(TEXT, PLAIN | TABLE | st.lists(TABLE, min_size=1, max_size=3), max_size=4)
DOCUMENT = st.dictionaries(
    TEXT, PLAIN | INSIDE | st.lists(INSIDE, min_size=1, max_size=3), max_size=5
)


@settings(deadline=None)
@given(DOCUMENT)
def test_what_is_written_is_read_back_and_written_the_same(data) -> None:
    text = to_toml(data)
    back = tomllib.loads(text)
    assert back == data
    assert to_toml(back) == text


def test_plain_values_first_then_tables_in_double_brackets() -> None:
    data = {"post": [{"effect": "Gain", "gain_db": 3}], "mix": 0.1, "map": [1, 2], "b": {"c": True}}
    assert to_toml(data) == (
        "mix = 0.1\nmap = [\n    1,\n    2,\n]\n\n"
        '[[post]]\neffect = "Gain"\ngain_db = 3\n\n[b]\nc = true\n'
    )


def test_tables_inside_tables_of_a_list_carry_both_names() -> None:
    data = {"stage": [{"group": [{"stage": [{"effect": "Gain"}]}], "stage_mix": 0.5}]}
    assert to_toml(data) == (
        '[[stage]]\nstage_mix = 0.5\n\n[[stage.group]]\n\n[[stage.group.stage]]\neffect = "Gain"\n'
    )


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="not TOML"):
        to_toml({"a": None})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = " + "9" * 5000, "long.toml is not valid TOML"),
        ("x = " + "[" * 3000 + "]" * 3000, "long.toml is not valid TOML: it is nested too deeply"),
        ("x" + "={x" * 2000 + "=1" + "}" * 2000, "nested too deeply"),
        ("x = [\n", "is not valid TOML"),
        ("#" * (17 << 20), "cannot read .*long.toml: it has more than 16 MiB"),
    ],
)
def test_texts_that_break_a_reader_are_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "long.toml"
    path.write_text(text)
    with pytest.raises(PresetError, match=says) as caught:
        parse(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
