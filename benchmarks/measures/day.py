"""``python -m benchmarks.measures.day``: a day of virtual time, played through without a stop.

25 hours pass 2**31 and 2**32 samples.  In ten seconds of every twenty minutes there is a random
edit each second, with models, groups, other lanes and whole sounds; else a parameter turns every
ten seconds.  A minute of every hour is recorded.  Then sessions are started anew, again and again.
The day is played twice, the second time from what the first was asked to do: what is played must
be the same, bit by bit.  What is recorded must be what was played, the counters must stand where
the clock does, and memory must not grow.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.commands.common import check_writable
from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model
from realtime.session.operations import Operation
from realtime.session.session import Session
from realtime.session.sound import Device, Setup, Sound, Stage

from ..rig.child import call_apart
from ..rig.tables import Report, Row
from ..rig.takes import Take, differing
from ..suite.memory import resident_mib
from .edits import RATE, STYLES, Editor, tone
from .far import rest

Array = npt.NDArray[np.float32]
BLOCKS = {"inline": 64, "worker": 4800}  # whole blocks in a second, whole seconds in a lap
LAP = 10  # seconds of tape, played round and round
BUSY_EVERY, BUSY = 1200, 10  # seconds; whole laps
HOUR, TAKE = 3600, 60  # seconds, a minute of each hour
NOISE = 10 ** (-30 / 20)
STARTS = 50
GROWTH = 0.5  # MiB an hour over the second half that count as growth
COLUMNS = {
    "lane": "lane", "hours": "hours", "edits": "edits", "refused": "refused",
    "swaps": "other paths", "recorded": "recorded s", "starts": "starts",
    "wrong": "stretches that differ", "wrong_takes": "wrong samples recorded",
    "counts": "wrong counts", "times": "times real time",
}  # fmt: skip
MEMORY = {
    "lane": "lane", "one": "after 1 hour", "half": "after half", "last": "at the end",
    "most": "most from then on", "slope": "grows per hour from then on",
    "again": "after the day again", "after_starts": "after the starts",
}  # fmt: skip


class Noting(Session):
    """A session that notes what it is asked to do."""

    asked: list[Operation]

    def do(self, operation: Operation, *rest: object, **named: object) -> Setup:  # type: ignore[override]
        """Note it, then do it."""
        self.asked.append(operation)
        return super().do(operation, *rest, **named)  # type: ignore[arg-type]


@dataclass
class Lived:
    """What a day was.

    Attributes
    ----------
    stretches : list of bytes
        A hash of what was played between one edit and the next.
    asked : dict of int to list of Operation
        What was asked for at which second.
    memory : list of float [MiB]
        Resident, at the end of each hour.
    recorded, wrong : int [samples]
        Recorded; recorded otherwise than played.
    """

    stretches: list[bytes] = field(default_factory=list)
    asked: dict[int, list[Operation]] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    refused: int = 0
    recorded: int = 0
    wrong: int = 0
    swaps: int = 0
    counts: int = 0
    seconds: float = 0.0


def tape() -> Array:
    """What is played round and round ``[1, n]``: a tone, and noise that swells within a lap."""
    sound = tone(LAP * RATE)
    swell = np.sin(np.linspace(0.0, np.pi, sound.shape[1], dtype=np.float32))
    noise = np.random.default_rng(0).standard_normal(sound.shape, dtype=np.float32)
    return (sound + np.float32(NOISE) * swell * noise).astype(np.float32)


def drawn(editor: Editor, second: int, lane: str) -> None:
    """The edit of a first day: any in busy seconds, then back to `lane` and nothing but turns."""
    if second % BUSY_EVERY < BUSY:
        editor.edit()
    elif second % BUSY_EVERY == BUSY:
        editor.plain(lane)
    else:
        editor.turn()


def live(
    lane: str, laps: int, models: Sequence[str], folder: Path, seed: int = 0,
    again: Lived | None = None,
) -> Lived:  # fmt: skip
    """Play `laps` of the tape with edits: random ones, or those of a day that is played `again`."""
    lived, begin, end = Lived(), time.monotonic(), laps * LAP
    device = SimulatedDevice(tape(), RATE, BLOCKS[lane], rounds=laps)
    session = Noting(Setup(Sound((Stage(model=models[0], identity=1),)), Device(lane=lane)), device)
    session.asked = []
    editor = Editor(session, models, seed)
    take: Take | None = None
    meanwhile: list[Array] = []

    def compare(take: Take) -> None:
        take.end()
        recorded = take.read()
        lived.recorded += len(recorded)
        lived.wrong += differing(recorded, np.concatenate(meanwhile))
        meanwhile.clear()

    device.hold(0)
    with session:
        device.touch()
        second = 0
        while second < end:
            session.asked.clear()
            try:
                if again is not None:
                    for operation in again.asked.get(second, ()):
                        session.do(operation, wait=False)
                elif second:
                    drawn(editor, second, lane)
            except RestyleError:
                lived.refused += 1
            lived.asked[second] = list(session.asked)
            if second % HOUR == HOUR // 2:
                record = session.stream.memory.record
                take = Take(record, folder / f"{second}.wav", RATE, second * RATE)
            step = 1 if second % BUSY_EVERY < BUSY else LAP
            place = second % LAP * RATE
            second += step
            device.run_to(second * RATE)
            rest(session)
            heard = device.played(place, place + step * RATE)[0]
            lived.stretches.append(hashlib.sha1(heard.tobytes()).digest())
            if take is not None:
                meanwhile.append(heard)
                if second % HOUR == HOUR // 2 + TAKE:
                    compare(take)
                    take = None
            if second % HOUR == 0:
                lived.memory.append(resident_mib(os.getpid()))
                counted = session.stream.memory.counters()
                lived.counts += counted["samples"] != second * RATE
                lived.counts += counted["callbacks"] != second * RATE // BLOCKS[lane]
        if take is not None:
            compare(take)
        lived.swaps = int(session.stream.memory.record["swaps"])
    session.stream.path.close()
    lived.seconds = time.monotonic() - begin
    return lived


def left_mib() -> float:
    """Resident memory without what Python's collector and malloc would give back if asked.

    A session that has ended is a cycle, with the tape that it heard.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return resident_mib(os.getpid())


