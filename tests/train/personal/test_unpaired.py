"""Recordings of the target alone: the mix of a blend is fitted, and nothing else."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.streaming import load_model
from train.like.target_alone import fit_unpaired
from train.own.keep import Origin
from train.own.rebuild import named_weights
from train.own.run import Worse, inside
from train.player import play

from .sounds import Ticks, tune, write

pytestmark = pytest.mark.usefixtures("without_listener")


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    fuzz = play(find_model("amp-blend"), tune(4, 20.0), {"fuzz": 1.0, "warm": 0.0})
    write(tmp_path / "theirs" / "solo.wav", fuzz)
    write(tmp_path / "mine" / "riff.wav", tune(1, 20.0))
    return tmp_path / "theirs", tmp_path / "mine"


def test_the_mix_becomes_the_default_and_no_weight_moves(recordings, tmp_path: Path) -> None:
    out = fit_unpaired(
        *recordings,
        "amp-blend",
        tmp_path / "my.onnx",
        minutes=0.15,
        origin=Origin("Ada"),
        clock=Ticks(),
    )
    model = load_model(out.read_bytes())
    model.close()
    defaults = {c.name: c.default for c in model.card.controls}
    assert max(defaults, key=lambda name: defaults[name]) == "fuzz"
    assert sum(defaults.values()) == pytest.approx(1.0, abs=0.01)
    assert "recordings of Ada" in model.card.provenance["data"][0]["source"]
    theirs, own = (
        named_weights(onnx.load(str(path)).graph) for path in (find_model("amp-blend"), out)
    )
    assert all(np.array_equal(theirs[k], own[k]) for k in theirs if k.startswith("layers."))


def test_what_the_base_sounds_like_already_is_refused(tmp_path: Path) -> None:
    base, x = find_model("amp-blend"), tune(1, 24.0)
    write(tmp_path / "theirs" / "solo.wav", play(base, x))
    write(tmp_path / "mine" / "riff.wav", x)
    with pytest.raises(Worse, match="no nearer on the playing held out"):
        fit_unpaired(
            tmp_path / "theirs",
            tmp_path / "mine",
            "amp-blend",
            tmp_path / "my.onnx",
            minutes=0.1,
            clock=Ticks(),
        )
    assert not (tmp_path / "my.onnx").exists()


def test_a_base_without_a_mix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tube-amp has no mix of styles"):
        fit_unpaired(tmp_path, tmp_path, "tube-amp", tmp_path / "my.onnx")


def test_one_folder_with_both_sides_is_found(tmp_path: Path) -> None:
    (tmp_path / "dry").mkdir()
    with pytest.raises(ConfigError, match="no folders dry and wet in it"):
        inside(tmp_path)
    (tmp_path / "wet").mkdir()
    assert inside(tmp_path) == (tmp_path / "dry", tmp_path / "wet")
