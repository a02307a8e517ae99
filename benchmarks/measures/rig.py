"""``restyle bench rig``: a guitarist's rig inside the callback, beside the same through pedalboard.

Gate, capture, cabinet, equalizer, delay and reverb in mono at 48 kHz and hops of 64 samples.  A
hop's time is the least of several runs of the same sound, so that what other programs took away is
left out; percentiles are over the hops.  The native path is timed in compiled code, the one with
pedalboard where the worker lane calls it.

Hops follow each other at once; *paced* ones come when a sound card would ask for them, with the
caches as cold as they then are.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from numba import njit

from realtime.engine.path import Path as SoundPath
from realtime.native.intrinsics import (
    call_hop,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    sleep_address,
    sleep_ns,
)
from realtime.presets.files import write_file
from realtime.presets.format import Preset
from realtime.session.builder import Builder
from realtime.session.sound import Sound, Stage, identified
from realtime.stream.worker import raise_priority

from ..rig import jack, whole_rig
from ..rig.child import run_child
from ..rig.core import Core, built
from ..rig.sounds import phrase
from ..rig.tables import Report, Row
from ..rig.whole_rig import RATE, response, stages
from . import effects, glitch

HOP, RUNS = 64, 5
LONG_RUNS = 25  # of long responses, whose rarest hops count
LOAD_ROUNDS = 3
Array = npt.NDArray[np.float32]
TRIP = {
    "block": "block",
    "declared": "declared",
    "device": "bare copy",
    "impulse": "rig's impulse",
    "null_db": "null against the parts, dB",
    "runs": "runs",
}
RATIOS = {"ratio": "p99.9 / p50", "paced_us": "paced p50 µs", "paced_ratio": "paced p99.9 / p50"}
COLUMNS = {
    "what": "what",
    "p50_us": "p50 µs",
    "p99_us": "p99 µs",
    "p99_9_us": "p99.9 µs",
    "core_percent": "% of a core",
    "share": "of the capture",
}


@njit(nogil=True, error_model="numpy")
def _hops(function, path, x, block, address, times, first, period, clock, sleep):  # type: ignore[no-untyped-def]
    """Time the hops; from `first` on they come `period` ns after each other."""
    old = flush_denormals()
    due = monotonic_ns(clock)
    for k in range(times.shape[0]):
        for c in range(block.shape[0]):
            for i in range(block.shape[1]):
                block[c, i] = x[c, k * block.shape[1] + i]
        begin = monotonic_ns(clock)
        due = max(due, begin) if k < first else due + period
        if begin < due and period > 0:
            sleep_ns(sleep, due - begin)
            begin = monotonic_ns(clock)
        call_hop(function, (path, address, 0))
        times[k] = monotonic_ns(clock) - begin
    restore_denormals(old)


def hop_times(
    path: SoundPath, x: Array, first: int = 0, least_of: int = RUNS, paced: bool = False
) -> npt.NDArray[np.float64]:
    """Microseconds of each hop from `first` on, the least of so many runs."""
    period = round(1e9 * path.hop / RATE) if paced else 0
    count = x.shape[1] // path.hop
    runs = []
    for _ in range(least_of):
        path.reset()
        times = np.zeros(count, dtype=np.int64)
        block = np.zeros((path.channels, path.hop), dtype=np.float32)
        if path.native:
            function = int(path.record["hop_function"])
            address = int(block.ctypes.data)
            clocks = (clock_address(), sleep_address())
            _hops(function, path.address, x, block, address, times, first, period, *clocks)
        else:
            for k in range(count):
                block[...] = x[:, k * path.hop : (k + 1) * path.hop]
                begin = time.perf_counter_ns()
                path.run(block)
                times[k] = time.perf_counter_ns() - begin
        runs.append(times)
    return np.min(runs, axis=0)[first:] / 1000.0


def row(what: str, times: npt.NDArray[np.float64], capture_us: float | None = None) -> Row:
    """Percentiles of hops, and the mean's share of a core."""
    p50, p99, p99_9 = np.percentile(times, [50, 99, 99.9])
    mean = float(times.mean())
    found: Row = {
        "what": what,
        "p50_us": round(float(p50), 2),
        "p99_us": round(float(p99), 2),
        "p99_9_us": round(float(p99_9), 2),
        "core_percent": round(100 * mean * 1e-6 * RATE / HOP, 2),
    }
    if capture_us:
        found["share"] = round(mean / capture_us, 2)
    return found


def rig_rows(folder: Path, capture: str, seconds: float) -> list[Row]:
    """The capture alone, its rig natively, each part of it, and the rig through pedalboard."""
    x = 0.3 * phrase(seconds, 1)
    builder = Builder(1, RATE, HOP)

    def times(chosen: tuple[Stage, ...]) -> npt.NDArray[np.float64]:
        path = builder.path(Sound(identified(chosen, 1)))
        try:
            return hop_times(path, x)
        finally:
            path.close()

    bare = times((Stage(effect="Gain", parameters={"gain_db": 0.0}),))
    alone = times((Stage(model=capture),))
    native = stages(folder, None, None)
    cost = float(alone.mean())
    whole = [row("nothing but a gain", bare, cost), row("capture alone", alone, cost)]
    whole += [row(f"{s.name} alone", times((s,)), cost) for s in native]
    whole.append(row("gate, cabinet, EQ, delay, reverb", times(native), cost))
    whole.append(row("the same and the capture", times(stages(folder, None, capture)), cost))
    peer = times(stages(folder, "pedalboard", None))
    whole.append(row("gate … reverb by pedalboard (worker lane)", peer, cost))
    return whole


