"""``restyle bench latency``: latency declared and measured, CPU per hop, missed callbacks.

Every figure comes from the engine, lanes and callbacks that ``restyle live`` runs.  Latency is
compared to the sample; times are medians, p99 and p99.9 of one run, to be compared within it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.commands.common import check_writable
from realtime.models.catalog import read_entry
from realtime.models.load import open_model

from ..rig import alignment, jack, machine, spread
from ..rig.child import ChildError, run_child
from ..rig.options import PASS_THROUGH, Models, choose_models, command_of, parse
from ..rig.pace import wake_lateness
from ..rig.tables import Report, Row, Teller, as_command
from . import glitch, stages

WAKE_US, WAKES = 1000.0, 2000

LATENCY = {
    "model": "model",
    "block": "block",
    "lane": "lane",
    "buffering": "buffering",
    "algorithmic": "algorithmic",
    "declared": "declared",
    "dry": "dry path",
    "wet": "wet path",
    "impulse": "impulse",
    "ms": "ms",
    "verdict": "",
}
ROUND_TRIP = {
    "model": "model",
    "block": "block",
    "lane": "lane",
    "declared": "declared",
    "device": "device alone",
    "round_trip": "sum",
    "dry": "dry path",
    "wet": "wet path",
    "ms": "ms",
    "verdict": "",
}
CPU = {
    "model": "model",
    "hop": "hop",
    "budget_us": "hop lasts µs",
    "hop_us": "whole hop µs",
    "model_us": "model step µs",
    "fft_us": "FFT + inverse µs",
    "own_us": "restyle's own µs",
    "own_share_percent": "own %",
    "cpu_percent": "CPU %",
    "hot_hop_us": "hot loop: hop",
    "hot_own_us": "hot loop: own",
}


def round_trips(report: Teller, models: Models, blocks: list[int], seconds: float) -> list[Row]:
    """Rows of every block size, each under a JACK server of its own."""
    rows: list[Row] = []
    for block in blocks:
        report.progress(f"round trip over JACK's dummy driver, block {block}")
        job: dict[str, Any] = {
            "models": [(n, str(p) if p else None) for n, p in models],
            "block": block,
            "seconds": seconds,
            "sample_rate": glitch.SAMPLE_RATE,
        }
        try:
            with jack.dummy_server(block, glitch.SAMPLE_RATE) as environment:
                rows += run_child("benchmarks.rig.loopback", job, environment)["rows"]
        except (ChildError, RuntimeError) as error:
            report.note(f"Round trip at block {block} was not measured: {error}.")
    return rows


def cpu_rows(report: Report, models: Models, seconds: float) -> list[Row]:
    """CPU per hop, paced at real time, with the hot loop's figures beside."""
    rows: list[Row] = []
    for name, path in models:
        if path is None:
            continue
        report.progress(f"CPU per hop, {name}")
        model = open_model(path)
        hop, rate = model.card.hop_length, model.card.sample_rate
        hot = stages.measure(model, seconds, paced=False)
        paced = stages.measure(model, seconds, paced=True)
        model.close()
        if model.card.spectrum is None:
            hot["fft_us"] = paced["fft_us"] = None
        hot_rows = {f"hot_{k}": hot[k] for k in ("hop_us", "model_us", "fft_us", "own_us")}
        budget = round(1e6 * hop / rate, 1)
        rows.append({"model": name, "hop": hop, "budget_us": budget, **paced, **hot_rows})
    return rows


def run(options: argparse.Namespace, command: str) -> Report:
    """Measure everything the options ask for."""
    check_writable(options.json)
    models, quick = choose_models(options.models), options.quick
    blocks = options.blocks[:2] if quick else options.blocks
    report = Report("latency", command)
    report.console.print(machine.sentence(report.data["machine"]))
    missing = "switched off by --no-jack" if options.no_jack else jack.unavailable()

    report.progress("latency on the simulated device")
    rows = alignment.simulated_rows(models, blocks, 0.15 if quick else 0.3)
    report.table("latency", "Latency in samples, simulated device", rows, LATENCY)
    at_rate = [m for m in models if runs_at(m[1], glitch.SAMPLE_RATE)]
    if missing:
        report.note(f"No round trip over real PortAudio: {missing}.")
    else:
        some = blocks[:1] if quick else blocks
        rows = round_trips(report, at_rate, some, 0.3 if quick else 0.4)
        title = "Round trip in samples, real PortAudio on JACK's dummy driver, output into input"
        if rows:
            report.table("round_trip", title, rows, ROUND_TRIP)

    rows = cpu_rows(report, models, 1.0 if quick else 3.0)
    report.table("cpu", "CPU per hop, paced at real time: p50 / p99 / p99.9", rows, CPU)
    late = spread.of_values(wake_lateness(WAKE_US, 500 if quick else WAKES))
    floor = [{"what": "a bare native timer wakes late by µs", **late}]
    titles = {"what": "", "p50": "p50", "p99": "p99", "p99_9": "p99.9", "max": "max"}
    report.table("timer", "Floor of the machine", floor, titles)

    if not options.no_glitch:
        model = max(at_rate, key=lambda m: _weight(m[1]), default=(PASS_THROUGH, None))
        seconds = min(options.seconds, 0.5) if quick else options.seconds
        chosen = ("gil",) if quick else glitch.loads.NAMES
        block, rounds = options.glitch_block, 1 if quick else options.rounds
        rows = glitch.table(report, model, block, seconds, not missing, chosen, rounds)
        where = "simulated real-time device" if missing else "real PortAudio on JACK's dummy driver"
        title = (
            f"Missed callbacks, {model[0]}, block {block}, {rounds} x {seconds:g} s a cell, {where}"
        )
        report.table("glitch", title, rows, glitch.COLUMNS)
        for sentence in glitch.summary(rows):
            report.note(sentence)
    others = machine.busy() or {"busy_percent": 0.0}
    report.data["machine"]["others_at_end"] = others
    report.note(f"At the end other programs kept {others['busy_percent']:.0f} % of all cores busy.")
    return report


def runs_at(path: Path | None, sample_rate: int) -> bool:
    """Whether a model runs at this rate; passing through does."""
    card = read_entry(path).card if path else None
    return path is None or (card is not None and card.sample_rate == sample_rate)


def _weight(path: Path | None) -> int:
    """Spectrum models exercise most of the lane, pass-through least."""
    card = read_entry(path).card if path else None
    return 0 if card is None else 1 if card.spectrum is None else 2


def mismatches(report: Report) -> int:
    """Rows whose measured latency is not the declared one."""
    tables = report.data["tables"]
    rows = [*tables["latency"], *tables.get("round_trip", [])]
    return sum(r["verdict"] != alignment.OK for r in rows)


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 when a measured latency is not the declared one."""
    options = parse(argv)
    report = run(options, command_of(options))
    if options.json is not None:
        report.write(options.json)
        report.progress(f"wrote {options.json}")
    wrong = mismatches(report)
    if wrong:
        report.console.print(f"[red]{wrong} measured latencies differ from the declared[/red]")
    return 1 if wrong else 0


if __name__ == "__main__":
    as_command(main)
