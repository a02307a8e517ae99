"""A voice: one path, and the lane it runs in.

A stream plays one voice; a change that needs another path (another hop, rate or lane) is a second
voice that the callback crossfades to.  In the worker lane a voice owns the two rings to and from
its thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..dsp.delay import DELAY_STATE
from ..dsp.round_trip import RoundTrip
from ..engine.path import Path
from ..native.intrinsics import pointer_to
from ..native.late_numba import carray, njit
from ..native.records import Store
from ..native.ring import Ring

INLINE, WORKER = 0, 1
FADE = 64  # samples of the fade between wet sound and concealment
LONGEST_LATENCY = 1 << 16  # samples; what the dry path can be delayed by

_INTEGERS = (
    # `tail`: how long what the voice before rings on once this one is heard [samples]
    "identity", "path", "warm", "idle", "waking", "mode", "channels", "max_block", "latency",
    "own_gains", "tail", "common", "common_count",
    "dry", "dry_line", "line_length", "dry_state", "last",
    # where the model runs at another rate than the device: converters, blocks between them
    "inward", "outward", "model_x", "model_y", "model_dry", "model_block", "inner_latency",
    "inner_line", "inner_state",
    # worker lane
    "ring_in", "ring_out", "block_length", "debt", "holding", "stop", "beat",
    "begun", "answered",
)  # fmt: skip
_FLOATS = ("wet_level", "conceal_gain", "bypass", "own_bypass", "sample_rate", "ratio")
VOICE = np.dtype([(n, np.int64) for n in _INTEGERS] + [(n, np.float64) for n in _FLOATS])
_pointer_voice = pointer_to(VOICE)


@njit(inline="always")
def view_voice(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_voice(address), 1)[0]


class Voice:
    """Owner of a voice record and of the memory it points to.

    Parameters
    ----------
    path : Path
        Already set to the device's block size.
    prefill : int [samples] or None
        ``None`` runs the path inside the callback; a number builds the two rings of the worker
        lane, the output ring pre-filled with so many zeros.
    identity : int
        Unique within a stream.
    device_rate : int [Hz], optional
        Where it is not the path's, sound is converted both ways.
    """

    def __init__(
        self,
        path: Path,
        prefill: int | None = None,
        identity: int = 1,
        device_rate: int | None = None,
    ) -> None:
        self.path, self.prefill = path, prefill
        self._record = np.zeros(1, dtype=VOICE)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        r, channels, size = self.record, path.channels, int(path.record["max_block"])
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
        self._beat = np.zeros(2, dtype=np.int64)
        r["beat"] = self._beat.ctypes.data
        self._dry_state = np.zeros(DELAY_STATE, dtype=np.int64)
        r["dry_state"] = self._dry_state.ctypes.data
        r["identity"] = path.record["identity"] = identity
        r["path"], r["channels"], r["max_block"] = path.address, channels, size
        r["warm"] = round(path.warm * (device_rate or path.sample_rate) / path.sample_rate)
        r["sample_rate"], r["wet_level"] = path.sample_rate, 1.0
        r["conceal_gain"] = path.gain
        self.ring_in: Ring | None = None
        self.ring_out: Ring | None = None
        r["mode"] = INLINE
        if prefill is not None:
            r["mode"], r["block_length"] = WORKER, path.hop
            room = 4 * (size + path.hop + prefill)
            self.ring_in, self.ring_out = Ring(channels, room), Ring(channels, room, prefill)
            r["begun"], r["answered"] = 0, prefill
            r["ring_in"], r["ring_out"] = self.ring_in.address, self.ring_out.address
        self.trip: RoundTrip | None = None
        r["ratio"], r["own_bypass"] = 1.0, -1.0
        if device_rate is not None and device_rate != path.sample_rate:
            self._convert(device_rate)
        self.declare()
        self._dry_state[1:3] = r["latency"]

    def _convert(self, device_rate: int) -> None:
        """Lay out the converters between the device's rate and the engine's."""
        r, path, channels = self.record, self.path, self.path.channels
        self._inner = self.buffering + self.path.latency
        size = int(r["max_block"])
        self.trip = trip = RoundTrip(device_rate, path.sample_rate, channels, self._inner, size)
        r["inward"], r["outward"] = trip.inward.address, trip.outward.address
        r["model_block"], r["ratio"] = trip.max_model_block, path.sample_rate / device_rate
        self._inner_state = np.zeros(DELAY_STATE, dtype=np.int64)
        self._inner_state[1:3] = self._inner
        r["inner_state"] = self._inner_state.ctypes.data
        for name, length in (
            ("model_x", trip.max_model_block),
            ("model_y", trip.max_model_block),
            ("model_dry", trip.max_model_block),
            ("inner_line", int(r["line_length"])),
        ):
            self._arrays[name] = np.zeros((channels, length), dtype=np.float32)
            r[name] = self._arrays[name].ctypes.data

    def follow(self, before: Path, anew: int | None) -> None:
        """Take over, when taken up, what is set in the path `before` until then.

        Parameters
        ----------
        before : Path
            What plays; borrowed until the voice has been taken up.
        anew : int or None
            Identity of a stage that is another one now, whose parameters stay as they were made.
        """
        rows = []
        for slot in self.path.slots():
            other = None if slot.identity == anew else before.slot(slot.identity)
            theirs = {} if other is None else other.live()
            rows += [
                (theirs[name][0], address, slot.identity, number)
                for name, (address, number) in slot.live().items()
                if name in theirs
            ]
        self._common = np.array(rows, dtype=np.int64).reshape(-1, 4)
        self.record["common"], self.record["common_count"] = self._common.ctypes.data, len(rows)

    @property
    def mode(self) -> str:
        """``inline`` or ``worker``."""
        return "worker" if self.record["mode"] == WORKER else "inline"

    @property
    def buffering(self) -> int:
        """Latency of the block adapter or of the worker's rings [samples]."""
        return self.path.prefill if self.prefill is None else self.prefill

    @property
    def latency(self) -> int:
        """Buffering and algorithmic latency, as it is now [samples of the device].

        Between two rates it is exact for the latency the voice was made with; where a change of the
        stages moves it by a fraction of a sample, the nearest whole number.
        """
        inner = self.buffering + self.path.latency
        if self.trip is None:
            return inner
        return self.trip.latency + round((inner - self._inner) / float(self.record["ratio"]))

    def latency_stores(self) -> list[Store]:
        """What has the dry path follow the latency that the path has once its edits are made."""
        at = {n: self.address + VOICE.fields[n][1] for n in ("latency", "inner_latency")}  # type: ignore[index]
        return [
            (at["latency"], self.latency),
            (at["inner_latency"], self.buffering + self.path.latency),
        ]

    def declare(self) -> None:
        """Make the dry path follow the latency; after a change of the stages (any thread)."""
        self.record["latency"] = self.latency
        self.record["inner_latency"] = self.buffering + self.path.latency
