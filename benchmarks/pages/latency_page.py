"""The long tables of ``docs/latency.md``, from a result of ``restyle bench latency``."""

from __future__ import annotations

from typing import Any

from ..rig import machine
from ..rig.tables import Row, markdown

LATENCY = {
    "model": "model",
    "block": "block",
    "lane": "lane",
    "declared": "declared",
    "measured": "measured",
    "ms": "ms",
    "round_trip": "round trip, JACK",
    "round_trip_ms": "ms",
}
CPU = {
    "model": "model",
    "hop": "hop",
    "hop_us": "whole hop µs",
    "model_us": "model step µs",
    "fft_us": "FFT + inverse µs",
    "own_us": "restyle's own µs",
    "cpu_percent": "CPU %",
}
GLITCH = {
    "contender": "audio callback",
    "load": "beside it",
    "missed": "missed",
    "expected": "of",
    "missed_percent": "%",
    "longest_ms": "longest interval ms",
}


PROVIDERS = {
    "model": "network", "hop_ms": "a hop, ms", "cpu": "one CPU thread, µs",
    "gpu": "CUDA, µs", "ratio": "CUDA / CPU", "apart_db": "difference, dB",
}  # fmt: skip


def latency_rows(tables: dict[str, list[Row]]) -> list[Row]:
    """One row for a model, block and lane: both tables side by side."""
    keys = ("model", "block", "lane")
    trips = {tuple(r[k] for k in keys): r for r in tables.get("round_trip", [])}
    rows = []
    for r in tables["latency"]:
        trip = trips.get(tuple(r[k] for k in keys), {})
        found = {str(r[k]) for k in ("dry", "wet", "impulse") if r[k] is not None}
        met = {str(trip[k]) for k in ("dry", "wet") if trip.get(k) is not None}
        rows.append(
            {
                **{k: r[k] for k in (*keys, "declared", "ms")},
                "measured": " / ".join(sorted(found)),
                "round_trip": " / ".join(sorted(met)) or None,
                "round_trip_ms": trip.get("ms"),
            }
        )
    return rows


def section(data: dict[str, Any]) -> str:
    """Everything that goes between the markers."""
    tables = data["tables"]
    rows = latency_rows(tables)
    wrong = [
        r for t in ("latency", "round_trip") for r in tables.get(t, []) if r["verdict"] != "ok"
    ]
    verdict = f"**{len(wrong)} rows differ**" if wrong else "every row is equal to the sample"
    parts = [
        "In samples. *Declared* is what restyle says it adds; *measured* is the simulated device's"
        " tape: dry path, wet path and an impulse. *Round trip* goes through real PortAudio on"
        " JACK's dummy driver, output connected to input, and is the declared latency plus one"
        f" device period. In this run {verdict}.",
        markdown(rows, LATENCY),
        "CPU per hop, paced at real time: p50 / p99 / p99.9 µs.",
        markdown(tables["cpu"], CPU),
    ]
    if tables.get("glitch"):
        parts += [
            "Missed callbacks, counted against elapsed time (the Python callback restyles with"
            " NumPy and `InferenceSession.run`):",
            markdown(tables["glitch"], GLITCH),
        ]
    parts.append(
        f"Printed by `{data['command']}` on {data['date'][:10]}:"
        f" {machine.sentence(data['machine'])}. Compare within one run; no machine is promised"
        " these figures."
    )
    return "\n\n".join(parts)


def providers(data: dict[str, Any]) -> str:
    """What a hop of every network takes on a GPU, in Markdown."""
    rows = data["tables"]["providers"]
    low, high = (f(r["ratio"] for r in rows) for f in (min, max))
    return "\n\n".join(
        [
            f"Under CUDA a hop took {low:.1f} to {high:.1f} times as long as on one thread of the"
            " processor (*difference*: the worst sample over the loudest).",
            markdown(rows, PROVIDERS),
            f"Printed by `{data['command']}` on {data['date'][:10]}:"
            f" {machine.sentence(data['machine'])}, {data['machine']['gpu']}.",
        ]
    )
