"""``restyle bench droptune``: strings and chords moved by an interval, beside other programs.

Strings are sums of partials that die away, so what an exact change of pitch makes of them is known.
*Sidebands* are the power further than 12 Hz from every partial that should be there over all power;
*cents* how far the partials are off, by power; *onset* the peak of the envelope after a pluck over
that of the exact sound, and how late half of it comes, the declared latency taken off.
PitchShift of pedalboard (Rubber Band) and, where it is installed, python-stretch (Signalsmith
Stretch) get the whole clip at once, which nobody can play through.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pedalboard

from ..rig.alone import alone, made_of
from ..rig.plucked import (
    CHORDS,
    RATE,
    STRINGS,
    Array,
    cents_off,
    onset,
    sidebands,
    sounded,
    strings,
)
from ..rig.tables import Report, Row

BLOCK = 64
SECONDS, AT, STEADY = 1.4, 0.1, (0.3, 1.2)
COLUMNS = {
    "what": "what", "semitones": "semitones", "by": "by", "sidebands_db": "sidebands dB",
    "cents": "cents off", "level_db": "level dB", "onset": "onset", "late_ms": "onset late ms",
}  # fmt: skip
COSTS = {"channels": "channels", "percent": "% of a core", "callback": "callback µs"}


def native(x: Array, semitones: float) -> Array:
    """What DropTune makes of ``[n]``, its latency taken off."""
    return made_of(x.astype(np.float32), "DropTune", {"semitones": semitones})[0].astype(np.float64)


def rubber_band(x: Array, semitones: float) -> Array:
    """What pedalboard's PitchShift makes of it."""
    made = pedalboard.PitchShift(semitones).process(x.astype(np.float32)[None], RATE)
    return np.resize(made[0], len(x)).astype(np.float64)


def signalsmith(x: Array, semitones: float) -> Array:
    """What python-stretch makes of it."""
    from python_stretch import Signalsmith  # type: ignore[import-not-found]

    shifter = Signalsmith.Stretch()
    shifter.preset(1, RATE)
    shifter.setTransposeSemitones(semitones)
    made = shifter.process(x.astype(np.float32)[None])
    return np.resize(made[0], len(x)).astype(np.float64)


def measure(semitones: Sequence[float], programs: dict[str, Callable[..., Array]]) -> list[Row]:
    """A row for each string and chord, interval and program."""
    rows: list[Row] = []
    begin, end = (round(s * RATE) for s in STEADY)
    n, at = round(SECONDS * RATE), round(AT * RATE)
    for what, pitches in {**{k: (v,) for k, v in STRINGS.items()}, **CHORDS}.items():
        partials = strings(pitches)
        x = sounded(partials, n, at)
        for interval in semitones:
            ratio = 2.0 ** (interval / 12.0)
            exact = sounded(partials, n, at, ratio)
            for by, program in programs.items():
                y = program(x, interval)
                steady, wanted = y[begin:end], exact[begin:end]
                strength, late = onset(y, exact, at)
                rows.append({
                    "what": what, "semitones": interval, "by": by,
                    "sidebands_db": round(sidebands(steady, partials, ratio), 1),
                    "cents": round(cents_off(steady, partials, ratio), 2),
                    "level_db": round(float(20 * np.log10(np.std(steady) / np.std(wanted))), 1),
                    "onset": round(strength, 2), "late_ms": round(late, 1),
                })  # fmt: skip
    return rows


def worst(rows: Sequence[Row]) -> list[Row]:
    """The worst of the strings and of the chords, for each interval and program."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        group = "strings" if row["what"] in STRINGS else "chords"
        found.setdefault((row["semitones"], row["by"], group), []).append(row)

    def far(group: Sequence[Row], key: str, right: float) -> object:
        return max((r[key] for r in group), key=lambda value: abs(value - right))

    return [
        {
            "what": f"worst of {len(group)} {what}", "semitones": semitones, "by": by,
            "sidebands_db": max(r["sidebands_db"] for r in group),
            "cents": max(r["cents"] for r in group),
            "level_db": far(group, "level_db", 0.0), "onset": far(group, "onset", 1.0),
            "late_ms": far(group, "late_ms", 0.0),
        }
        for (semitones, by, what), group in found.items()
    ]  # fmt: skip


def costs() -> list[Row]:
    """What it takes of a core, and a callback of :data:`BLOCK` samples."""
    rows: list[Row] = []
    for channels in (1, 2):
        path = alone("DropTune", {"semitones": -2.0}, channels)
        one = sounded(strings(CHORDS["E major"]), 4 * RATE, 0)
        blocks = np.stack([one] * channels).astype(np.float32).reshape(channels, -1, BLOCK)
        spent = []
        for k in range(blocks.shape[1]):
            block = np.ascontiguousarray(blocks[:, k])
            begin = time.perf_counter_ns()
            path.process_hops(block)
            spent.append((time.perf_counter_ns() - begin) / 1000.0)
        p50, p99, p99_9 = np.quantile(spent, (0.5, 0.99, 0.999)).tolist()
        rows.append({
            "channels": channels,
            "percent": round(100.0 * float(np.mean(spent)) / (BLOCK / RATE * 1e6), 1),
            "callback": {"p50": round(p50, 1), "p99": round(p99, 1), "p99_9": round(p99_9, 1)},
        })  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench droptune", description=__doc__)
    parser.add_argument("--semitones", type=float, nargs="+", default=[-2.0, -5.0, 2.0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    programs = {"DropTune": native, "PitchShift": rubber_band}
    if importlib.util.find_spec("python_stretch") is not None:
        programs["python-stretch"] = signalsmith
    report = Report("droptune", " ".join(["restyle bench droptune", *(arguments or [])]))
    rows = measure(options.semitones, programs)
    report.table("strings", "Strings and chords moved", rows, COLUMNS)
    report.table("worst", "The worst of them", worst(rows), COLUMNS)
    report.table("cost", f"Cost, {BLOCK} samples a callback, called from Python", costs(), COSTS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
