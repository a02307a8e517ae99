"""Engines for tests, forked from a process that has imported everything: a second less for each.

What they are to :mod:`realtime.host.child` is what spawned ones are, which the program uses, and so
do all tests that begin it as a user does.  ``RESTYLE_SPAWN=1`` has all engines spawned.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def begin(
    environment: dict[str, str], target: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """Do in the forked process what spawning does by itself: have the environment of now."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
    target(*arguments)


class Forked:
    """What of a context of ``multiprocessing`` a child is started with."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.preloaded"])
        self.Pipe = self._context.Pipe

    def Process(
        self, target: Callable[..., None], args: tuple[Any, ...], name: str, daemon: bool
    ) -> Any:
        """A process that is not started yet."""
        here = os.getcwd()
        os.chdir(ROOT)  # where the server finds what it is to import
        try:
            forkserver.ensure_running()
        finally:
            os.chdir(here)
        return self._context.Process(
            target=begin, args=(dict(os.environ), target, args), name=name, daemon=daemon
        )
