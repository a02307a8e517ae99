import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.presets.toml_text import to_toml

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


@given(DOCUMENT)
def test_what_is_written_is_read_back_and_written_the_same(data) -> None:
    text = to_toml(data)
    back = tomllib.loads(text)
    assert back == data
    assert to_toml(back) == text


def test_plain_values_first_then_tables_in_double_brackets() -> None:
    data = {"post": [{"effect": "Gain", "gain_db": 3}], "mix": 0.1, "map": [1, 2], "b": {"c": True}}
    assert to_toml(data) == (
        'mix = 0.1\nmap = [1, 2]\n\n[[post]]\neffect = "Gain"\ngain_db = 3\n\n[b]\nc = true\n'
    )


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no form"):
        to_toml({"a": None})
