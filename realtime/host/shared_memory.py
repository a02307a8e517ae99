"""Memory shared between the control process and the engine process.

The control process owns it, so it outlives an engine that dies: counters, levels, what was running
at the end, and the queues of parameter events (in) and of the journal and recordings (out).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.meters import N_BINS
from ..errors import ConfigError
from ..native.events import EventQueue
from ..native.ring import Ring
from ..native.shared import Shared
from ..stream.record import STREAM

EVENTS, JOURNAL = 4096, 1 << 16  # entries
TAP_SECONDS = 8  # what a recording's writer may lag behind
WATCH_SAMPLES = 1 << 15  # the same for a display, which may miss some
LARGEST_RATE, WIDEST = 192_000, 8

# int64 slots of the status
STAGE, HEARTBEAT, MODE, LATENCY, RATE, PREFILL, STATUS_SIZE = 0, 1, 2, 3, 4, 5, 16
# float64 slots of the meters
METERS = ("input_peak_db", "input_rms_db", "output_peak_db", "output_rms_db", "limiter_db")


class Board:
    """Views into one piece of shared memory.

    Parameters
    ----------
    name : str, optional
        Of a board another process made; without it a new one is made and owned.

    Attributes
    ----------
    record : ndarray [shape=(1,), dtype=STREAM]
        The stream's counters; addresses in it mean something to the engine process only.
    status : ndarray [int64], meters : ndarray [float64]
    hops, calls : ndarray [shape=(N_BINS,), int64]
        Durations of the engine's hops and of the callbacks, see :mod:`realtime.dsp.meters`.
    """

    def __init__(self, name: str | None = None) -> None:
        tap = Ring.size(WIDEST, TAP_SECONDS * 48_000)
        sizes = {
            "record": STREAM.itemsize,
            "status": 8 * STATUS_SIZE,
            "meters": 8 * len(METERS),
            "events": EventQueue.size(EVENTS),
            "journal": EventQueue.size(JOURNAL),
            "dry": tap,
            "wet": tap,
            "watch_dry": Ring.size(WIDEST, WATCH_SAMPLES),
            "watch_wet": Ring.size(WIDEST, WATCH_SAMPLES),
            "listen": tap,
            "hops": 8 * N_BINS,
            "calls": 8 * N_BINS,
        }
        self._at: dict[str, tuple[int, int]] = {}
        total = 0
        for part, size in sizes.items():
            self._at[part] = (total, size)
            total += -(-size // 64) * 64
        try:
            if name is None:
                self.memory = Shared(create=True, size=total)
            else:
                self.memory = Shared(name)
        except OSError as error:
            raise ConfigError(f"no shared memory of {total >> 20} MiB: {error.strerror}") from None
        self.owner = name is None
        self.record: npt.NDArray[np.void] = np.frombuffer(self.part("record"), dtype=STREAM)
        self.status = np.frombuffer(self.part("status"), dtype=np.int64)
        self.meters = np.frombuffer(self.part("meters"), dtype=np.float64)
        self.hops = np.frombuffer(self.part("hops"), dtype=np.int64)
        self.calls = np.frombuffer(self.part("calls"), dtype=np.int64)
        self.events = EventQueue(EVENTS, self.part("events"))
        self.journal = EventQueue(JOURNAL, self.part("journal"))

    @property
    def name(self) -> str:
        """What another process opens it by."""
        return self.memory.name

    def part(self, name: str) -> memoryview:
        """One part of the memory."""
        start, size = self._at[name]
        assert self.memory.buf is not None
        return self.memory.buf[start : start + size]

    def clear(self) -> None:
        """Forget a dead engine: zero everything but the events that wait."""
        for name in ("record", "status", "meters", "hops", "calls"):
            self.part(name)[:] = bytes(self._at[name][1])

    def close(self) -> None:
        """Give the memory back; views of it must not be used any more."""
        empty: Any = np.zeros(0)
        self.record = self.status = self.meters = self.hops = self.calls = empty
        self.events, self.journal = EventQueue(1), EventQueue(1)
        self.memory.release(self.owner)
