from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from benchmarks.measures import glitch
from benchmarks.rig import contenders, jack, loads
from benchmarks.rig.child import ChildError, run_child


def job(contender: str, load: str, model: Path | None) -> dict[str, object]:
    return {
        "contender": contender,
        "load": load,
        "block": 64,
        "seconds": 0.1,
        "model": str(model) if model else None,
        "jack": False,
    }


@pytest.mark.parametrize("name", contenders.NAMES)
def test_cells_count_against_elapsed_time(
    models: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glitch, "SETTLE_SECONDS", 0.05)
    cell = glitch.merge([glitch.measure(job(name, "none", models["frames"])) for _ in range(2)])
    assert cell["expected"] >= 2 * 0.1 * 48000 / 64 - 1
    assert 0 < cell["seen"] <= cell["expected"] + 4
    assert cell["missed"] >= cell["expected"] - cell["seen"] - 2
    assert 0 <= cell["missed_percent"] <= 100
    assert (cell["concealed_ms"] is None) == (name != "worker")


def test_a_cell_runs_in_a_process_of_its_own() -> None:
    cell = run_child("benchmarks.measures.glitch", job("bare", "gil", None))
    assert glitch.merge([cell])["expected"] > 0
    with pytest.raises(ChildError, match="failed"):
        run_child("benchmarks.measures.glitch", {})


@pytest.mark.skipif(
    shutil.which("jackd") is None or importlib.util.find_spec("rtmixer") is None,
    reason="jackd or rtmixer is not installed",
)
def test_rtmixer_and_a_python_worker_are_counted_on_a_real_device(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    period = 256
    monkeypatch.setattr(glitch, "SETTLE_SECONDS", 0.1)
    wish = {**job("rtmixer", "none", models["frames"]), "block": period, "jack": True}
    with jack.dummy_server(period) as environment:
        for _ in range(5):  # a busy machine may not let that worker play one block
            cell = run_child("benchmarks.measures.glitch", wish, environment)
            found = glitch.merge([cell])
            if found["seen"]:
                break
    assert found["expected"] > 10
    assert 0 < found["seen"] <= found["expected"] + 3  # two blocks of reserve, and the edges
    assert found["concealed_ms"] is None and found["callback_us"]["p50"] > 1.0


def rows(load: str, **missed: int) -> list[dict[str, object]]:
    return [
        {
            "contender": contenders.TITLES[k],
            "load": loads.TITLES[load],
            "missed": v,
            "missed_percent": v / 10,
        }
        for k, v in missed.items()
    ]


def test_summary_tells_when_the_aim_is_missed() -> None:
    (calm,) = glitch.summary(rows("gil", bare=1, inline=2, python=700))
    assert "next to nothing" in calm and "70 %" in calm
    (near,) = glitch.summary(rows("gc", bare=50, inline=90, python=700))
    assert "within twice" in near
    (chance,) = glitch.summary(rows("gc", bare=10, inline=25, python=700))
    assert "chance" in chance
    (far,) = glitch.summary(rows("gc", bare=50, inline=400, python=700))
    assert "MORE THAN twice" in far
