"""``python -m benchmarks.measures.far``: a session that has played for half a day or a whole one.

The counters of a session begin shortly before 2**31 and 2**32 samples (12.4 and 24.9 hours at
48 kHz), so that they pass them while random edits, changes of models and lanes, a metronome, a
recording and a restart go on in virtual time.  What is played, recorded and counted is compared
with the same from 0 on, bit by bit.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.commands.common import check_writable
from realtime.devices.simulated import SimulatedDevice
from realtime.errors import RestyleError
from realtime.models.catalog import find_model
from realtime.native.ring import READ, WRITTEN
from realtime.session.operations import Insert, Load
from realtime.session.session import Session
from realtime.session.sound import Device, Setup, Sound, Stage

from ..rig.tables import Report, Row
from ..rig.takes import Take, differing
from .edits import BLOCK, EVERY, RATE, STYLES, Editor, tone

BEAT = RATE // 2  # samples of a beat at 120 a minute: positions are alike by whole beats
PASSED = (1 << 31, 1 << 32)
TRIES = 5
REST_SECONDS = 1.0  # the most that a worker is waited for
COLUMNS = {
    "lane": "lane", "passed": "passes", "seconds": "seconds", "edits": "edits", "swaps": "swaps",
    "recorded": "recorded s", "wrong": "wrong samples", "counts": "wrong counts",
    "memory_mib": "memory grown MiB",
}  # fmt: skip


@dataclass
class Played:
    """What a run gave: sound, recordings, counts less where they began, places of changes."""

    sound: list[npt.NDArray[np.float32]] = field(default_factory=list)
    takes: list[npt.NDArray[np.float32]] = field(default_factory=list)
    counts: list[dict[str, int]] = field(default_factory=list)
    changes: list[tuple[int, str]] = field(default_factory=list)
    edits: int = 0
    memory_kib: int = 0


def advance(session: Session, start: int) -> None:
    """Have a session that has not begun stand where it would after `start` samples."""
    stream = session.stream
    record, path, voice = stream.memory.record, stream.path.record, stream.voice
    for counter in ("samples", "callbacks"):
        record[counter] += start
    for counter in ("position", "hops"):
        path[counter] += start
    for counter in ("fifo_out_read", "fifo_out_written"):
        path[counter] += start // int(path["fifo_out_capacity"]) * int(path["fifo_out_capacity"])
    for ring, counted in ((voice.ring_in, "begun"), (voice.ring_out, "answered")):
        if ring is not None:
            whole = start // ring.capacity * ring.capacity
            ring._words[[READ, WRITTEN]] += whole
            voice.record[counted] += whole


def rest(session: Session) -> None:
    """Wait until all is made that was asked for: edits then depend on no processor's time."""
    session.settle()
    ring, hop = session.stream.voice.ring_in, session.stream.path.hop
    end = time.monotonic() + REST_SECONDS
    while ring is not None and ring.read_available >= hop and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.002)  # the worker is back at its door


