"""A child whose start is met by a signal: it starts whole, and the signal is heard after that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from realtime.signals import ignore_endings

ROOT = Path(__file__).parents[2]
PARENT = """
import os, signal, sys, time
from multiprocessing import util
from realtime.host.child import Child
from tests.host.test_child import told

def interrupt(*_):
    raise KeyboardInterrupt

number, terminal = map(int, sys.argv[1:])
signal.signal(number, interrupt)
spawn, words = util.spawnv_passfds, []

def spawned(path, args, passed):  # at the worst moment
    child = spawn(path, args, passed)
    if "resource_tracker" not in str(args):
        if terminal:
            os.kill(child, number)
        os.kill(os.getpid(), number)
    return child

util.spawnv_passfds = spawned
try:
    Child(told, (), "test", words.append)
except KeyboardInterrupt:
    print("heard")
time.sleep(1.0)  # a child that was broken off would say so
print("ended")
"""


def told(pipe: Connection) -> None:
    ignore_endings()
    pipe.recv()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are held back where there are masks")
@pytest.mark.parametrize("terminal", [True, False], ids=["to both", "to the parent"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_a_child_starts_breaks_nothing_off(name: str, terminal: bool) -> None:
    number = int(getattr(signal, name))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PARENT, str(number), str(int(terminal))],
        capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert (done.stderr, done.stdout.split()) == ("", ["heard", "ended"])
