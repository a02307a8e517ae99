"""The memory of a crossing between two clocks: one record that both callbacks get by address.

Each side writes only its own fields; what the other must know goes through the ring's positions and
the writer's published clock.  The kernels are in :mod:`realtime.dsp.drift`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..native.intrinsics import pointer_to
from ..native.late_numba import carray, njit
from ..native.ring import Ring
from .clock import CLOCK, SHOWN_SIZE
from .sinc import design, make_table

RANGE = 1.2e-3  # largest lasting deviation from the nominal ratio; moments may have twice that
PHASES = 512
ROOM_S = 0.1  # of the ring, beyond what the target needs: so late may the reader be

COUNTERS = ("underflows", "concealed_samples", "relocks", "overflows", "dropped_samples")
_SHARED = (
    "channels", "ring", "target", "slack", "half", "taps", "phases", "table",
    "writer_clock", "reader_clock", "writer_shown", "seen", "last",
)  # fmt: skip
_WRITER = ("pad_0", "broken", "overflows", "dropped_samples", "pad_1")
_READER = (
    "playing", "begun", "visible", "locked", "index", "played",
    "underflows", "concealed_samples", "relocks",
)  # fmt: skip
_FLOATS = (
    "in_rate", "out_rate", "fraction", "level", "integral", "step", "age_s",
    # for control code: distance to the writer now and its extremes since lock [writer's samples],
    # and the deviation from the nominal ratio
    "fill", "lowest_fill", "highest_fill", "ratio_ppm",
)  # fmt: skip


# pads keep the two threads off one cache line
DRIFT = np.dtype(
    [(n, "i8", (8,)) if n.startswith("pad") else (n, "i8") for n in _SHARED + _WRITER + _READER]
    + [(n, "f8") for n in _FLOATS]
)
_pointer_drift = pointer_to(DRIFT)


@njit(inline="always")
def view_drift(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_drift(address), 1)[0]


class Drift:
    """Owner of a crossing's memory; the kernels take ``view_drift(address)``.

    Parameters
    ----------
    in_rate, out_rate : int [Hz]
        Nominal rates of the writing and the reading device; the clocks may be off by
        :data:`RANGE` together.
    channels : int
    writer_block, reader_block : int [samples]
        The most that either device hands over at once, each at its own rate.
    margin : int [writer's samples]
        How late a callback of the writer may be before sound lacks.

    Attributes
    ----------
    target : int [writer's samples]
        The latency: from the writer's clock to what the reader's callback returns first.  It is
        ``writer_block + reader_block + taps / 2 + margin``, the blocks because the two devices'
        callbacks meet in every order sooner or later.
    address : int

    Raises
    ------
    ConfigError
        For sizes or rates that cannot be served.
    """

    def __init__(
        self,
        in_rate: int,
        out_rate: int,
        channels: int,
        writer_block: int,
        reader_block: int,
        margin: int = 32,
    ) -> None:
        shape = design(in_rate, out_rate)
        if channels < 1 or writer_block < 1 or reader_block < 1 or margin < 8:
            raise ConfigError(
                "a crossing between two clocks needs channels and blocks of at least 1 and a margin"
                f" of at least 8 samples, got {channels} channels, blocks of {writer_block} and"
                f" {reader_block}, margin {margin}"
            )
        self.in_rate, self.out_rate, self.channels, self.filter = in_rate, out_rate, channels, shape
        taken = int(np.ceil(reader_block * in_rate / out_rate * (1.0 + 2.0 * RANGE)))
        self.target = writer_block + taken + shape.half + margin
        self._table = make_table(shape, PHASES)
        room = 2 * (self.target + shape.half + writer_block + taken) + int(ROOM_S * in_rate)
        self.ring = Ring(channels, room)
        self._clocks = np.zeros(2, dtype=CLOCK)
        self._words: npt.NDArray[np.int64] = np.zeros((3, SHOWN_SIZE), dtype=np.int64)
        self._last = np.zeros(channels, dtype=np.float32)
        self._record = np.zeros(1, dtype=DRIFT)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        for clock, rate, words in zip(self._clocks, (in_rate, out_rate), self._words, strict=False):
            clock["nominal_ns"], clock["shown"] = 1e9 / rate, words.ctypes.data
        r = self.record
        r["channels"], r["ring"] = channels, self.ring.address
        r["target"], r["slack"] = self.target, 2 * margin + 32
        r["half"], r["taps"], r["phases"] = shape.half, shape.taps, PHASES
        r["table"], r["last"] = self._table.ctypes.data, self._last.ctypes.data
        r["writer_clock"] = self._clocks[0:].ctypes.data
        r["reader_clock"] = self._clocks[1:].ctypes.data
        r["writer_shown"] = self._words[0].ctypes.data
        r["seen"] = self._words[2].ctypes.data
        r["in_rate"], r["out_rate"], r["step"] = in_rate, out_rate, in_rate / out_rate

    @property
    def locked(self) -> bool:
        """Whether the bandwidth has come down and sound has played since without a break."""
        return bool(self.record["locked"])

    def counters(self) -> dict[str, int]:
        """All counters of both sides."""
        return {name: int(self.record[name]) for name in COUNTERS}
