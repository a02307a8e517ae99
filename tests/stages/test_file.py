from __future__ import annotations

from pathlib import Path

import pytest

from realtime.errors import ChainError
from realtime.stages.file import load_chain

GOOD = """
[[pre]]
effect = "NoiseGate"
threshold_db = -50

[[pre]]
effect = "Gain"
gain_db = 3.5

[[post]]
effect = "Reverb"
room_size = 0.3
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "chain.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_gives_the_chains_before_and_after_the_model(tmp_path: Path) -> None:
    pre, post = load_chain(written(tmp_path, GOOD))
    assert pre is not None
    assert post is not None
    assert pre.names == ["NoiseGate", "Gain"]
    assert post.names == ["Reverb"]
    gate, gain = (s.stage._plugin for s in pre.slots)  # type: ignore[attr-defined]
    assert gate.threshold_db == -50.0
    assert gain.gain_db == 3.5


@pytest.mark.parametrize("text", ["", "# nothing\n", "pre = []"])
def test_a_place_without_effects_has_no_chain(tmp_path: Path, text: str) -> None:
    assert load_chain(written(tmp_path, text)) == (None, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[pre]\n", "is not valid TOML"),
        ('[[prre]]\neffect = "Gain"\n', "unknown table 'prre'; did you mean 'pre'"),
        ('[pre]\neffect = "Gain"\n', "double brackets"),
        ("pre = 3\n", "double brackets"),
        ("[[pre]]\ngain_db = 3\n", 'needs effect = "NAME"'),
        ("[[pre]]\neffect = 7\n", 'needs effect = "NAME"'),
        ('[[post]]\neffect = "Reverbs"\n', "did you mean 'Reverb'"),
        ('[[post]]\neffect = "Gain"\ngain = 3\n', "did you mean 'gain_db'"),
        ('[[post]]\neffect = "Gain"\ngain_db = "3"\n', "refuses its parameters"),
        ('[[post]]\neffect = "Gain"\ngain_db = [1]\n', "refuses its parameters"),
    ],
)
def test_mistakes_are_one_sentence_that_names_the_file(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ChainError, match=says) as caught:
        load_chain(written(tmp_path, text))
    assert "chain.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ChainError, match=r"cannot read chain .*gone\.toml"):
        load_chain(tmp_path / "gone.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xff\n")
    with pytest.raises(ChainError, match=r"cannot read chain .*latin\.toml"):
        load_chain(path)
    with pytest.raises(ChainError, match="cannot read chain"):
        load_chain(tmp_path)
