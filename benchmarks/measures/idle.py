"""``restyle bench idle``: what a virtual microphone costs while nobody listens, and while one does.

Runs ``restyle live --virtual-mic`` in the sound server of this session and reads the processor time
of all its processes from the system; a recorder of the server's own listens in the second part.
Linux alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import ConfigError, DeviceError

from ..rig.processes import family, processor_s
from ..rig.tables import Report, Row

START_SECONDS, SETTLE_SECONDS = 120.0, 30.0
COLUMNS = {"when": "when", "processes": "processes", "percent": "% of a core"}
NAME = "restyle-idle"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each part")
    parser.add_argument("--preset", default="radio", help="what plays")
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if not 1.0 <= options.seconds <= 3600.0:
        raise ConfigError(f"--seconds must be within 1..3600, got {options.seconds:g}")
    if not Path("/proc/self/stat").is_file():
        raise ConfigError("restyle bench idle reads /proc, which this system does not have")
    report = Report("idle", " ".join(["restyle bench idle", *(arguments or [])]))
    report.table("idle", "A virtual microphone", measure(options.seconds, options.preset), COLUMNS)
    if options.json is not None:
        report.write(Path(options.json))
    return 0


def measure(seconds: float, preset: str) -> list[Row]:
    """A row for nobody, one for a recorder that listens.

    Raises
    ------
    DeviceError
        No microphone can be made in this session.
    """
    words = ["live", "--virtual-mic", "--mic-name", NAME, "--preset", preset]
    with subprocess.Popen(
        [sys.executable, "-m", "realtime.cli", *words, "--panel-port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as live:
        try:
            _await(live)
            time.sleep(SETTLE_SECONDS)  # a second engine has come up, and nobody has listened
            rows = [_row("nobody listens, the page closed", live.pid, seconds)]
            record = ["pw-record", "--target", NAME, os.devnull]
            with subprocess.Popen(record, stderr=subprocess.DEVNULL) as recorder:
                time.sleep(SETTLE_SECONDS)
                rows.append(_row("a program listens", live.pid, seconds))
                recorder.terminate()
        finally:
            live.terminate()
    return rows


def _await(live: subprocess.Popen[str]) -> None:
    assert live.stderr is not None
    said = ""
    for line in live.stderr:
        said += line
        if line.startswith("microphone:"):
            return
    raise DeviceError(f"no microphone: {said.strip()[-300:]}")


def _row(when: str, pid: int, seconds: float) -> Row:
    living = family(pid)
    before, begin = {p: processor_s(p) for p in living}, time.monotonic()
    time.sleep(seconds)
    spent = sum(max(0.0, processor_s(p) - before[p]) for p in living)
    percent = 100.0 * spent / (time.monotonic() - begin)
    return {"when": when, "processes": len(living), "percent": round(percent, 2)}


if __name__ == "__main__":
    raise SystemExit(main())
