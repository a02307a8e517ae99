"""The board: memory shared between the supervisor, an engine process and the controls.

The supervisor owns it, so it outlives an engine that dies: counters, levels, what was running
at the end, and the queues of parameter events (in) and of the journal and recordings (out).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..dsp.meters import N_BINS
from ..native.events import EventQueue
from ..native.ring import Ring
from ..native.shared import Shared
from ..parameters.heard import SHAPE
from ..parameters.readings import READINGS
from ..stream.record import STREAM

EVENTS, JOURNAL = 4096, 1 << 16  # entries
TAP_SAMPLES = 1 << 20  # what a recording's writer may lag behind, all channels together
LISTEN_SAMPLES = 1 << 18  # the same for a tagger
WATCH_SAMPLES = 1 << 17  # and for a display, which may miss some

# int64 slots of the status; WORK is processor time of the main thread [ns]: whether a start gets on
STAGE, HEARTBEAT, MODE, LATENCY, RATE, PREFILL, WORK, MISSED, STATUS_SIZE = *range(8), 16
ENGINE_COUNTS = 16  # int64 slots of the engine's own counters, in the order it lists them
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
    readings : ndarray [shape=(len(READINGS),), float64]
        NaN where no stage gives one.
    heard : ndarray [shape=SHAPE, int64]
        Notes that players play, see :mod:`realtime.parameters.heard`.
    engine : ndarray [shape=(ENGINE_COUNTS,), int64]
    hops, calls : ndarray [shape=(N_BINS,), int64]
        Durations of the engine's hops and of the callbacks, see :mod:`realtime.dsp.meters`.

    Raises
    ------
    ConfigError
        There is not so much shared memory.
    OSError
        There is no board of that name any more.
    """

    def __init__(self, name: str | None = None) -> None:
        tap, watch = Ring.size(1, TAP_SAMPLES), Ring.size(1, WATCH_SAMPLES)
        sizes = {
            "record": STREAM.itemsize,
            "status": 8 * STATUS_SIZE,
            "meters": 8 * len(METERS),
            "readings": 8 * len(READINGS),
            "heard": 8 * SHAPE[0] * SHAPE[1],
            "events": EventQueue.size(EVENTS),
            "journal": EventQueue.size(JOURNAL),
            "dry": tap,
            "wet": tap,
            "watch_dry": watch,
            "watch_wet": watch,
            "listen": Ring.size(1, LISTEN_SAMPLES),
            "engine": 8 * ENGINE_COUNTS,
            "hops": 8 * N_BINS,
            "calls": 8 * N_BINS,
        }
        self._at: dict[str, tuple[int, int]] = {}
        total = 0
        for part, size in sizes.items():
            self._at[part] = (total, size)
            total += -(-size // 64) * 64
        self.memory = Shared(name, total)
        self.record: npt.NDArray[np.void] = np.frombuffer(self.part("record"), dtype=STREAM)
        self.status = np.frombuffer(self.part("status"), dtype=np.int64)
        self.meters = np.frombuffer(self.part("meters"), dtype=np.float64)
        self.readings = np.frombuffer(self.part("readings"), dtype=np.float64)
        if name is None:
            self.readings[:] = np.nan
        self.heard = np.frombuffer(self.part("heard"), dtype=np.int64).reshape(SHAPE)
        self.engine = np.frombuffer(self.part("engine"), dtype=np.int64)
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
        return self.memory.buf[start : start + size]

    def clear(self) -> None:
        """Forget a dead engine: zero everything but the events that wait."""
        for name in ("record", "status", "meters", "engine", "hops", "calls", "heard"):
            self.part(name)[:] = bytes(self._at[name][1])
        self.readings[:] = np.nan

    def close(self) -> None:
        """Take its name away; it goes with the last view of it, and stays readable until then."""
        self.memory.release()
