"""From nothing to the first callback: cold compiles everything, warm finds it on the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measures.startup import start as _start

from .cost import Section
from .plan import Plan
from .rounds import Rounds, rotated
from .yardstick import Yardstick

COLD_S = 30.0  # what a cold start and the warm ones after it may take on a slow machine
TOO_LATE = "No cold start: too little of the time of this run was left for one."
PARTS = ("interpreter_s", "import_s", "model_s", "session_s", "callback_s", "total_s", "cpu_s")


def startup_section(
    models: list[tuple[str, Path]], plan: Plan, tell: Callable[[str], None], left_s: float
) -> Section:
    """The first model cold, if `left_s` seconds are enough, then every one warm, in rounds."""
    colds = plan.cold_starts if left_s > COLD_S else 0
    notes = [] if colds == plan.cold_starts else [TOO_LATE]
    found, reference = Rounds(digits=3), Yardstick()
    cold_name, cold_path = models[0]

    def keep(name: str, start: str, spent: dict[str, float]) -> None:
        for part in PARTS:
            found.add((name, start, part), [spent[part]])

    with tempfile.TemporaryDirectory(prefix="restyle-kernels-") as folder:
        for k in range(colds):
            tell(f"cold start with {cold_name}: everything is compiled")
            keep(cold_name, "cold", _start(cold_path, f"{folder}/{k}"))
        for r in range(plan.warm_starts):
            tell(f"warm starts, round {r + 1} of {plan.warm_starts}")
            reference.begin_round()
            for name, path in rotated(models, r):
                keep(name, "warm", _start(path, f"{folder}/0" if colds else None))
                reference.measure()
    keys = [(cold_name, "cold"), *((name, "warm") for name, _ in models)]
    keys = [key for key in keys if (*key, "total_s") in found]
    rows: list[dict[str, Any]] = [
        {"model": n, "start": s, **{p: found.value((n, s, p)) for p in PARTS}} for n, s in keys
    ]
    return {"reference": reference.figures(), "rows": rows, "notes": notes}
