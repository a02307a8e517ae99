"""``python -m benchmarks.suite.memory JOB``: the memory a playing host takes, and keeps taking.

What counts is what is resident (``RssAnon`` and ``RssFile`` of Linux's ``/proc``): the simulated
card's own sound lies in shared memory, which is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rig.child import ChildError, answer, run_child
from benchmarks.rig.sounds import on_tape

from .cost import Section
from .plan import Plan

RATE, BLOCK, SAMPLES = 48_000, 64, 10
LIMIT_S = 300.0


def resident_mib(process: int) -> float:
    """Resident memory of a process without its shared memory [MiB]."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    sizes = {k: int(v.split()[0]) for k, _, v in (s.partition(":") for s in lines) if "Rss" in k}
    return (sizes["RssAnon"] + sizes["RssFile"]) / 1024.0


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """One model: ``job = {model, seconds}``; plays that much sound as fast as it can."""
    from realtime.devices.shared_simulated import Tape
    from realtime.host.host import Host

    length = int(job["seconds"] * RATE)
    x = np.random.default_rng(0).uniform(-0.3, 0.3, (1, length)).astype(np.float32)
    tape = Tape.make(x, RATE, BLOCK, paced=False)
    tape.hold(0)
    setup = on_tape(tape.name, Path(job["model"]) if job["model"] else None)
    engine, control = [], []
    try:
        with Host(setup, standby=False) as host:
            engine_id = host.link.process.pid or 0
            for k in range(SAMPLES):
                goal = length * (k + 1) // (SAMPLES + 1) // BLOCK * BLOCK
                tape.hold(goal)
                end = time.monotonic() + LIMIT_S / SAMPLES
                while tape.position < goal and time.monotonic() < end:
                    time.sleep(0.01)
                engine.append(round(resident_mib(engine_id), 2))
                control.append(round(resident_mib(os.getpid()), 2))
    finally:
        tape.close()
    return {"engine": engine, "control": control}


def memory_section(
    models: list[tuple[str, Path | None]], plan: Plan, tell: Callable[[str], None]
) -> Section:
    """One row for each model: both processes, and how much they grew after the first tenth."""
    rows, notes = [], []
    if not Path("/proc/self/status").exists():
        return {"rows": [], "notes": ["Memory is read from Linux's /proc, which is not here."]}
    for name, path in models:
        tell(f"memory with {name}")
        job = {"model": str(path) if path else None, "seconds": plan.memory_s}
        try:
            found = run_child("benchmarks.suite.memory", job, limit_s=LIMIT_S)
        except ChildError as error:
            notes.append(f"Memory with {name} was not measured: {error}.")
            continue
        engine, control = found["engine"], found["control"]
        rows.append(
            {
                "model": name,
                "engine_mib": engine[-1],
                "control_mib": control[-1],
                "engine_growth_mib": round(engine[-1] - engine[0], 2),
                "control_growth_mib": round(control[-1] - control[0], 2),
                "seconds": plan.memory_s,
                "engine_samples_mib": engine,
            }
        )
    return {"rows": rows, "notes": notes}


if __name__ == "__main__":
    answer(measure)
