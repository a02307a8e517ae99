"""``python -m benchmarks.suite.captures JOB``: NAM captures by restyle's kernel and by others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measures import nam
from benchmarks.rig.captures import random_capture
from benchmarks.rig.child import ChildError, answer, run_child
from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player, to_onnx
from realtime.models.steppable import Steppable
from realtime.models.streaming import StreamingModel

from .cost import Section
from .plan import Plan
from .rounds import Rounds, rotated
from .yardstick import Yardstick

BLOCK = 64
PLAYERS = ("restyle kernel", "onnxruntime graph")


def _rounds_of(
    shape: str, variant: Variant, job: dict[str, Any], found: Rounds, reference: Yardstick
) -> None:
    graph = StreamingModel(to_onnx(variant, "bench", BLOCK)[1], tape=False)
    kernel: Steppable = make_player(variant, shape, 1, BLOCK)
    players = list(zip(PLAYERS, (kernel, graph), strict=True))
    for r in range(job["rounds"]):
        reference.begin_round()
        for name, model in rotated(players, r):
            for way in ("hot", "paced"):
                factors = nam.step_factors(model, BLOCK, job["seconds"], way == "paced")
                found.add((name, way), 100.0 * np.asarray(factors))
            reference.measure()
    graph.close()


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """One shape: ``job = {shape, rounds, seconds}``."""
    shape, found, reference = job["shape"], Rounds(), Yardstick()
    variant = Variant("", random_capture(shape))
    _rounds_of(shape, variant, job, found, reference)
    rows = [
        {
            "capture": shape,
            "player": p,
            "block": BLOCK,
            "hot_percent": found.figure((p, "hot")),
            "paced_percent": found.figure((p, "paced")),
        }
        for p in PLAYERS
    ]
    library = nam.library_row(shape, variant)
    if library is not None:
        hot = library["hot_percent"]
        one = {**hot, "n": 3, "rounds": {"p50": [hot["p50"]], "p99": [hot["p99"]]}}
        rows.append(
            {
                "capture": shape,
                "player": "neural-amp-modeler, 2 s at once",
                "block": 96000,
                "hot_percent": one,
                "paced_percent": None,
            }
        )
    yardstick = reference.figures()
    return {"rows": [{**row, "reference": yardstick} for row in rows]}


def captures_section(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Rows of every shape, each measured in a process of its own, with its yardstick."""
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for shape in plan.captures:
        tell(f"captures, {shape}")
        job = {"shape": shape, "rounds": plan.rounds, "seconds": plan.capture_s}
        try:
            found = run_child("benchmarks.suite.captures", job, limit_s=300.0)
        except ChildError as error:
            notes.append(f"{shape} was not measured: {error}.")
            continue
        rows += found["rows"]
    return {"rows": rows, "notes": notes}


if __name__ == "__main__":
    answer(measure)
