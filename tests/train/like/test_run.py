"""The whole way, on a clock that counts questions: what is written, and what Ctrl-C leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.models.streaming import load_model
from realtime.presets.chains import read_chain
from train.judging.judges.packages import folder_of
from train.like.judge import JUDGES, Row, able, score, told_by
from train.like.material import read
from train.like.offer import Result, choose
from train.like.report import verdict
from train.like.run import like
from train.like.search import Found
from train.like.space import nothing, play
from train.own.keep import Origin
from train.player import play as through_player

from ..personal.sounds import Ticks, stop_at_once, tune, write
from .test_search import hidden

pytestmark = pytest.mark.usefixtures("without_listener")

pytest.importorskip("librosa")
try:
    folder_of("musicnn")
except Exception:
    pytest.skip("musicnn is not installed (make judges)", allow_module_level=True)


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    reference = write(tmp_path / "record.wav", hidden(tune(3, 12.0)))
    return reference, write(tmp_path / "mine.wav", tune(1, 20.0))


def test_a_model_a_chain_and_a_page_are_written(recordings, tmp_path: Path) -> None:
    out = tmp_path / "mine.onnx"
    result = like(*recordings, out, origin=Origin("Ada", "CC-BY-4.0"), minutes=0.6, clock=Ticks())
    rows = result.rows
    assert result.offer in ("model", "blend")
    assert rows[result.offer]["score"] < min(1.0, rows["equaliser"]["score"])
    assert rows["copy"]["score"] == pytest.approx(1.0)
    model = load_model(out.read_bytes())
    model.close()
    (data,) = model.card.provenance["data"]
    assert data["licence"] == "CC-BY-4.0" and "Ada" in data["source"]
    assert model.card.latency == 0
    whole = read_chain(result.files["chain"])
    assert [s.name for s in whole] == [s.effect for s in result.chain]
    page = result.files["report"].read_text()
    assert page.count("data:audio/flac;base64,") == len(rows)
    for stage in result.chain:
        assert stage.effect in page
    assert f"--model {out}" in page
    assert result.taught is not None
    x = tune(5, 2.0)
    taught = play([s for s in result.chain if s.place == "model"], x)
    made = through_player(out, x)
    if result.offer == "model":  # the pairs were the chain's: it does what the chain does
        assert np.corrcoef(taught[4800:], made[4800:])[0, 1] > 0.8


def test_ctrl_c_at_once_still_judges_and_says_so(recordings, tmp_path: Path, monkeypatch) -> None:
    stop_at_once(monkeypatch)
    result = like(*recordings, tmp_path / "my.onnx", clock=Ticks())
    assert result.found.interrupted and result.taught is None
    assert "stopped early" in result.files["report"].read_text()
    assert (tmp_path / "my.onnx").exists() == ("model" in result.files)
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize(
    ("scores", "offer"),
    [
        ({"model": 0.5, "chain": 0.6, "blend": 0.7}, "model"),
        ({"model": 0.6, "chain": 0.5, "blend": 0.55}, "blend"),
        ({"model": 0.85, "chain": 0.5, "blend": 0.9}, "chain"),  # no nearer than the equaliser
        ({"model": 1.1, "chain": 0.9, "blend": 0.95}, "equaliser"),
        ({"matched EQ": 0.7, "model": 0.78, "chain": 0.75}, "chain"),  # one file holds it
        ({"chain": 1.2, "equaliser": 1.1, "matched EQ": 1.3}, "nothing"),
    ],
)
def test_a_model_is_offered_only_where_it_is_nearer(scores, offer: str) -> None:
    everything = {"copy": 1.0, "matched EQ": 0.9, "equaliser": 0.8, **scores}
    judged = {name: {"score": s, "embedding": s} for name, s in everything.items()}
    assert choose(judged) == offer


def rows(reference: tuple[float, float], **others: tuple[float, float]) -> dict[str, Row]:
    """By all judges at once, and by the statistics, of the reference's own and of what was made."""
    made = {"copy": (1.0, 3.0), "matched EQ": (0.9, 2.5), "equaliser": (0.8, 2.6), **others}
    return {
        name: {"score": a, "statistics": b, **dict.fromkeys(JUDGES, a)}
        for name, (a, b) in {"reference": reference, **made}.items()
    }


