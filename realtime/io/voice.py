"""A voice: one engine with its chains, and the lane it runs in.

A stream plays one voice; a change that needs another (a model, a lane) is a second voice that the
callback crossfades to.  In the worker lane a voice owns the two rings to and from its thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import carray, from_dtype, njit

from ..dsp.delay import DELAY_STATE
from ..events import EventQueue
from ..native import pointer_to
from ..path import BlockPath
from ..ring import Ring

INLINE, WORKER = 0, 1
FADE = 64  # samples of the fade between wet sound and concealment
LONGEST_LATENCY = 1 << 16  # samples; what the dry path can be delayed by
EVENTS = 1024  # chain events that may wait for their block

_INTEGERS = (
    "identity", "lane", "mode", "channels", "max_block", "latency",
    "dry", "dry_line", "line_length", "dry_state", "last", "chain_events",
    # worker lane
    "ring_in", "ring_out", "block_length", "debt", "holding", "stop", "beat",
    "begun", "answered",
)  # fmt: skip
_FLOATS = ("wet_level", "conceal_gain", "bypass", "sample_rate")
VOICE = np.dtype([(n, np.int64) for n in _INTEGERS] + [(n, np.float64) for n in _FLOATS])
VOICE_TYPE = from_dtype(VOICE)
_pointer_voice = pointer_to(VOICE_TYPE)


@njit(inline="always")
def view_voice(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_voice(address), 1)[0]


class Voice:
    """Owner of a voice record and of the memory it points to.

    Parameters
    ----------
    path : BlockPath
        Engine (already set to the device's block size) and chains.
    prefill : int [samples] or None
        ``None`` runs the engine inside the callback; a number builds the two rings of the worker
        lane, the output ring pre-filled with so many zeros.
    identity : int
        Whom parameter events name; unique within a stream.
    """

    def __init__(self, path: BlockPath, prefill: int | None = None, identity: int = 1) -> None:
        self.path, self.engine, self.prefill = path, path.engine, prefill
        self._record = np.zeros(1, dtype=VOICE)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        engine, r = path.engine, self.record
        channels, size = engine.channels, int(engine.lane["max_block"])
        longest = max(LONGEST_LATENCY, 2 * (prefill or 0))
        self._arrays: dict[str, npt.NDArray[np.float32]] = {
            "dry": np.zeros((channels, size), dtype=np.float32),
            "last": np.zeros((channels, 1), dtype=np.float32),
            "dry_line": np.zeros((channels, longest), dtype=np.float32),
        }
        for name, array in self._arrays.items():
            array.fill(0.0)  # touches the pages
            r[name] = array.ctypes.data
        r["line_length"] = longest
        self._beat = np.zeros(1, dtype=np.int64)
        r["beat"] = self._beat.ctypes.data
        self._dry_state = np.zeros(DELAY_STATE, dtype=np.int64)
        self.chain_events = EventQueue(EVENTS)
        r["dry_state"], r["chain_events"] = self._dry_state.ctypes.data, self.chain_events.address
        r["identity"] = engine.lane["identity"] = identity
        r["lane"], r["channels"], r["max_block"] = engine.address, channels, size
        r["sample_rate"], r["wet_level"] = engine.sample_rate, 1.0
        r["conceal_gain"] = engine.get("input_gain") * engine.get("output_gain")
        self.ring_in: Ring | None = None
        self.ring_out: Ring | None = None
        r["mode"] = INLINE
        if prefill is not None:
            r["mode"], r["block_length"] = WORKER, path.block_length
            room = 4 * (size + path.block_length + prefill)
            self.ring_in, self.ring_out = Ring(channels, room), Ring(channels, room, prefill)
            r["begun"], r["answered"] = 0, prefill
            r["ring_in"], r["ring_out"] = self.ring_in.address, self.ring_out.address
        self.declare()
        self._dry_state[1:3] = r["latency"]

    @property
    def mode(self) -> str:
        """``inline`` or ``worker``."""
        return "worker" if self.record["mode"] == WORKER else "inline"

    @property
    def buffering(self) -> int:
        """Latency of the block adapter or of the worker's rings [samples]."""
        return self.engine.prefill if self.prefill is None else self.prefill

    @property
    def latency(self) -> int:
        """Buffering and algorithmic latency, as it is now [samples]."""
        return self.buffering + self.path.latency

    def declare(self) -> None:
        """Make the dry path follow the latency; after a change of the chains (any thread)."""
        self.record["latency"] = self.latency
