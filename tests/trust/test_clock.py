"""A clock that is set while it plays changes nothing: time is counted by the monotonic clock."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numba import njit

from realtime.native.intrinsics import clock_address, monotonic_ns

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "realtime"
SHOWN = {  # where the time of day is told to a person, or makes a number at random
    "host/notes.py",
    "commands/live/options.py",
}
WALL = ("time.time", "time.time_ns", "datetime.now", "datetime.datetime.now")


def test_the_time_of_day_is_only_shown() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in WALL:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found <= SHOWN
    for path in (PACKAGE / "panel" / "page").glob("*.js"):
        assert "Date.now" not in path.read_text(encoding="utf-8")


def test_compiled_code_has_the_monotonic_clock() -> None:
    @njit
    def now(clock):  # type: ignore[no-untyped-def]
        return monotonic_ns(clock)

    assert now(clock_address()) == pytest.approx(time.monotonic_ns(), abs=60e9)
    assert abs(time.time_ns() - time.monotonic_ns()) > 1e17  # so the two are told apart


SESSION = """
import json, math, sys, time

import numpy as np

from realtime.session.sound import Stage
from tests.host.cards import playing

step = np.memmap(sys.argv[1], dtype=np.int64, mode="r+", shape=1)
DAY = 86_400 * 10**9

half = Stage(effect="Gain", parameters={"gain_db": 20 * math.log10(0.5)})
with playing(stages=(half,)) as played:
    host = played.host
    played.settles(0.15)
    first, shown, counted = played.tape.position, [], host.stats()
    for days in (3, -400, 0):
        step[0] = days * DAY
        shown.append(time.time())
        played.play_on(0.3)
        played.settles(0.15)
        played.insert(effect="Gain", parameters={"gain_db": 0.0})  # edits are answered, too
    silence = float(played.silences(first).max())
    incidents, stats = len(host.incidents), host.stats()
    due = stats["callbacks_expected"] - counted["callbacks_expected"]
    came = stats["callbacks_seen"] - counted["callbacks_seen"]
    for days in (0, -9):
        step[0] = days * DAY
        host.notes("something happened")
    notes = host.notes.kept
    print(json.dumps({
        "shown": shown, "silence": silence, "incidents": incidents,
        "due": due, "came": came,
        "at": [n["at"] for n in notes], "when": [n["when"] for n in notes],
        "peak": float(np.abs(played.tape.recording).max()),
    }))
"""


def test_a_clock_that_is_set_changes_no_sound_and_no_age(tmp_path: Path) -> None:
    """The days of a whole session jump, in all of its processes."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("needs Linux and a C compiler")
    library, step = tmp_path / "step.so", tmp_path / "step"
    source = str(ROOT / "scripts" / "clock_step.c")
    words = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"]
    subprocess.run(words, check=True)
    step.write_bytes(bytes(8))
    done = subprocess.run(
        [sys.executable, "-c", SESSION, str(step)],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library), "CLOCK_STEP": str(step)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    before, back, today = found["shown"]
    assert before - time.time() == pytest.approx(3 * 86_400, abs=600)  # so the clock was set
    assert time.time() - back == pytest.approx(400 * 86_400, abs=600)
    assert abs(today - time.time()) < 600
    assert found["incidents"] == 0 and found["peak"] <= 1.0
    assert found["silence"] < 24_000  # samples
    assert found["came"] <= found["due"] < 10**6  # blocks: a day has 65 million
    assert found["at"] == sorted(found["at"]) and abs(found["at"][-1] - time.monotonic()) < 600
    assert time.time() - found["when"][-1] == pytest.approx(9 * 86_400, abs=600)
