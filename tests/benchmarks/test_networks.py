"""The comparison of networks: one short round for each kind, on tunes made of sines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.data.pairs import Pair, PairSet

pytestmark = pytest.mark.usefixtures("without_listener")

networks = pytest.importorskip("benchmarks.measures.networks")


def tunes() -> PairSet:
    t = np.arange(24 * 4096) / 48000
    made = []
    for k in range(4):
        x = (0.3 * np.sin(2 * np.pi * (200 + 50 * k) * t) * np.exp(-(t % 0.5) * 4)).astype("f4")
        made.append(Pair(f"tune{k}", x, np.tanh(3 * x).astype("f4")))
    return PairSet(tuple(made[:2]), (made[2],), (made[3],))


@pytest.mark.parametrize("network", ["time-frequency CNN, mask"])
def test_a_contender_is_trained_judged_and_timed(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    contender = next(
        c for c in networks.CONTENDERS if c.network == network and c.task == "tube-amp"
    )
    row = networks.measure(contender, tunes(), 0.01, seconds=0.3)
    assert row["steps"] > 0 and row["weights"] > 1000
    assert np.isfinite(row["stft_distance"]) and row["esr"] > 0
    assert row["latency"] == (0 if contender.build is None else 128)
    assert row["hop_us"]["p50"] > 0 and 0 < row["cpu_percent"] < 100


def test_every_contender_builds_its_network() -> None:
    for contender in networks.CONTENDERS:
        recipe = networks.recipe_for(contender)
        assert sum(p.numel() for p in recipe.network().parameters()) > 1000
        assert recipe.latency in (0, 128, 768)
