"""What the system permits an engine process: real-time priority, locked memory."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from ..stream.worker import raise_priority


def raise_this_thread() -> None:
    """Ask for the lowest real-time priority for this thread alone, not for what it starts."""
    with suppress(AttributeError, OSError):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(1))


def try_priority() -> list[str]:
    """Whether threads may have real-time priority; what to do where they may not."""
    if not hasattr(os, "sched_setscheduler"):
        return []
    permitted: list[bool] = []
    trial = threading.Thread(target=lambda: permitted.append(raise_priority()))
    trial.start()
    trial.join()
    if permitted == [True]:
        return []
    return ["no real-time priority (raise 'ulimit -r', see restyle doctor): expect more drop-outs"]


def lock_memory() -> list[str]:
    """Keep the process's memory from being swapped out; say what the system does not permit.

    Of what is mapped already, libraries above all, the pages that have been used are locked and
    those that are used later; what is mapped from now on is there at once, so that the audio
    path's first use of it waits for nothing.
    """
    if sys.platform != "linux":
        return []
    import ctypes
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    unlimited = resource.RLIM_INFINITY in (soft, hard) or os.geteuid() == 0
    current, future, on_fault = 1, 2, 4
    lock = ctypes.CDLL(None).mlockall
    if not unlimited or lock(current | on_fault) != 0 or lock(future) != 0:
        return ["memory is not locked (raise 'ulimit -l' to let restyle do so)"]
    return []
