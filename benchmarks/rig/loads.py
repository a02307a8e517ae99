"""What else the computer does while sound runs: the loads of the glitch table."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

NAMES = ("none", "gil", "gc", "cpu")
TITLES = {
    "none": "nothing else",
    "gil": "GIL hog thread",
    "gc": "garbage collection thread",
    "cpu": "2 CPU hog processes",
}
HEAP_OBJECTS = 300_000
HOGS = 2

# ends by itself when its parent is gone
_SPIN = """
import os, sys
parent = int(sys.argv[1])
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextlib.contextmanager
def load(name: str) -> Iterator[None]:
    """Run load `name` (one of :data:`NAMES`) while the block runs.

    ``gil``: a thread of this process computing in pure Python.  ``gc``: a thread of this process
    with 300,000 objects alive that makes cyclic garbage and collects it.  ``cpu``: two other
    processes computing.
    """
    if name == "none":
        yield
    elif name == "cpu":
        command = [sys.executable, "-S", "-c", _SPIN, str(os.getpid())]
        hogs = [subprocess.Popen(command) for _ in range(HOGS)]
        try:
            yield
        finally:
            for hog in hogs:
                hog.terminate()
            for hog in hogs:
                hog.wait()
    else:
        with _thread({"gil": _compute, "gc": _churn}[name]):
            yield


@contextlib.contextmanager
def _thread(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)


def _compute(stop: threading.Event) -> None:
    total = 0
    while not stop.is_set():
        for i in range(10_000):
            total += i * i % 7


def _churn(stop: threading.Event) -> None:
    heap = [[i] for i in range(HEAP_OBJECTS)]
    collected = time.monotonic()
    while not stop.is_set():
        for _ in range(1000):
            knot: list[object] = []
            knot.append(knot)
        if time.monotonic() - collected > 0.02:
            gc.collect()
            collected = time.monotonic()
    del heap
