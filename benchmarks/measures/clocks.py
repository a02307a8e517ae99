"""``restyle bench clocks``: two devices on two clocks, an hour of them in virtual time.

A sine crosses from one simulated device to another.  Pitch, latency and distortion are measured
from the sound (:mod:`benchmarks.rig.two_clocks`), not taken from the controller; they count from
30 s on, when it has locked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.rig.two_clocks import STRETCH_S, simulate
from benchmarks.rig.virtual_clock import Device
from realtime.dsp.drift_record import Drift
from realtime.errors import ConfigError

from ..rig.sines import fit
from ..rig.tables import Report, Row, as_command

FREQUENCY = 997
SETTLED_S = 30.0
COLUMNS = {
    "ppm": "ppm",
    "blocks": "blocks",
    "late_us": "late µs",
    "breaks": "under/over/relock",
    "worst_cents": "cents at worst",
    "mean_cents": "over all",
    "latency_samples": "latency",
    "lowest_off": "lowest",
    "highest_off": "highest",
    "band_ms": "band ms",
    "lock_stray": "in lock",
    "distortion_db": "THD+N dB",
    "step": "step/sine's",
    "verdict": "verdict",
}


def row_for(
    ppm: float, blocks: tuple[int, int], minutes: float, late_us: float, margin: int, rate: int
) -> Row:
    """One crossing, the writer faster by `ppm`, half of it on either clock.

    Latencies are samples: the declared one, how far the measured one went below and above it since
    the lock, and how far it strayed before.
    """
    writer = Device(rate, blocks[0], ppm / 2, late_us)
    reader = Device(rate, blocks[1], -ppm / 2, late_us)
    crossing = Drift(rate, rate, 1, *blocks, margin)
    begin = time.perf_counter()
    got = simulate(crossing, writer, reader, 60.0 * minutes, FREQUENCY, kept=60)
    spent = time.perf_counter() - begin
    first = int(SETTLED_S / STRETCH_S)
    late, counters = got.latency[first:], crossing.counters()
    ratio = (1 + 0.5e-6 * ppm) / (1 - 0.5e-6 * ppm)
    every = max(1, got.latency.size // 60)
    segments = [y for i, y in enumerate(got.kept) if i * every >= first]
    fastest = np.pi * FREQUENCY * ratio / rate  # of a sine of amplitude 0.5
    worst = float(np.abs(got.cents[first:]).max())
    broken = counters["underflows"] + counters["overflows"] + counters["relocks"]
    return {
        "ppm": ppm,
        "blocks": f"{blocks[0]}/{blocks[1]}",
        "late_us": late_us,
        "minutes": minutes,
        "breaks": "/".join(str(counters[k]) for k in ("underflows", "overflows", "relocks")),
        "underruns": counters["underflows"],
        "overruns": counters["overflows"],
        "relocks": counters["relocks"],
        "worst_cents": worst,
        "mean_cents": abs(float(got.cents[first:].mean())),
        "latency_samples": crossing.target,
        "lowest_off": float(late.min()) - crossing.target,
        "highest_off": float(late.max()) - crossing.target,
        "band_ms": float(np.ptp(late)) * 1000 / rate,
        "lock_stray": round(float(np.abs(got.latency[5:] - crossing.target).max()), 2),
        "distortion_db": round(max(fit(y, FREQUENCY * ratio, rate)[1] for y in segments), 1),
        "step": round(float(got.step[10:].max()) / fastest, 4),
        "spent_s": round(spent, 1),
        "verdict": "ok" if broken == 0 and worst < 0.1 else "OUT OF BOUNDS",
    }


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command's options."""
    parser = argparse.ArgumentParser(prog="restyle bench clocks", description=__doc__)
    parser.add_argument(
        "--ppm", default="300", help="difference of the clocks; commas between (default 300)"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="virtual (default 60)")
    parser.add_argument(
        "--blocks", default="64/64,480/64,64/1024", help="writer/reader, commas between"
    )
    parser.add_argument(
        "--late", default="0", help="mean lateness of callbacks in µs; commas between (default 0)"
    )
    parser.add_argument("--margin", type=int, default=32, help="samples (default 32)")
    parser.add_argument("--rate", type=int, default=48000, help="Hz (default 48000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    try:
        options.ppms = [float(p) for p in options.ppm.split(",")]
        options.lates = [float(v) for v in options.late.split(",")]
        pairs = [tuple(int(n) for n in pair.split("/")) for pair in options.blocks.split(",")]
    except ValueError:
        parser.error("--ppm, --late and --blocks take numbers with commas, blocks as 480/64")
    if not all(len(pair) == 2 for pair in pairs):
        parser.error(f"--blocks takes pairs like 480/64, got '{options.blocks}'")
    if options.minutes < 1.0:
        raise ConfigError(
            f"--minutes must be at least 1, to get past the lock, got {options.minutes:g}"
        )
    options.pairs = pairs
    return options


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    options = parse(argv)
    words = f"restyle bench clocks --ppm {options.ppm} --minutes {options.minutes:g}"
    words += f" --blocks {options.blocks} --late {options.late} --margin {options.margin}"
    report = Report("clocks", f"{words} --rate {options.rate}")
    rows = []
    for late in options.lates:
        for pair in options.pairs:
            for ppm in options.ppms:
                report.progress(f"{ppm:+g} ppm, blocks {pair[0]}/{pair[1]}, {late:g} µs late")
                rows.append(row_for(ppm, pair, options.minutes, late, options.margin, options.rate))
    title = f"{options.minutes:g} virtual minutes at {options.rate} Hz, a sine of {FREQUENCY} Hz"
    report.table("clocks", title, rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    as_command(main)
