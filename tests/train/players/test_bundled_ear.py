"""The bundled weights are those of the bundled ear, and players are made with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from realtime.errors import ConfigError
from train.export import gate
from train.export import player as assembly
from train.fit import checkpoint
from train.recipes import get_recipe, thresholds


@pytest.fixture(autouse=True)
def nothing_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "RUNS", tmp_path / "runs")


def test_without_an_ear_of_ones_own_the_bundled_one_is_taken() -> None:
    network, told, sources = assembly.trained_ear()
    graph = onnx.load_from_string(gate.to_onnx(get_recipe("ear"), network))
    made = {i.name: numpy_helper.to_array(i) for i in graph.graph.initializer}
    bundled = onnx.load(assembly.MODEL).graph.initializer
    assert len(bundled) > 100
    weights = [i for i in bundled if i.dims]
    # another release of torch names what it folds otherwise: by what they hold
    kept = {value.tobytes() for value in made.values()}
    missing = [i.name for i in weights if numpy_helper.to_array(i).tobytes() not in kept]
    assert missing == []
    assert told["steps"] > 1000 and len(sources) > 2


def test_an_ear_of_ones_own_goes_before_and_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds, "tune", lambda network, folder: None)
    recipe, kept = get_recipe("ear"), tmp_path / "ear.npz"
    with pytest.raises(ConfigError, match="restyle train fit ear"):
        assembly.keep_ear(kept)
    own = recipe.network().state_dict()
    told = checkpoint.describe(recipe, recipe.schedule)
    path = checkpoint.folder_of(recipe) / checkpoint.BEST
    checkpoint.write(path, {"weights": own, "step": 3, **told})
    found, told, _ = assembly.trained_ear()
    assert told["steps"] == 3
    assembly.keep_ear(kept)
    with np.load(kept) as weights:
        assert set(weights) == set(own)
        for name, value in own.items():
            assert np.array_equal(found.state_dict()[name], value)
            assert np.array_equal(weights[name], value)
