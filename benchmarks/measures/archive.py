"""``python -m benchmarks.measures.archive``: a folder rendered, beside its files one by one.

Seconds of sound in a second of processor time, which other programs disturb little, for `restyle
render FOLDER` with one process and with one for each core, and for the renderer alone in a single
process that is warm: what the folder's machinery costs is the difference.  Ray's processes are not
this one's children; for them a core's time is wall time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from realtime.commands.archive import Job, render_file, result_name
from realtime.commands.archive_pools import cores, in_processes, on_ray
from realtime.errors import RestyleError
from realtime.session.sound import Sound, Stage

from ..rig.tables import Report, Row, as_command

RATE = 48_000
COLUMNS = {
    "how": "how",
    "cores": "cores",
    "wall_s": "wall s",
    "cpu_s": "CPU s",
    "a_core": "s of sound in a CPU s",
    "share": "of render alone",
}


def processor_s() -> float:
    """Processor time of this process and of those of its children that have ended [s]."""
    return sum(os.times()[:4])


def folder_of(place: Path, files: int, seconds: float) -> list[str]:
    """Write so many files of decaying notes; their names."""
    time_s = np.arange(int(seconds * RATE)) / RATE
    names = []
    for k in range(files):
        x = 0.3 * np.sin(2 * np.pi * (110 + 7 * k) * time_s) * np.exp(-(time_s % 1.0))
        soundfile.write(place / f"{k:04}.flac", x.astype(np.float32), RATE)
        names.append(f"{k:04}.flac")
    return names


def rows(model: str, files: int, seconds: float, ray: str | None) -> list[Row]:
    """One row for each way."""
    sound, found = Sound((Stage(model=model),)), list[Row]()
    with tempfile.TemporaryDirectory(prefix="restyle-archive-") as folder:
        source = Path(folder) / "in"
        source.mkdir()
        names = folder_of(source, files, seconds)

        def add(how: str, count: int, spent: float, cpu: float | None = None) -> None:
            cpu = spent * count if cpu is None else cpu
            rate = files * seconds / cpu
            alone = found[0]["a_core"] if found else rate
            found.append(
                {
                    "how": how, "cores": count, "wall_s": round(spent, 2),
                    "cpu_s": round(cpu, 2), "a_core": round(rate, 1),
                    "share": round(rate / alone, 2),
                }
            )  # fmt: skip

        target = Path(folder) / "alone"
        target.mkdir()
        render_file(sound, source / names[0], target / "warm.flac")
        begin, used = time.monotonic(), processor_s()
        for name in names:
            render_file(sound, source / name, target / result_name(name))
        add("render alone", 1, time.monotonic() - begin, processor_s() - used)
        ways = [(f"folder, {n} process(es)", n) for n in dict.fromkeys((1, cores()))]
        for how, count in ways:
            jobs = [Job(str(source), str(Path(folder) / how), n) for n in names]
            begin, used = time.monotonic(), processor_s()
            bad = [d.error for d in in_processes(jobs, sound, None, count) if d.error]
            add(how, count, time.monotonic() - begin, processor_s() - used)
            if bad:
                raise RestyleError(bad[0])
        if ray is not None:
            jobs = [Job(str(source), str(Path(folder) / "ray"), n) for n in names]
            begin = time.monotonic()
            bad = [d.error for d in on_ray(jobs, sound, None, ray) if d.error]
            add(f"Ray ({ray})", cores(), time.monotonic() - begin)
            if bad:
                raise RestyleError(bad[0])
    return found


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measures.archive", description=__doc__
    )
    parser.add_argument("--model", default="tube-amp")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each file")
    parser.add_argument("--ray", metavar="ADDRESS", help="also on Ray")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    report = Report("archive", "python -m benchmarks.measures.archive")
    found = rows(options.model, options.files, options.seconds, options.ray)
    report.table("archive", f"A folder rendered with {options.model}", found, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    as_command(main)
