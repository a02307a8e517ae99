"""The stream record: what one running stream's callback needs, and what it counts.

The audio callback gets the address of one such record as PortAudio's ``userData``; control code
reads the counters while it runs.  Counter words follow rtmixer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import carray, from_dtype, njit

from ..dsp.meters import N_BINS
from ..engine import Engine
from ..native import clock_address, pointer_to
from ..ring import Ring

INLINE, WORKER = 0, 1
FADE = 64  # samples of the fade between wet sound and concealment

_INTEGERS = (
    "lane", "mode", "channels", "in_channels", "out_channels", "max_block", "clock",
    "x", "y", "dry", "last",
    # worker lane
    "ring_in", "ring_out", "block_length", "conceal_line", "conceal_delay", "conceal_position",
    "debt", "holding", "stop",
    # counters
    "callbacks", "samples", "first_ns", "last_ns", "deadline_misses", "longest_gap_ns",
    "min_block", "max_seen_block",
    "input_underflows", "input_overflows", "output_underflows", "output_overflows",
    "ring_underflows", "ring_overflows", "concealed_samples", "dropped_samples",
    "callback_histogram", "gap_histogram",
)  # fmt: skip
STREAM = np.dtype(
    [(n, np.int64) for n in _INTEGERS]
    + [(n, np.float64) for n in ("wet_level", "conceal_gain", "sample_rate")]
)
STREAM_TYPE = from_dtype(STREAM)

COUNTERS = _INTEGERS[_INTEGERS.index("callbacks") : _INTEGERS.index("callback_histogram")]


_pointer_stream = pointer_to(STREAM_TYPE)


@njit(inline="always")
def view_stream(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_stream(address), 1)[0]


class StreamMemory:
    """Owner of a stream record and of the arrays and rings it points to.

    Parameters
    ----------
    engine : Engine
        Already set to the device's block size.
    in_channels, out_channels : int
        Of the device; 0 where there is no such side.
    worker_prefill : int [samples] or None
        ``None`` runs the engine inside the callback; a number builds the two rings of the worker
        lane, the output ring pre-filled with so many zeros.
    block_length : int [samples]
        What the worker advances by.
    conceal_latency : int [samples]
        Declared latency of the whole worker path: how far concealment delays the dry input.
    """

    def __init__(
        self,
        engine: Engine,
        in_channels: int,
        out_channels: int,
        worker_prefill: int | None = None,
        block_length: int = 0,
        conceal_latency: int = 0,
    ) -> None:
        self.engine = engine
        self._record = np.zeros(1, dtype=STREAM)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        r, channels = self.record, engine.channels
        size = int(engine.lane["max_block"])
        self._arrays: dict[str, npt.NDArray[np.float32]] = {
            "x": np.zeros((channels, size), dtype=np.float32),
            "y": np.zeros((channels, size), dtype=np.float32),
            "dry": np.zeros((channels, size), dtype=np.float32),
            "last": np.zeros((channels, 1), dtype=np.float32),
            "conceal_line": np.zeros((channels, max(conceal_latency, 1)), dtype=np.float32),
        }
        for name, array in self._arrays.items():
            r[name] = array.ctypes.data
        self.callback_histogram = np.zeros(N_BINS, dtype=np.int64)
        self.gap_histogram = np.zeros(N_BINS, dtype=np.int64)
        r["callback_histogram"] = self.callback_histogram.ctypes.data
        r["gap_histogram"] = self.gap_histogram.ctypes.data
        r["lane"], r["channels"], r["max_block"] = engine.address, channels, size
        r["in_channels"], r["out_channels"] = in_channels, out_channels
        r["clock"], r["sample_rate"] = clock_address(), engine.sample_rate
        r["conceal_delay"], r["wet_level"] = conceal_latency, 1.0
        r["conceal_gain"] = engine.get("input_gain") * engine.get("output_gain")
        r["min_block"] = np.iinfo(np.int64).max
        self.ring_in: Ring | None = None
        self.ring_out: Ring | None = None
        r["mode"] = INLINE
        if worker_prefill is not None:
            r["mode"], r["block_length"] = WORKER, block_length
            room = 4 * (size + block_length + worker_prefill)
            self.ring_in = Ring(channels, room)
            self.ring_out = Ring(channels, room, prefill=worker_prefill)
            r["ring_in"], r["ring_out"] = self.ring_in.address, self.ring_out.address

    def counters(self) -> dict[str, int]:
        """All counters of the callback."""
        return {n: int(self.record[n]) for n in COUNTERS}
