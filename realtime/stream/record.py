"""The stream record: what one running stream's callback needs, and what it counts.

The audio callback gets the address of one such record as PortAudio's ``userData``; control code
reads the counters while it runs.  Counter words follow rtmixer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..dsp.drift_record import Drift
from ..dsp.meters import N_BINS
from ..native.events import EventQueue
from ..native.intrinsics import clock_address, load_acquire, pointer_to, store_release
from ..native.late_numba import carray, njit
from .maps import heard_columns, played_channels
from .protection import Protection
from .voice import Voice

CROSSFADE_SECONDS = 0.02
EVENTS = 4096  # events that may wait for the callback
TAP_DRY, TAP_WET = 1, 2  # bits of ``taps``

# kinds of journal entries (position, kind, a, b)
BLOCK, SWAP, LOSS = 1, 2, 3
EVENT = 1 << 20  # parameter events enter as EVENT + identity, number, value

# int64 slots of the mail between control thread and callback, each on its own cache line
NEXT, RETIRED, MAIL_SIZE = 0, 16, 32

_INTEGERS = (
    "channels", "in_channels", "out_channels", "max_block", "clock", "x", "y", "y_next",
    "in_map", "out_map", "drift", "protection",
    # voices
    "voice", "incoming", "mail", "unheard", "faded", "fade_length", "swaps", "swap_position",
    # a voice that gets no more sound and rings on, and for how many samples; what it is given
    "tail", "tail_left", "x_tail",
    # the position from which ``bypass`` holds, and ``bypass_before`` until then
    "bypass_at",
    # parameter events in, journal and recordings out (0: none)
    "events", "journal", "tap_dry", "tap_wet", "tap_lost",
    # which of the two taps are open (bits): one word, so that both begin with the same block
    "taps",
    # the same for whoever only looks: never waited for, nothing counted as lost
    "watch_dry", "watch_wet", "listen",
    # the crossing to another device that plays the same (0: none)
    "monitor",
    # counters
    "callbacks", "samples", "first_ns", "last_ns", "deadline_misses", "longest_gap_ns",
    "min_block", "max_seen_block", "last_block", "same_blocks",
    "busy_ns", "worker_blocks", "worker_ns",
    "input_underflows", "input_overflows", "output_underflows", "output_overflows",
    "ring_underflows", "ring_overflows", "concealed_samples", "dropped_samples", "journal_lost",
    "callback_histogram", "gap_histogram",
)  # fmt: skip
# ``heard`` is the gain at which the mute stands: 1, or on its way to 0
_FLOATS = ("sample_rate", "bypass", "bypass_before", "mute", "heard")
STREAM = np.dtype([(n, np.int64) for n in _INTEGERS] + [(n, np.float64) for n in _FLOATS])

COUNTERS = _INTEGERS[_INTEGERS.index("callbacks") : _INTEGERS.index("callback_histogram")]

_pointer_stream = pointer_to(STREAM)


@njit(inline="always")
def view_stream(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_stream(address), 1)[0]


@njit(nogil=True)
def _load(address):  # type: ignore[no-untyped-def]
    return load_acquire(address)


@njit(nogil=True)
def _store(address, value):  # type: ignore[no-untyped-def]
    store_release(address, value)


class StreamMemory:
    """Owner of a stream record and of the arrays it points to.

    Parameters
    ----------
    voice : Voice
        What plays first; the caller keeps it alive while it may sound.
    in_channels, out_channels : int
        Of the device; 0 where there is no such side.
    sample_rate : int [Hz], optional
        Of the device; by default the voice's.
    in_map : sequence of int, optional
        See :func:`realtime.stream.maps.heard_columns`.
    out_map : sequence of int, optional
        See :func:`realtime.stream.maps.played_channels`.
    record : ndarray [shape=(1,), dtype=STREAM], optional
        Zeroed memory to use, such as shared memory.
    events : EventQueue, optional
        Where parameter events come from.
    drift : Drift, optional
        Where the input comes from when its device has a clock of its own; `in_map` has been
        followed there.
    ceiling_db : float [dBFS, true peak], optional
        With one, what is played spares the ears, see :mod:`realtime.stream.protection`.

    Attributes
    ----------
    protection : Protection or None
    """

    def __init__(
        self,
        voice: Voice,
        in_channels: int,
        out_channels: int,
        *,
        sample_rate: int | None = None,
        in_map: Sequence[int] | None = None,
        out_map: Sequence[int] | None = None,
        record: npt.NDArray[np.void] | None = None,
        events: EventQueue | None = None,
        drift: Drift | None = None,
        ceiling_db: float | None = None,
    ) -> None:
        self._drift = drift
        self._record = np.zeros(1, dtype=STREAM) if record is None else record
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        r, channels, size = self.record, voice.path.channels, voice.path.record["max_block"]
        self._memory: dict[str, npt.NDArray[np.generic]] = {
            name: np.zeros((channels, int(size)), dtype=np.float32)
            for name in ("x", "y", "y_next", "x_tail")
        }
        heard = channels if drift is not None else in_channels
        in_map = None if drift is not None else in_map
        self._memory["in_map"] = heard_columns(in_map, channels, heard)
        self._memory["out_map"] = played_channels(out_map, channels, out_channels)
        self._memory["mail"] = np.zeros(MAIL_SIZE, dtype=np.int64)
        self.callback_histogram = np.zeros(N_BINS, dtype=np.int64)
        self.gap_histogram = np.zeros(N_BINS, dtype=np.int64)
        self._memory["callback_histogram"] = self.callback_histogram
        self._memory["gap_histogram"] = self.gap_histogram
        for name, array in self._memory.items():
            r[name] = array.ctypes.data
        r["drift"] = drift.address if drift is not None else 0
        self.events = EventQueue(EVENTS) if events is None else events
        r["events"] = self.events.address
        r["voice"], r["channels"], r["max_block"] = voice.address, channels, size
        r["in_channels"], r["out_channels"] = in_channels, out_channels
        rate = sample_rate or voice.path.sample_rate
        r["clock"], r["sample_rate"] = clock_address(), rate
        self.protection = (
            None if ceiling_db is None else Protection(channels, int(rate), ceiling_db)
        )
        r["protection"] = self.protection.address if self.protection is not None else 0
        r["fade_length"] = round(CROSSFADE_SECONDS * rate)
        r["heard"] = 1.0
        r["min_block"] = np.iinfo(np.int64).max
        self._mail = int(r["mail"])

    @property
    def beat(self) -> int:
        """Address of the count of blocks the workers have made; their time [ns] lies after it."""
        fields = STREAM.fields
        assert fields is not None
        return self.address + fields["worker_blocks"][1]

    # -- changing the voice (control thread) ------------------------------------------------------

    def offer(self, voice: Voice) -> None:
        """Ask the callback to crossfade to `voice` from its next block on."""
        _store(self._mail + 8 * NEXT, voice.address)

    @property
    def changing(self) -> bool:
        """Whether an offered voice is not in force yet."""
        return bool(_load(self._mail + 8 * NEXT) or self.record["incoming"])

    def collect(self) -> int:
        """Address of the voice that has ceased to sound since the last call, or 0."""
        address = int(_load(self._mail + 8 * RETIRED))
        if address:
            _store(self._mail + 8 * RETIRED, 0)
        return address

    def counters(self) -> dict[str, int]:
        """All counters of the callback."""
        return {n: int(self.record[n]) for n in COUNTERS}