def play(
    lane: str, start: int, seconds: float, models: Sequence[str], seed: int, folder: Path
) -> Played:
    """Play two sessions one after the other, as before and after a restart of the engine.

    Parameters
    ----------
    start : int [samples]
        Where both begin to count; a multiple of :data:`BEAT`.
    seconds : float
        Of virtual time, each.
    """
    found = Played()
    sound = Sound((Stage(model=models[0], identity=1),))
    for half in range(2):
        stretches = max(6, int(seconds * RATE) // EVERY)
        device = SimulatedDevice(tone((stretches + 1) * EVERY), RATE, BLOCK)
        session = Session(Setup(sound, Device(lane=lane)), device)
        advance(session, start)
        editor = Editor(session, models, seed + half)
        device.hold(0)
        with session:
            device.touch()
            record = session.stream.memory.record
            path, take = folder / f"{lane}-{start}-{half}.wav", None
            for k in range(1, stretches):
                device.run_to(k * EVERY)
                rest(session)
                if k == stretches // 4:
                    take = Take(record, path, RATE, start)
                if k == 3 * stretches // 4 and take is not None:
                    take.end()
                try:
                    if k == stretches - 4 and not session.stream.changing:
                        session.do(Load(sound), wait=False)
                    elif k == stretches - 3 and not session.stream.changing:
                        click = Stage(effect="Metronome", identity=900)
                        session.do(Insert(click, 9), wait=False)
                    else:
                        editor.edit()
                    found.edits += 1
                except RestyleError as error:
                    found.changes.append((-1, str(error)))
            device.run_to(stretches * EVERY)
            session.settle()
            assert take is not None
            found.takes.append(take.read())
        found.sound.append(device.recording.copy())
        counts = session.stream.memory.counters()
        for counter in ("samples", "callbacks"):
            counts[counter] -= start
        counts["swaps"] = int(record["swaps"])
        counts["swap_position"] = int(record["swap_position"]) - start
        timed = ("_ns", "histogram", "deadline_misses")  # of a processor, not of virtual time
        found.counts.append({k: v for k, v in counts.items() if not k.endswith(timed)})
        found.changes += [(c.position - start, type(c.operation).__name__) for c in session.log]
        sound = session.now().sound
        session.stream.path.close()
    found.memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found


def compare(lane: str, passed: int, here: Played, there: Played, grown_kib: int) -> Row:
    """A row of :data:`COLUMNS`: a run from 0 beside one that passes `passed`."""
    played = zip((*here.sound, *here.takes), (*there.sound, *there.takes), strict=True)
    wrong = sum(differing(a, b) for a, b in played)
    places = len(set(here.changes) ^ set(there.changes))
    differ = [
        f"{k} {b[k]}, it was {a[k]}"
        for a, b in zip(here.counts, there.counts, strict=True)
        for k in a
        if a[k] != b[k]
    ]
    return {
        "lane": lane,
        "passed": f"2^{passed.bit_length() - 1}",
        "seconds": round(sum(y.shape[1] for y in there.sound) / RATE, 1),
        "edits": there.edits,
        "swaps": sum(c["swaps"] for c in there.counts),
        "recorded": round(sum(len(t) for t in there.takes) / RATE, 1),
        "wrong": wrong,
        "counts": len(differ) + places,
        "memory_mib": round(grown_kib / 1024, 1),
        "verdict": "; ".join(differ) or ("not as it should be" if wrong or places else "ok"),
    }


def run(seconds: float, models: Sequence[str], seed: int, lanes: Sequence[str]) -> list[Row]:
    """Rows of :data:`COLUMNS` for each lane and each number of :data:`PASSED`."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for lane in lanes:
            here = play(lane, 0, seconds, models, seed, Path(name))
            for passed in PASSED:
                start = (passed - int(seconds * RATE) // 2) // BEAT * BEAT
                # a worker that was late took an edit up a hop later, or answered once more or less
                # for a voice that nobody heard any more
                for _ in range(TRIES):
                    there = play(lane, start, seconds, models, seed, Path(name))
                    if (there.changes, there.counts) == (here.changes, here.counts):
                        break
                    here = play(lane, 0, seconds, models, seed, Path(name))  # or this one was late
                grown = there.memory_kib - here.memory_kib
                rows.append(compare(lane, passed, here, there, grown))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where a sample or a count is another."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.far", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each half (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    command = f"python -m benchmarks.measures.far --seconds {options.seconds:g}"
    report = Report("far", f"{command} --seed {options.seed}")
    models = [str(find_model(n)) for n in STYLES]
    rows = run(options.seconds, models, options.seed, ("inline", "worker"))
    report.table("far", "Past 2^31 and 2^32 samples, beside the same from 0", rows, COLUMNS)
    for row in rows:
        if row["verdict"] != "ok":
            report.note(f"{row['lane']}, past {row['passed']}: {row['verdict']}")
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
