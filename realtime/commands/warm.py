"""Compile beforehand what live sound needs, in as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

from ..errors import RestyleError
from ..models.catalog import list_models
from ..native.cache import OWN_KERNELS, VARIABLE
from ..stages.ranges import NATIVE_RANGES

SECONDS, RATE = 0.1, 48_000
TOGETHER = 4  # effects in one job


def jobs() -> list[tuple[str, ...]]:
    """What is to be run once: the callbacks, each bundled model, the native effects."""
    models = [("model", str(e.path)) for e in list_models() if e.source == "bundled" and e.plays]
    effects = sorted(n for n in NATIVE_RANGES if n != "Convolution")
    groups = [effects[i : i + TOGETHER] for i in range(0, len(effects), TOGETHER)]
    return [("callbacks",), *models, *(("effects", *g) for g in groups)]


def run(job: tuple[str, ...]) -> str:
    """Run one job in this process; returns what it was."""
    from ..audio_files import Clip
    from ..session.render import render
    from ..session.sound import Sound, Stage

    kind, *names = job
    if kind == "callbacks":
        from ..devices.input_side import input_callback
        from ..devices.monitor import monitor_callback
        from ..host.practice import practise
        from ..models import ort

        practise()
        ort.step_function(), ort.reset_function()
        input_callback()
        monitor_callback()
        return "callbacks"
    quiet = Clip(np.zeros((1, int(SECONDS * RATE)), dtype=np.float32), RATE)
    for name in names:
        stage = Stage(model=name) if kind == "model" else Stage(effect=name)
        try:
            render(Sound((stage,)), quiet)
        except RestyleError:  # what it needs more than its name will be compiled when it is used
            continue
    return ", ".join(Path(n).stem for n in names)


def _own_kernels() -> None:
    os.environ[OWN_KERNELS] = "1"


def warm(tell: Callable[[str], None], processes: int | None = None) -> float:
    """Compile for this processor all that is not compiled yet.

    Parameters
    ----------
    tell : callable
        Takes a sentence for each job that is done.
    processes : int or None
        At once; as many as there are processors when None.

    Returns
    -------
    float [seconds]
        What it took.

    Raises
    ------
    RestyleError
        A process ended before its work did.
    """
    begin, todo = time.monotonic(), jobs()
    done = 0

    def finished(future: Future[str]) -> None:
        nonlocal done
        done += 1
        if future.exception() is None:
            tell(f"{done} of {len(todo)}: {future.result()}")

    try:
        with ProcessPoolExecutor(
            processes or os.cpu_count(), multiprocessing.get_context("spawn"), _own_kernels
        ) as pool:
            futures = [pool.submit(run, job) for job in todo]
            for future in futures:
                future.add_done_callback(finished)
            for future in futures:
                future.result()
    except OSError as error:
        raise RestyleError(
            f"compiling for this processor stopped: {error}; is the disk full, or"
            f" {os.environ.get(VARIABLE)} not yours?"
        ) from None
    except BrokenProcessPool:
        raise RestyleError(
            "compiling for this processor stopped: a process was ended from outside, as when"
            " memory runs out; try again with fewer programs open"
        ) from None
    return time.monotonic() - begin
