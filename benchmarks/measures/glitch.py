"""Missed callbacks, counted against elapsed time, while the computer does other things.

Each cell of the table runs in a process of its own.  On JACK's dummy driver PortAudio calls back
in real time and goes on without a client that is late; without JACK a simulated device does the
same (:mod:`benchmarks.rig.pace`).  Compare rows within one run: the bare copy shows what the
machine itself lets through.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from pathlib import Path
from typing import Any

from realtime.native.intrinsics import clock_address

from ..rig import contenders, jack, loads, spread
from ..rig.child import ChildError, answer, run_child
from ..rig.pace import PacedDevice
from ..rig.tables import Row, Teller

SAMPLE_RATE = 48000
SETTLE_SECONDS = 0.3  # after the stream starts, and again after the load does
FEW = 5  # missed callbacks; fewer are not worth a ratio

COLUMNS = {
    "contender": "callback",
    "load": "beside it",
    "expected": "due",
    "missed": "missed",
    "missed_percent": "%",
    "against_bare": "x bare",
    "concealed_ms": "concealed ms",
    "interval_us": "interval µs p50 / p99 / p99.9",
    "longest_ms": "longest ms",
    "callback_us": "callback µs p50 / p99 / p99.9",
}


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """One cell, to be merged: ``job = {contender, load, block, seconds, model, jack}``."""
    block, path = job["block"], Path(job["model"]) if job["model"] else None
    if job["jack"]:
        from ..rig.loopback import open_device

        device: Any = open_device(SAMPLE_RATE, block)
    else:
        device = PacedDevice(block, SAMPLE_RATE)
    contender = contenders.make(job["contender"], device, path)
    contenders.snapshot(contender.counts, clock_address())  # compile
    contender.start()
    time.sleep(SETTLE_SECONDS)
    with loads.load(job["load"]):
        time.sleep(SETTLE_SECONDS)
        before, flags = contender.histograms(), contender.flags()
        first, begin = contenders.snapshot(contender.counts, clock_address())
        time.sleep(job["seconds"])
        last, end = contenders.snapshot(contender.counts, clock_address())
        after, late = contender.histograms(), contender.flags()
    contender.stop()
    due = (end - begin) * 1e-9 * SAMPLE_RATE / block
    missed = max(0, round(due - int(last - first)))
    concealed = None
    if job["contender"] == "worker":  # in time, but with the dry sound: a glitch of another kind
        concealed = late["concealed_samples"] - flags["concealed_samples"]
    return {
        "due": due,
        "seen": int(last - first),
        "missed": missed,
        "concealed": concealed,
        "histograms": {k: spread.sparse(after[k] - before[k]) for k in after},
    }


def merge(cells: list[dict[str, Any]]) -> Row:
    """Add up the rounds of one cell."""
    due = sum(c["due"] for c in cells)
    missed = sum(c["missed"] for c in cells)
    concealed = [c["concealed"] for c in cells if c["concealed"] is not None]
    interval, callback = (
        spread.of_histogram(spread.dense([c["histograms"][k] for c in cells]))
        for k in ("interval", "callback")
    )
    return {
        "expected": round(due),
        "seen": sum(c["seen"] for c in cells),
        "missed": missed,
        "missed_percent": round(100 * missed / max(due, 1.0), 2),
        "concealed_ms": round(1000 * sum(concealed) / SAMPLE_RATE, 2) if concealed else None,
        "interval_us": interval,
        "longest_ms": round(interval["max"] / 1000, 2),
        "callback_us": callback,
    }


def table(
    report: Teller,
    model: tuple[str, Path | None],
    block: int,
    seconds: float,
    use_jack: bool,
    load_names: tuple[str, ...] = loads.NAMES,
    rounds: int = 1,
    names: tuple[str, ...] = contenders.NAMES,
) -> list[Row]:
    """Run all cells, what is compared close together in time, `rounds` times over."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    path = str(model[1]) if model[1] else None
    with contextlib.ExitStack() as stack:
        env = stack.enter_context(jack.dummy_server(block, SAMPLE_RATE)) if use_jack else {}
        for _, load, name in itertools.product(range(rounds), load_names, names):
            title = f"{contenders.TITLES[name]} beside {loads.TITLES[load]}"
            report.progress(f"glitch: {title}")
            job = {
                "contender": name,
                "load": load,
                "block": block,
                "seconds": seconds,
                "model": path,
                "jack": use_jack,
            }
            try:
                cell = run_child(
                    "benchmarks.measures.glitch", job, env, limit_s=120.0 + 2 * seconds
                )
                found.setdefault((load, name), []).append(cell)
            except ChildError as error:
                report.note(f"{title}: {error}")
    rows = []
    for (load, name), cells in found.items():
        row = merge(cells)
        bare = merge(found[load, "bare"])["missed"] if (load, "bare") in found else 0
        row["against_bare"] = round(row["missed"] / bare, 2) if bare else None
        rows.append({"contender": contenders.TITLES[name], "load": loads.TITLES[load], **row})
    return rows


def summary(rows: list[Row]) -> list[str]:
    """What the table says about its aim, in sentences."""
    sentences = []
    for load in (loads.TITLES[n] for n in loads.NAMES):
        here = {r["contender"]: r for r in rows if r["load"] == load}
        if not {contenders.TITLES[n] for n in ("bare", "inline", "python")} <= set(here):
            continue
        bare, inline, python = (
            here[contenders.TITLES[n]]["missed"] for n in ("bare", "inline", "python")
        )
        margin = 2.0 * math.sqrt(inline + bare)  # two standard deviations of a difference of counts
        if max(inline, bare) < FEW:
            verdict = "both next to nothing"
        elif inline <= 2 * bare:
            verdict = "within twice the bare copy"
        elif inline <= 2 * bare + margin:
            verdict = "more than twice the bare copy, by no more than chance explains"
        else:
            verdict = "MORE THAN twice the bare copy"
        share = here[contenders.TITLES["python"]]["missed_percent"]
        sentences.append(
            f"Beside {load}: the inline lane missed {inline}, the bare copy {bare} ({verdict}); the"
            f" Python callback missed {python} ({share:g} %)."
        )
    return sentences


if __name__ == "__main__":
    answer(measure)
