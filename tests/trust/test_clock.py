"""A clock that is set while it plays changes nothing: time is counted by the monotonic clock."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from numba import njit

from realtime.native.intrinsics import clock_address, monotonic_ns

PACKAGE = Path(__file__).parents[2] / "realtime"
SHOWN = {  # where the time of day is told to a person, or makes a number at random
    "host/notes.py",
    "host/requests.py",
    "commands/live/options.py",
    "panel/broadcast.py",
    "panel/console.py",
}
WALL = ("time.time", "time.time_ns", "datetime.now", "datetime.datetime.now")


def test_the_time_of_day_is_only_shown() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in WALL:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found <= SHOWN


def test_compiled_code_has_the_monotonic_clock() -> None:
    @njit
    def now(clock):  # type: ignore[no-untyped-def]
        return monotonic_ns(clock)

    assert now(clock_address()) == pytest.approx(time.monotonic_ns(), abs=60e9)
    assert abs(time.time_ns() - time.monotonic_ns()) > 1e17  # so the two are told apart
