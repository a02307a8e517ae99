from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures import stages
from realtime.models.streaming import load_model
from realtime.stages.model import model_path

from ..signals import noise


@pytest.mark.parametrize("name", ["wave", "frames"])
def test_staged_hop_gives_the_bits_of_the_lane(models: dict[str, Path], name: str) -> None:
    expected, path = (model_path(load_model(models[name])) for _ in range(2))
    for one in (expected, path):
        one.set("mix", 0.7)
        one.set("input_gain_db", 3.5)
        one.reset()
    hop = path.hop
    x = noise(20 * hop, level=0.9)
    times = np.zeros(stages.N_STAGES, dtype=np.int64)
    got = []
    for start in range(0, x.shape[1], hop):
        block = x[:, start : start + hop].copy()
        stages.staged_hop(path.record.fields, block, times)
        got.append(block)
        assert times[stages.MODEL] > 0
    assert np.array_equal(np.concatenate(got, axis=1), expected.process_hops(x))


@pytest.mark.parametrize("paced", [True, False])
def test_measure_returns_spreads(models: dict[str, Path], paced: bool) -> None:
    with_frames = stages.measure(load_model(models["frames"]), 0.05, paced=paced)
    for key in ("hop_us", "model_us", "fft_us", "own_us"):
        spread = with_frames[key]
        assert 0 < spread["p50"] <= spread["p99"] <= spread["p99_9"] <= spread["max"]
    assert with_frames["hops"] > 0  # a busy machine has time for few
    without = stages.measure(load_model(models["wave"]), 0.05, paced=paced)
    assert without["fft_us"]["max"] == 0
