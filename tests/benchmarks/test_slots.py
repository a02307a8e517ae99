"""`bench slots`: what it times is the path, and every benchmark of the command line is there."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures import slots
from realtime.commands.bench import BENCHMARKS
from realtime.errors import ConfigError

from ..signals import noise


@pytest.mark.parametrize(("many", "late"), [(0, 0), (3, 0), (2, 40)])
def test_empty_slots_pass_sound_unchanged_whatever_they_declare(many: int, late: int) -> None:
    path = slots.empty_path(many, late)
    x = noise(20 * slots.HOP, level=0.3)
    assert path.latency == many * late
    assert np.array_equal(path.process_hops(x), x)


def test_rows_split_a_hop_into_steps_and_the_rest(models: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "slots.json"
    series = f"{models['wave']},{models['wave']}"
    argv = ["--models", series, "--seconds", "0.02", "--rounds", "2", "--json", str(target)]
    assert slots.main(argv) == 0
    rows = json.loads(target.read_text())["tables"]["slots"]
    assert [r["slots"] for r in rows] == [n for n, _ in slots.EMPTY] + [2]
    for row in rows:
        assert 0 < row["own_us"]["p50"] <= row["hop_us"]["max"]
        assert (row["steps_us"]["p50"] > 0) == (row["slots"] > 0)
    with pytest.raises(ConfigError, match="--rounds must be within"):
        slots.main(["--rounds", "0"])


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_of_the_command_line_is_a_module(name: str) -> None:
    assert importlib.util.find_spec(f"benchmarks.measures.{name}") is not None