def measure(lane: str, hours: float, starts: int, seed: int) -> Row:
    """A row of :data:`COLUMNS` and :data:`MEMORY` for a lane; run in a process of its own."""
    models = [str(find_model(n)) for n in STYLES]
    laps = round(hours * HOUR / LAP)
    with tempfile.TemporaryDirectory() as name:
        first = live(lane, laps, models, Path(name), seed)
        second = live(lane, laps, models, Path(name), seed, first)
        day_again = left_mib()
        for k in range(starts):
            live(lane, 2, models, Path(name), seed + k)
        after_starts = left_mib()
    later = np.array(first.memory)
    half = len(later) // 2  # by then, all models and lanes have been played
    slope = np.polyfit(np.arange(len(later) - half), later[half:], 1)[0]
    return {
        "lane": lane,
        "hours": round(laps * LAP / HOUR, 2),
        "edits": sum(len(o) for o in first.asked.values()),
        "refused": first.refused,
        "swaps": first.swaps,
        "recorded": round(first.recorded / RATE, 1),
        "starts": starts,
        "wrong": sum(a != b for a, b in zip(first.stretches, second.stretches, strict=True)),
        "wrong_takes": first.wrong + second.wrong,
        "counts": first.counts + second.counts,
        "times": round(laps * LAP / first.seconds, 1),
        "one": round(float(later[0]), 1),
        "half": round(float(later[half]), 1),
        "last": round(float(later[-1]), 1),
        "most": round(float(later[half:].max()), 1),
        "slope": round(float(slope), 3),
        "again": round(day_again, 1),
        "after_starts": round(after_starts, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where a sample or a count is another, or memory grew."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.day", description=__doc__)
    parser.add_argument("--hours", type=float, default=25.0, help="of virtual time (default 25)")
    parser.add_argument("--lane", choices=(*BLOCKS, "both"), default="both")
    parser.add_argument("--starts", type=int, default=STARTS, help=f"anew (default {STARTS})")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    if options.hours < 4:
        raise ConfigError(f"--hours must be at least 4 to tell growth, got {options.hours:g}")
    command = f"python -m benchmarks.measures.day --hours {options.hours:g} --lane {options.lane}"
    report = Report("day", f"{command} --seed {options.seed}")
    lanes = tuple(BLOCKS) if options.lane == "both" else (options.lane,)
    what = "benchmarks.measures.day:measure"
    rows = [call_apart(what, n, options.hours, options.starts, options.seed) for n in lanes]
    report.table("day", "A day of virtual time, played twice", rows, COLUMNS)
    report.table("memory", "Resident memory, MiB", rows, MEMORY)
    if options.json is not None:
        report.write(options.json)
    wrong = sum(r["wrong"] + r["wrong_takes"] + r["counts"] for r in rows)
    return 1 if wrong or any(r["slope"] > GROWTH for r in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
