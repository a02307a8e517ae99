"""Who renders the files of an archive: processes of this machine, or a Ray cluster."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from ..cluster import connected, next_ended
from ..native.spared import without_scipy
from ..session.sound import Sound
from .archive import TRIES, Done, Job, render_job

WAITING = 2  # files that each process has before it, the one it renders included


def in_processes(
    jobs: Iterable[Job], sound: Sound, level: float | None, processes: int
) -> Iterator[Done]:
    """Render in so many processes; those that are killed are made anew and their files come again.

    A file that was under way :data:`TRIES` times when a process ended is given up.
    """
    left, tries = iter(jobs), dict[Job, int]()
    again: list[Job] = []
    one_by_one = False  # after a process ended, to tell which file does it
    while True:
        count = 1 if one_by_one else processes
        context = multiprocessing.get_context("spawn")
        flying: dict[Future[Done], Job] = {}
        broken, struck = False, list[Job]()
        with (
            _ending_what_is_left() as end,
            ProcessPoolExecutor(count, context, _begin) as pool,
            _killing_on_error(),
        ):
            while not broken:
                room = (1 if one_by_one else WAITING * count) - len(flying)
                for job in itertools.islice(_drain(again, left, one_by_one), max(0, room)):
                    try:
                        flying[pool.submit(render_job, job, sound, level)] = job
                    except BrokenProcessPool:  # one ended between two jobs; this one never began
                        broken = True
                        again.append(job)
                        break
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    job = flying.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        broken = True
                        struck.append(job)
            if broken:
                end()
        if not broken and not one_by_one:
            return
        for job in (*struck, *flying.values()):
            tries[job] = tries.get(job, 0) + 1
            if tries[job] < TRIES:
                again.append(job)
            else:
                yield Done(job, 0.0, f"{job.name}: the process that rendered it ended each time")
        one_by_one = broken and bool(again)


def _begin() -> None:
    """A process that renders and does nothing else; Ctrl-C is the command's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    without_scipy()


@contextmanager
def _ending_what_is_left() -> Iterator[Callable[[], None]]:
    """Kill the pool's processes from a call of what it gives until the pool is closed.

    A pool that breaks ends the processes that it knows, and then waits for all: for ever, for one
    that began meanwhile.
    """
    others, closed = set(multiprocessing.active_children()), threading.Event()

    def run() -> None:
        while not closed.wait(0.05):
            for process in set(multiprocessing.active_children()) - others:
                process.kill()

    thread = threading.Thread(target=run, daemon=True)
    try:
        yield thread.start
    finally:
        closed.set()


@contextmanager
def _killing_on_error() -> Iterator[None]:
    """Kill what is under way where the command is interrupted; a pool would wait for it."""
    try:
        yield
    except BaseException:
        for process in multiprocessing.active_children():
            process.kill()
        raise


def _drain(again: list[Job], left: Iterator[Job], only_again: bool) -> Iterator[Job]:
    while again:
        yield again.pop(0)
    if not only_again:
        yield from left


def on_ray(jobs: Iterable[Job], sound: Sound, level: float | None, address: str) -> Iterator[Done]:
    """Render on a Ray cluster, one file a core; files of a node that is lost come again.

    Parameters
    ----------
    address : str
        ``auto`` for the cluster this machine belongs to, ``local`` for one made here, or its
        address.  Folders and models must be the same on every node, or folders be URLs.

    Raises
    ------
    ConfigError
        Ray is not installed, or there is no cluster.
    """
    with connected(address) as ray:
        task: Any = ray.remote(num_cpus=1, max_retries=TRIES)(render_job)
        shared = ray.put(sound)
        left, flying = iter(jobs), dict[Any, Job]()
        most = WAITING * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while True:
            for job in itertools.islice(left, most - len(flying)):
                flying[task.remote(job, shared, level)] = job
            if not flying:
                return
            for job, done, failed in next_ended(ray, flying):
                yield done or Done(job, 0.0, f"{job.name}: its worker did not render it: {failed}")


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
