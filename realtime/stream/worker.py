"""The worker thread of the worker lane, between the two rings.

Without Python stages it is one native loop that never takes the GIL; with pedalboard effects or
plug-ins it runs Python per block and everything else natively.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

import numpy as np

from ..engine.hop import view_path
from ..native import ring
from ..native.intrinsics import (
    call_hop,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    sleep_address,
    sleep_ns,
    view_i64,
)
from ..native.late_numba import njit
from .voice import Voice, view_voice

RT_PRIORITY = 3  # below the audio callback's (JACK gives its clients 5)


@njit(nogil=True, error_model="numpy", cache=True)
def wait_for(voice, count, nanosleep, limit_ns):  # type: ignore[no-untyped-def]
    """Wait until `count` samples can be read from the input ring; 1 if so, 0 on time-out/stop."""
    s = view_voice(voice)
    nap = max(20_000, int(count * 1e9 / s.sample_rate / 8))
    waited = 0
    while ring.read_available(s.ring_in) < count:
        if s.stop != 0 or waited > limit_ns:
            return 0
        sleep_ns(nanosleep, nap)
        waited += nap
    return 1


@njit(nogil=True, error_model="numpy", cache=True)
def put(voice, block, spent, nanosleep):  # type: ignore[no-untyped-def]
    """Write a block that took `spent` ns to the output ring, waiting for room while it runs."""
    s = view_voice(voice)
    done = 0
    while done < block.shape[1] and s.stop == 0:
        done += ring.write(s.ring_out, block, done, block.shape[1] - done)
        if done < block.shape[1]:
            sleep_ns(nanosleep, 200_000)
    beat = view_i64(s.beat, 2)
    beat[0] += 1
    beat[1] += spent


@njit(nogil=True, error_model="numpy", cache=True)
def native_loop(voice, block, address, clock, nanosleep):  # type: ignore[no-untyped-def]
    """Process hops until the voice stops; `block [channels, hop]` at `address` is scratch."""
    s = view_voice(voice)
    path = view_path(s.path)
    old = flush_denormals()
    while s.stop == 0:
        if wait_for(voice, block.shape[1], nanosleep, 50_000_000):
            ring.read(s.ring_in, block, 0, block.shape[1])
            begin = monotonic_ns(clock)
            call_hop(path.hop_function, (s.path, address, 0))
            put(voice, block, monotonic_ns(clock) - begin, nanosleep)
    restore_denormals(old)


def raise_priority() -> bool:
    """Ask for real-time scheduling of the calling thread; False where that is not permitted."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(RT_PRIORITY))
    except (AttributeError, OSError):
        return False
    return True


def raise_a_little() -> None:
    """Ask for the lowest real-time priority: for a thread that holds Python's lock for moments.

    Were it at no such priority, other programs could keep it from the processor while it holds the
    lock that a worker waits for.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def lower_priority() -> None:
    """Back to how ordinary threads are scheduled."""
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Worker:
    """Runs a voice's path between its rings in a thread of its own.

    With `urgent` (a device that keeps time) the thread asks for real-time priority.

    Attributes
    ----------
    error : BaseException or None
        What ended the thread early; :meth:`realtime.session.session.Session.wait` raises it.
    """

    def __init__(self, voice: Voice, urgent: bool = True) -> None:
        self.voice, self._urgent = voice, urgent
        self._thread = threading.Thread(target=self._run, name="restyle-worker", daemon=True)
        self.error: BaseException | None = None
        self.realtime_priority = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> bool:
        """Ask the thread to end and wait for it; False when it hangs."""
        self.voice.record["stop"] = 1
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.realtime_priority = self._urgent and raise_priority()
            voice, sleep = self.voice.address, sleep_address()
            path = self.voice.path
            block = np.zeros((path.channels, path.hop), dtype=np.float32)
            if path.native:
                native_loop(voice, block, block.ctypes.data, clock_address(), sleep)
                return
            assert self.voice.ring_in is not None
            while not self.voice.record["stop"]:
                if wait_for(voice, path.hop, sleep, 50_000_000):
                    self.voice.ring_in.readinto(block)
                    begin = time.monotonic_ns()
                    path.run(block)
                    put(voice, block, time.monotonic_ns() - begin, sleep)
        except BaseException as error:
            self.error = error
