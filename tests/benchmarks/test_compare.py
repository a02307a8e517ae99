"""`restyle bench --compare`: what changed is found, what merely swayed is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.suite.compare import compare
from benchmarks.suite.rounds import Rounds

Report = dict[str, Any]


def figure(middle: float, seed: int, rounds: int = 3) -> Any:
    rng, found = np.random.default_rng(seed), Rounds()
    for _ in range(rounds):
        found.add(0, middle * rng.normal(1.0, 0.02, 400))
    return found.figure(0)


def report(seed: int, *, machine: float = 1.0, cpu: str = "one", **models: float) -> Report:
    """A run on a machine that takes `machine` times as long, with models that do."""
    reference = {
        "what": "r",
        "hot_us": figure(50 * machine, seed + 1),
        "paced_us": figure(60 * machine, seed + 2),
    }
    rows = [
        {
            "model": name,
            "hot_us": figure(machine * us, seed + 3),
            "paced_us": figure(machine * us * 1.2, seed + 4),
        }
        for name, us in models.items()
    ]
    latency = [{"model": "amp", "block": 64, "lane": "inline", "declared": 0, "verdict": "ok"}]
    glitch = [
        {
            "contender": "Python",
            "load": "hog",
            "expected": 1000,
            "missed": 300,
            "missed_percent": 30.0,
        }
    ]
    return {
        "machine": {"cpu": cpu, "cores": 2},
        "sections": {
            "cost": {"reference": reference, "rows": rows},
            "latency": {"rows": latency},
            "glitch": {"rows": glitch},
        },
    }


def flagged(a: Report, b: Report) -> dict[str, str]:
    return {r["what"]: r["verdict"] for r in compare(a, b) if r["verdict"]}


def test_a_run_beside_itself_and_beside_another_of_the_same_differs_in_nothing() -> None:
    a = report(10, amp=100.0, synth=250.0)
    assert flagged(a, a) == {}
    assert flagged(a, report(50, amp=100.0, synth=250.0)) == {}


def test_what_became_slower_is_named_and_nothing_else() -> None:
    a, b = report(10, amp=100.0, synth=250.0), report(50, amp=130.0, synth=250.0)
    assert set(flagged(a, b)) == {
        f"cost: amp, {way}_us {tail}" for way in ("hot", "paced") for tail in ("p50", "p99")
    }
    assert set(flagged(a, b).values()) == {"slower"}
    assert set(flagged(b, a).values()) == {"faster"}


def test_a_slower_machine_is_no_slower_program() -> None:
    a, b = report(10, amp=100.0), report(50, amp=100.0, machine=1.7, cpu="another")
    assert flagged(a, b) == {}
    row = next(r for r in compare(a, b) if r["what"] == "cost: amp, hot_us p50")
    assert row["b"] / row["a"] == pytest.approx(1.7, rel=0.02)
    assert row["b_ratio"] / row["a_ratio"] == pytest.approx(1.0, rel=0.02)


def test_a_reference_that_swayed_alone_is_no_change() -> None:
    a, b = report(10, amp=100.0), report(50, amp=100.0)
    kept = b["sections"]["cost"]["reference"]["hot_us"]["rounds"]
    kept["p50"] = [1.4 * v for v in kept["p50"]]
    assert flagged(a, b) == {}


def test_a_change_within_the_runs_own_spread_is_none() -> None:
    a, b = report(10, amp=100.0), report(50, amp=112.0)
    for run in (a, b):
        for key in ("hot_us", "paced_us"):
            rounds = run["sections"]["cost"]["rows"][0][key]["rounds"]
            for tail in rounds:
                rounds[tail] = [v * f for v, f in zip(rounds[tail], (0.85, 1.0, 1.15), strict=True)]
    assert flagged(a, b) == {}


def test_two_rounds_prove_nothing() -> None:
    a, b = report(10, amp=100.0), report(50, amp=200.0)
    for run in (a, b):
        section = run["sections"]["cost"]
        for holder in (*section["rows"], section["reference"]):
            for key in ("hot_us", "paced_us"):
                holder[key]["rounds"] = {k: v[:2] for k, v in holder[key]["rounds"].items()}
    assert flagged(a, b) == {}


def test_latencies_and_misses() -> None:
    a = report(10, amp=100.0)
    b = copy.deepcopy(a)
    b["sections"]["latency"]["rows"][0]["declared"] = 64
    b["sections"]["glitch"]["rows"][0].update(missed=330, missed_percent=33.0)
    assert flagged(a, b) == {"latency: amp, 64, inline, declared samples": "CHANGED"}
    b["sections"]["glitch"]["rows"][0].update(missed=600, missed_percent=60.0)
    assert flagged(a, b)["glitch: Python, hog, missed %"] == "more missed"


def test_the_kept_report_can_be_compared_with_itself() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "results" / "report.json"
    data = json.loads(path.read_text())
    rows = compare(data, data)
    assert len(rows) > 60 and not [r for r in rows if r["verdict"]]
