"""``python -m benchmarks.measures.startup``: from nothing to the first callback, cold and warm.

Every start is a fresh process.  Cold: an empty folder for compiled kernels, so everything is
compiled.  Warm: that folder again.  The clock starts before the interpreter is launched and stops
when the first callback of a paced simulated device begins.  CPU time tells how much of it is work
and how much waiting for a shared machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.models.catalog import find_model, list_models

from ..rig.child import answer, run_child
from ..rig.tables import Report, Row, as_command

BLOCK = 128
COLUMNS = {
    "model": "model",
    "start": "start",
    "interpreter_s": "interpreter s",
    "import_s": "import s",
    "model_s": "model s",
    "session_s": "session s",
    "callback_s": "start to callback s",
    "total_s": "to first sound s",
    "cpu_s": "CPU time s",
}


def measure(job: dict[str, Any]) -> dict[str, float]:
    """One start: ``job = {model, spawned}``, `spawned` by the monotonic clock."""
    marks = [job["spawned"], time.monotonic()]
    import numpy as np

    from benchmarks.rig.sounds import one_model
    from realtime.devices.simulated import SimulatedDevice
    from realtime.models.load import read_shape
    from realtime.session.builder import Builder
    from realtime.session.stream import Stream
    from realtime.stream.callback import stream_callback

    marks.append(time.monotonic())
    model = Path(job["model"]) if job["model"] else None
    rate = read_shape(model).sample_rate if model else 48000
    path = Builder(1, rate, BLOCK).path(one_model(model))
    marks.append(time.monotonic())
    device = SimulatedDevice(np.zeros((1, rate), np.float32), rate, BLOCK, paced=True)
    stream = Stream(path, device, lane="inline")
    stream_callback()
    marks.append(time.monotonic())
    stream.start()
    while stream.memory.counters()["callbacks"] == 0:
        time.sleep(0.001)
    stream.stop()
    marks.append(stream.memory.counters()["first_ns"] * 1e-9)
    names = ("interpreter_s", "import_s", "model_s", "session_s", "callback_s")
    spent = [round(b - a, 4) for a, b in zip(marks[:-1], marks[1:], strict=True)]
    return {
        **dict(zip(names, spent, strict=True)),
        "total_s": round(marks[-1] - marks[0], 4),
        "cpu_s": round(time.process_time(), 3),
    }


def start(path: Path | None, folder: str | None) -> dict[str, float]:
    """One start with the compiled kernels of `folder`, or the usual ones."""
    job = {"model": str(path) if path else None, "spawned": time.monotonic()}
    environment = {"NUMBA_CACHE_DIR": folder} if folder else {}
    found: dict[str, float] = run_child(
        "benchmarks.measures.startup", job, environment, limit_s=300.0
    )
    return found


def rows_for(name: str, path: Path | None, warm_starts: int = 3) -> list[Row]:
    """One cold start and the fastest of some warm ones."""
    with tempfile.TemporaryDirectory(prefix="restyle-kernels-") as folder:
        cold = start(path, folder)
        warm = min((start(path, folder) for _ in range(warm_starts)), key=lambda r: r["total_s"])
    rows: list[Row] = [{"model": name, "start": "cold", **cold}]
    return [*rows, {"model": name, "start": f"warm, best of {warm_starts}", **warm}]


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measures.startup", description=__doc__
    )
    parser.add_argument("--models", help="names or files, commas between; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    models: list[tuple[str, Path | None]]
    if options.models is None:
        models = [("pass-through", None), *((e.name, e.path) for e in list_models() if e.converts)]
    else:
        models = [(Path(n).stem, find_model(n)) for n in options.models.split(",")]
    report = Report("startup", "python -m benchmarks.measures.startup")
    rows = []
    for name, path in models:
        report.progress(f"starting with {name}, cold and warm")
        rows += rows_for(name, path)
    report.table("startup", "Start to first sound", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("{"):
        answer(measure)
    else:
        as_command(main)
