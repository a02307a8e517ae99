from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rig.python_host import PythonHost
from realtime.models.streaming import load_model
from realtime.stages.model import model_path

from ..signals import cut, noise


@pytest.mark.parametrize("name", ["wave", "frames"])
def test_the_python_callback_does_the_same_work(models: dict[str, Path], name: str) -> None:
    x = noise(48 * 60, level=0.3)
    host = PythonHost(models[name], 48)
    got = np.concatenate([host.process(b[0]) for b in cut(x, [48])])
    path = model_path(load_model(models[name]), block_size=48)
    expected = np.concatenate([path.process(b)[0] for b in cut(x, [48])])
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() < 1e-5


def test_without_a_model_it_passes_sound() -> None:
    x = noise(64)[0]
    assert np.array_equal(PythonHost(None, 64).process(x), x)
