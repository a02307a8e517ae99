"""Two folders become a style; recipes from outside; refusals and what judges cannot tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.models.load import read_card
from realtime.proof.verify import verify
from train.fit.loop import Options
from train.own import compare as comparing
from train.own import paired
from train.own.keep import Origin
from train.own.run import Worse
from train.player import play

from .sounds import bent, folders, tune

pytestmark = pytest.mark.usefixtures("without_listener", "without_curves")
MINE = """
from train.own.paired import Effect
from train.recipes.base import Schedule

class Mine(Effect):
    limits = "A test."
    channels, kernel, dilations = 12, 3, (1, 2, 4)
    schedule = Schedule(minutes=1, steps=150, batch=6, segment=1024, learning_rate=2e-2)
"""
QUIET = Options(board=False, check_every=150, save_every=1000)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparing, "judges_are_here", lambda: False)
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def test_a_recipe_of_ones_own_makes_a_style_that_is_nearer_than_an_equaliser(place: Path) -> None:
    said: list[str] = []
    rows = paired.train_paired(
        *folders(place), place / "bent.onnx", "effect", recipe=place / "mine.py",
        origin=Origin("Ada", "CC-BY-4.0"), options=QUIET, log=said.append,
    )  # fmt: skip
    assert rows["model"]["stft_distance"] < rows["matched EQ"]["stft_distance"]
    assert rows["target"]["esr"] == 0 and "nearer to the target" in "\n".join(said)
    assert all(check.passed for check in verify(place / "bent.onnx"))
    card = read_card(place / "bent.onnx")
    assert (card.name, card.licence, card.kind) == ("bent", "CC-BY-4.0", "converter")
    assert "Ada" in str(card.provenance["data"]) and card.provenance["recipe"] == "mine.py"
    x = tune(9, 4.0)
    y, want = play(place / "bent.onnx", x), bent(x)
    assert np.sum((y - want) ** 2) < 0.3 * np.sum((x - want) ** 2)


def test_what_is_not_better_is_not_written(place: Path) -> None:
    with pytest.raises(Worse, match="nothing was written"):
        paired.train_paired(
            *folders(place), place / "bent.onnx", "effect", recipe=place / "mine.py",
            settings=["steps=1"], options=QUIET, log=lambda text: None,
        )  # fmt: skip
    assert not (place / "bent.onnx").exists()


@pytest.mark.parametrize(
    ("out", "kind", "recipe", "text", "said"),
    [
        ("x.wav", "effect", None, "", "end it in .onnx"),
        ("x.onnx", "drum", None, "", "--kind must be one of effect, instrument, voice"),
        ("tube-amp.onnx", "effect", None, "", "name of a recipe of restyle"),
        ("x.onnx", "effect", "none.py", None, "there is no"),
        ("x.onnx", "effect", "bad.py", "1 / 0", "ZeroDivisionError"),
        ("x.onnx", "effect", "bad.py", "x = 1", "defines no recipe"),
        ("x.onnx", "effect", None, "", "--dry and --wet are the same folder"),
    ],
)
def test_bad_words_are_refused_before_any_work(
    place: Path, out: str, kind: str, recipe: str | None, text: str | None, said: str
) -> None:
    if recipe is not None and text is not None:
        (place / recipe).write_text(text)
    with pytest.raises(ConfigError, match=said):
        paired.train_paired(
            place, place, place / out, kind, recipe=recipe and place / recipe, log=lambda t: None
        )
    assert not (place / ".runs").exists()


def row(outside: float | None, plain: float) -> dict[str, float]:
    return {"stft_distance": plain} | ({} if outside is None else {"embedding": outside})


def test_the_headline_is_the_outside_judges_where_it_can_tell() -> None:
    rows = {"copy": row(10, 2), "matched EQ": row(8, 1.5), "model": row(4, 1), "target": row(1, 0)}
    assert paired.verdict(rows).startswith("60% nearer")
    assert "musicnn" in paired.verdict(rows) and "(a matched equaliser 20%)" in paired.verdict(rows)
    with pytest.raises(Worse, match="an equaliser"):
        paired.verdict({**rows, "model": row(9, 0.1)})
    with pytest.raises(Worse, match="the input"):
        paired.verdict({**rows, "model": row(11, 0.1)})


def test_a_judge_that_cannot_tell_is_told_and_the_plain_distance_has_the_say() -> None:
    rows = {"copy": row(3, 2), "matched EQ": row(8, 1.5), "model": row(4, 1), "target": row(5, 0)}
    assert paired.verdict(rows).startswith("50% nearer")
    assert "the outside judge cannot tell" in paired.verdict(rows)
    plain = {name: row(None, r["stft_distance"]) for name, r in rows.items()}
    assert "cannot tell" not in paired.verdict(plain)
