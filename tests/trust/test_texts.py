"""Texts made to take for ever are refused by what they count; names that no file can have, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import LONGEST, ModelError, PresetError, RestyleError
from realtime.presets.chains import read_chain
from realtime.presets.check import Library
from realtime.presets.opening import open_preset


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a." * 400_000 + "b = 1", "more in it than a preset or chain ever needs"),  # n² steps
        ("[" + "a." * 400_000 + "b]", "more in it than"),
        ("a.b.c.d.e.f.g.h = 1\n" * 350_000, "more in it than"),
        ("x = [" + "1," * 400_000 + "]", "more in it than"),
        ("[[stage]]\neffect = 'Gain'\n" * 300, "at most 256 stages, this one 300"),
        ("[[stage]]\nmodel = '" + "t" * 9000 + "'", "there is no model"),
        ("[[stage]]\nplugin = '" + "t" * 9000 + ".vst3'", "there is no plug-in file"),
        (
            "[[stage]]\neffect = 'Convolution'\nimpulse_response_filename = '" + "t" * 9000 + "'",
            "there is no file",
        ),
    ],
)
def test_what_would_take_for_ever_is_a_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "shared.toml"
    path.write_text(f"format = 2\n{text}\n")
    with pytest.raises(PresetError, match=reason) as caught:
        open_preset(path, Library())
    assert len(str(caught.value)) <= LONGEST and "\n" not in str(caught.value)


def test_what_a_plug_in_keeps_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(f'[[stage]]\nplugin = "Amp"\nstate = "{"AAAA" * 500_000}"\n')
    assert len(read_chain(path)[0].state or "") == 2_000_000
    path.write_text("# " + "Loud. Then quiet. " * 100 + "\n[[stage]]\neffect = 'Gain'\n")
    assert read_chain(path)[0].effect == "Gain"


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert str(ModelError("there is no model 'a\nb'")) == "there is no model 'a\\nb'"
    long = str(RestyleError("begin " + "x" * 90_000 + " add --trust FILE"))
    assert len(long) <= LONGEST and long.startswith("begin") and long.endswith("--trust FILE")