def response_rows(folder: Path) -> list[Row]:
    """Convolution alone, by length, once its response is full of sound."""
    found = []
    for seconds, channels in ((0.05, 1), (1.0, 1), (1.0, 2), (10.0, 2)):
        file = folder / f"r{seconds:g}-{channels}.wav"
        soundfile.write(str(file), response(seconds, channels).T, RATE, subtype="FLOAT")
        stage = Stage(effect="Convolution", parameters={"impulse_response_filename": str(file)})
        path = Builder(channels, RATE, HOP).path(Sound(identified((stage,), 1)))
        settled = round(seconds * RATE / HOP) + 200
        x = 0.3 * phrase(seconds + 6.0, channels)
        times = hop_times(path, x, settled, LONG_RUNS)
        made = row(f"{seconds:g} s, {'mono' if channels == 1 else 'stereo'}", times)
        made["ratio"] = round(made["p99_9_us"] / made["p50_us"], 2)
        paced = _paced(path, x, settled)
        path.close()
        made["paced_us"], paced_p99_9 = (float(v) for v in np.percentile(paced, [50, 99.9]))
        made["paced_ratio"] = round(paced_p99_9 / made["paced_us"], 2)
        made["paced_us"] = round(made["paced_us"], 2)
        found.append(made)
    return found


def _paced(path: SoundPath, x: Array, first: int) -> npt.NDArray[np.float64]:
    """:func:`hop_times` with pauses, on a thread of a sound card's priority."""
    found: list[npt.NDArray[np.float64]] = []

    def run() -> None:
        raise_priority()
        found.append(hop_times(path, x, first, paced=True))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def trip_row(rig: Path, capture: str, core: Path | None, seconds: float) -> Row:
    """The rig over JACK's dummy driver: when its impulse comes, and its sound beside its parts'."""
    tape = rig.with_name("tape.npy")
    job = {"preset": str(rig), "block": HOP, "seconds": seconds, "tape": str(tape)}
    with jack.dummy_server(HOP, RATE) as environment:
        found: Row = run_child("benchmarks.rig.whole_rig", job, environment)
    found["block"] = HOP
    if core is not None:
        text = Path(capture).read_text(encoding="utf-8")
        x = phrase(seconds, 1, RATE)
        with Core(built(core), text, exact=True) as player:
            wanted = whole_rig.composition(x, player.play, response(1.0, 1)[0])
        heard = np.load(tape)
        both = slice(whole_rig.FADED, min(len(heard), len(wanted)))
        found["null_db"] = effects.null_db(heard[both], wanted[both])
    return found


def load_rows(report: Report, rig: Path, on_jack: bool, seconds: float) -> list[Row]:
    """Callbacks that the rig and a bare copy miss beside other work, on JACK where it is there."""
    named, names = ("the rig", rig), ("bare", "inline")
    return glitch.table(report, named, HOP, seconds, on_jack, rounds=LOAD_ROUNDS, names=names)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="restyle bench rig", description=__doc__)
    parser.add_argument("--capture", metavar="FILE", help="a .nam file; none: no rig's table")
    parser.add_argument(
        "--core",
        type=Path,
        metavar="FOLDER",
        help="a checkout of NeuralAmpModelerCore to null with",
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of sound")
    parser.add_argument(
        "--loads", type=float, default=2.0, metavar="SECONDS", help="of each load; 0: none"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    report = Report("rig", "restyle bench rig " + " ".join(argv))
    effect_rows: list[dict[str, Any]] = effects.rows()
    report.table("effects", "Native effects beside pedalboard's", effect_rows, effects.COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        lengths = response_rows(Path(folder))
        columns = {k: v for k, v in COLUMNS.items() if k != "share"} | RATIOS
        report.table("responses", "Convolution, hops of 64 samples", lengths, columns)
        if options.capture is not None:
            whole = rig_rows(Path(folder), options.capture, options.seconds)
            report.table("rig", "A rig, mono, hops of 64 samples", whole, COLUMNS)
            capture = str(Path(options.capture).resolve())
            rig, missing = Path(folder) / "rig.toml", jack.unavailable()
            write_file(rig, Preset("rig", "", whole_rig.rig(Path(folder), capture)))
            if missing is None:
                trip = trip_row(rig, capture, options.core, options.seconds)
                report.table("trip", "Its round trip over JACK, samples", [trip], TRIP)
            else:
                report.note(f"no round trip over JACK: {missing}")
            if options.loads > 0:
                missed = load_rows(report, rig, missing is None, options.loads)
                report.table("loads", "Its callbacks beside other work", missed, glitch.COLUMNS)
        else:
            report.note("name a capture (--capture FILE.nam) to compare the rig with it")
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