def test_a_judge_that_puts_others_before_the_reference_is_left_out_and_named() -> None:
    made = rows((0.3, 0.5), model=(0.5, 2.0), chain=(0.6, 1.0))
    made["equaliser"]["loudness_range"] = 0.2
    made["truth"] = dict.fromkeys(made["copy"], 0.0)  # nobody has it
    assert able(made) == ("embedding", "mfcc", "contrast")
    made["model"]["mfcc"] = 0.2
    assert able(made) == ("embedding", "contrast")
    assert score(made["model"], made["copy"], able(made)) == pytest.approx(0.5)
    result = Result(Found(nothing(), (), 3.0, 3.0), (), (), None, {}, made, "model")
    assert "nearer by it than the reference's own: mfcc, loudness range." in verdict(result)


def test_a_model_must_be_nearer_by_the_learnt_judge_alone_where_it_can_tell() -> None:
    made = rows((0.3, 0.5), model=(0.5, 2.0), blend=(0.4, 2.0), chain=(0.6, 1.0))
    assert choose(made) == "blend"
    made["blend"]["embedding"] = 0.85  # the equaliser has 0.8
    assert choose(made) == "model"
    made["model"]["embedding"] = 0.8
    assert choose(made) == "chain"
    made["copy"]["embedding"] = 0.2  # it puts the dry playing before the reference itself
    assert choose(made) == "blend"


@pytest.mark.parametrize(
    ("made", "by", "offer", "said"),
    [
        (rows((0.3, 0.5), model=(0.5, 2.0), chain=(0.6, 1.0)), "score", "model", "The model is"),
        (
            rows((0.3, 0.5), model=(0.85, 2.0), chain=(0.6, 1.0)),
            "score",
            "chain",
            "The model failed",
        ),
        # farther than the dry playing, and farther than what was made
        (
            rows((1.2, 0.5), model=(1.1, 2.0), chain=(1.3, 2.9)),
            "statistics",
            "model",
            "cannot tell",
        ),
        (
            rows((0.6, 0.5), model=(0.5, 2.7), chain=(0.7, 2.2)),
            "statistics",
            "chain",
            "cannot tell",
        ),
        (
            rows((0.6, 0.5), model=(0.5, 3.1), chain=(0.7, 3.2)),
            "statistics",
            "equaliser",
            "It failed",
        ),
        (rows((1.2, 3.5), model=(0.5, 1.0), chain=(0.7, 1.0)), None, "nothing", "longer reference"),
    ],
)
def test_where_all_judges_are_left_out_they_choose_nothing(
    made: dict[str, Row], by: str | None, offer: str, said: str
) -> None:
    assert told_by(made) == by
    assert choose(made) == offer
    result = Result(Found(nothing(), (), 3.0, 3.0), (), (), None, {}, made, offer)
    assert said in verdict(result)
    assert ("The judges cannot tell" in verdict(result)) == (by != "score")


def test_the_score_is_a_mean_of_ratios_and_a_tenth_of_a_lu_decides_nothing() -> None:
    copy = {"embedding": 4.0, "mfcc": 50.0, "contrast": 10.0, "loudness_range": 0.1}
    assert score(copy, copy) == pytest.approx(1.0)
    half = {name: value / 2 for name, value in copy.items()}
    assert score(half, copy) == pytest.approx((3 * 0.5 + 1.05 / 1.1) / 4)
    assert score({**copy, "loudness_range": 0.2}, copy) < 1.03


def test_pauses_and_clicks_are_no_playing(tmp_path: Path) -> None:
    x = tune(1, 24.0)
    pause = np.zeros(12 * 48000, np.float32)
    write(tmp_path / "mine" / "a.wav", np.concatenate([pause, x, pause]))
    write(tmp_path / "mine" / "click.wav", x[:480])
    write(tmp_path / "record.wav", np.concatenate([x, pause]))
    found = read(tmp_path / "record.wav", tmp_path / "mine")
    for parts, seconds in ((found.fit, 18), (found.held, 6), (found.reference_held, 8)):
        assert [round(len(p) / 48000) for p in parts] == [seconds]
        assert np.sqrt(np.mean(parts[0][-9600:] ** 2)) > 0.01
