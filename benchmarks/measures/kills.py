"""``python -m benchmarks.measures.kills``: what is left when processes are killed or stand still.

``takes``: recordings of noise are killed with SIGKILL at random moments and copied at others, as a
power cut leaves them; libsndfile and FFmpeg (PyAV) read them.  ``colds``: several first starts at
once with an empty cache are killed at random, then one runs whole; its sound is that of a start
with all kernels there.  ``stops``: SIGSTOP of the supervisor, of the engine and of the JACK server.
``crowd``: idle and slow connections at the panel while its owner asks, then the page and the engine
are killed.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.commands.common import check_writable
from realtime.errors import RestyleError
from realtime.host.recorder import Recorder
from realtime.native.cache import VARIABLE
from realtime.native.ring import Ring

from ..rig.tables import Report, Row
from . import stopped

RATE = 48_000
AT_ONCE = 8
LIVES_S = (0.02, 4.0)  # of a recording, drawn evenly
ROOT = Path(__file__).parents[2]
TAKES = {
    "what": "format", "kills": "kills", "read": "read by both", "worst_s": "most lost s",
    "copies": "copies", "copies_read": "read by both ", "copies_worst_s": "most lost s ",
    "wrong": "wrong samples",
}  # fmt: skip
COLDS = {
    "what": "what", "starts": "starts killed", "after_s": "killed after s", "exit": "next exits",
    "same": "same bits", "left": "torn files",
}  # fmt: skip


# -- recordings ----------


def noise(samples: int) -> Any:
    """What is recorded ``[1, samples]``: the same in every process."""
    found = np.random.default_rng(7).uniform(-0.5, 0.5, (1, samples))
    return found.astype(np.float32)


def _record(path: Path, fed: Any, x: Any) -> None:
    """Record in real time for ever, and say in `fed` how much was given to the recorder."""
    rings = {"wet": Ring(1, 1 << 17)}
    Recorder(rings, {"wet": path}, RATE)
    begin, at = time.monotonic(), 0
    while at < x.shape[1]:
        due = min(x.shape[1], int((time.monotonic() - begin) * RATE))
        rings["wet"].write(np.ascontiguousarray(x[:, at:due]))
        at = fed[0] = due
        time.sleep(0.005)


def read_by_both(path: Path, x: Any) -> tuple[int, int]:
    """Samples that libsndfile and FFmpeg both find in a file, and how many of them are wrong.

    Raises
    ------
    Exception
        One of them cannot read it.
    """
    import av

    found = soundfile.read(path, dtype="float32")[0]
    with av.open(str(path)) as opened:
        frames = sum(f.samples for f in opened.decode(audio=0))
    n = min(len(found), x.shape[1])
    wrong = int((np.abs(found[:n] - x[0, :n]) > 2.0**-23).sum()) + len(found) - n
    return min(len(found), frames), wrong


def takes(kind: str, kills: int, rng: random.Random, folder: Path) -> Row:
    """Kill `kills` recordings of one format, :data:`AT_ONCE` of them at a time."""
    x = noise(int((LIVES_S[1] + 30.0) * RATE))
    warm, block = Ring(1, 64), np.zeros((1, 8), dtype=np.float32)
    warm.write(block), warm.readinto(block)
    lost: list[float] = []
    copies: list[float] = []
    unread = wrong = 0
    for first in range(0, kills, AT_ONCE):
        running = []
        for k in range(first, min(first + AT_ONCE, kills)):
            path, memory = folder / f"{k}.{kind}", mmap.mmap(-1, 8)
            fed = np.frombuffer(memory, dtype=np.int64)
            child = os.fork()
            if child == 0:
                try:
                    _record(path, fed, x)
                finally:
                    os._exit(0)
            life = rng.uniform(*LIVES_S)
            running.append([child, path, fed, life, life * rng.random(), 0.0])
        while running:
            for one in list(running):
                child, path, fed, life, copied, begun = one
                now = time.monotonic()
                if not begun and fed[0]:
                    one[5] = now
                if not begun:
                    continue
                if copied and now > begun + copied and path.exists():
                    at, one[4] = int(fed[0]), 0.0
                    copy = path.with_name(f"copy-{path.name}")
                    copy.write_bytes(path.read_bytes())
                    copies.append(_loss(copy, at, x)[0])
                if now > begun + life:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    running.remove(one)
                    found, bad = _loss(path, int(fed[0]), x)
                    lost.append(found)
                    wrong += bad
                    unread += found == np.inf
                    path.unlink(missing_ok=True)
            time.sleep(0.002)
    unread_copies = sum(c == np.inf for c in copies)
    good = not unread and not unread_copies and not wrong and max(lost + copies) <= 1.0
    return {
        "what": kind.upper(),
        "kills": kills,
        "read": kills - unread,
        "worst_s": round(max(lost), 3),
        "copies": len(copies),
        "copies_read": len(copies) - unread_copies,
        "copies_worst_s": round(max(copies), 3),
        "wrong": wrong,
        "verdict": "ok" if good else "not as it should be",
    }


def _loss(path: Path, fed: int, x: Any) -> tuple[float, int]:
    """Seconds that were given and are not in the file, and wrong samples; what was too short to
    have begun a file is no loss beyond itself.
    """
    try:
        found, wrong = read_by_both(path, x)
    except Exception:
        return (float("inf") if fed > RATE else fed / RATE), 0
    return max(0, fed - found) / RATE, wrong


# -- first starts ----------


def colds(rng: random.Random, folder: Path, longest: float) -> Row:
    """Kill eight first starts at once, then start once more."""
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE}
    environment["XDG_CACHE_HOME"] = str(folder / "cache")

    def render(target: Path, own: dict[str, str]) -> subprocess.Popen[bytes]:
        words = ["render", str(ROOT / "exported" / "tape.flac"), str(target), "--model", "tape"]
        return subprocess.Popen(
            [sys.executable, "-m", "realtime.cli", *words],
            cwd=ROOT,
            env=own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    begin, killed = time.monotonic(), []
    running = [
        (render(folder / f"{k}.wav", environment), rng.uniform(1.0, longest)) for k in range(8)
    ]
    for child, life in sorted(running, key=lambda r: r[1]):
        while child.poll() is None and time.monotonic() < begin + life:
            time.sleep(0.01)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            killed.append(round(time.monotonic() - begin, 1))
        child.wait()
    code = render(folder / "next.wav", environment).wait()
    render(folder / "warm.wav", dict(os.environ)).wait()
    same = False
    if code == 0:
        found = [soundfile.read(folder / f"{n}.wav")[0] for n in ("next", "warm")]
        same = bool(np.array_equal(*found))
    whole = {"next.wav", "warm.wav"}
    left = [p for p in folder.glob("*") if p.is_file() and p.name not in whole and not _sound(p)]
    return {
        "what": "8 first starts at once",
        "starts": len(killed),
        "after_s": f"{min(killed, default=0)} to {max(killed, default=0)}",
        "exit": code,
        "same": same,
        "left": len([p for p in left if p.suffix == ".wav" and not p.name.startswith(".")]),
        "verdict": "ok" if same else "not as it should be",
    }


def _sound(path: Path) -> bool:
    try:
        return soundfile.info(path).frames > 0
    except soundfile.LibsndfileError:
        return False


# -- the command ----------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and print it; 1 when something was lost."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.kills", description=__doc__)
    parser.add_argument("--takes", type=int, default=200, help="kills (default 200, 0: none)")
    parser.add_argument("--colds", type=float, default=60.0, help="longest life s (default 60)")
    parser.add_argument("--stops", type=float, default=60.0, help="s (default 60, 0: none)")
    parser.add_argument("--crowd", type=int, default=1000, help="idle connections (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    given = {n: getattr(options, n) for n in ("takes", "colds", "stops", "crowd")}
    words = " ".join(f"--{n} {v:g}" for n, v in given.items())
    report = Report("kills", f"python -m benchmarks.measures.kills {words}")
    rng = random.Random(options.seed)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.takes:
            report.progress(f"{options.takes} recordings that are killed")
            half = [takes(k, options.takes // 2, rng, folder) for k in ("wav", "flac")]
            report.table("takes", "Recordings that are killed", half, TAKES)
            rows += half
        if options.colds:
            report.progress("first starts that are killed")
            rows.append(colds(rng, folder, options.colds))
            report.table("colds", "First starts that are killed", rows[-1:], COLDS)
        if options.stops:
            rows += stopped.stops(report, options.stops)
        if options.crowd:
            rows += stopped.crowd(report, options.crowd)
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except RestyleError as error:
        raise SystemExit(str(error)) from None
