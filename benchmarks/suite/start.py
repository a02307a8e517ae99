"""From nothing to the first callback: cold compiles everything, warm finds it on the disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.child import run_child

from .cost import Section
from .plan import Plan
from .rounds import Rounds, rotated
from .yardstick import Yardstick

PARTS = ("interpreter_s", "import_s", "model_s", "session_s", "callback_s", "total_s", "cpu_s")


def _start(path: Path, folder: str) -> dict[str, float]:
    job = {"model": str(path), "spawned": time.monotonic()}
    found: dict[str, float] = run_child(
        "benchmarks.startup", job, {"NUMBA_CACHE_DIR": folder}, limit_s=300.0
    )
    return found


def startup_section(
    models: list[tuple[str, Path]], plan: Plan, tell: Callable[[str], None]
) -> Section:
    """The first model cold, then every one warm, in rounds."""
    found, reference = Rounds(digits=3), Yardstick()
    cold_name, cold_path = models[0]

    def keep(name: str, start: str, spent: dict[str, float]) -> None:
        for part in PARTS:
            found.add((name, start, part), [spent[part]])

    with tempfile.TemporaryDirectory(prefix="restyle-kernels-") as folder:
        for k in range(plan.cold_starts):
            tell(f"cold start with {cold_name}: everything is compiled")
            keep(cold_name, "cold", _start(cold_path, f"{folder}/{k}"))
        for r in range(plan.warm_starts):
            tell(f"warm starts, round {r + 1} of {plan.warm_starts}")
            reference.begin_round()
            for name, path in rotated(models, r):
                keep(name, "warm", _start(path, f"{folder}/0"))
                reference.measure()
    keys = [(cold_name, "cold"), *((name, "warm") for name, _ in models)]
    rows: list[dict[str, Any]] = [
        {"model": n, "start": s, **{p: found.value((n, s, p)) for p in PARTS}} for n, s in keys
    ]
    return {"reference": reference.figures(), "rows": rows, "notes": []}
