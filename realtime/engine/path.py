"""A path: input stage, slots in the order of the sound, output stage; live or offline.

A sample's way through it, in one direction: :mod:`realtime.engine.adapter` cuts callbacks into
hops, :mod:`realtime.engine.hop` takes each hop through input stage, slots and output stage,
:mod:`realtime.engine.slot` feeds a slot's stage and joins what it made to what there was.  Where
all stages are native the whole of it is one compiled function; else Python walks the slots, each of
which runs the same compiled code around the step of its stage.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..dsp.dynamics import db_to_gain, gain_to_db
from ..errors import ConfigError, StreamError
from ..native.events import EventQueue
from ..native.intrinsics import clock_address
from ..native.records import Record
from .adapter import process_block, run_hops
from .edits import Edit, Line
from .group import Group
from .hop import (
    IN_PEAK,
    IN_POWER,
    INPUT_GAIN,
    LIMITER_GAIN,
    OUT_PEAK,
    OUT_POWER,
    OUTPUT_GAIN,
    PATH_MIX,
    PATH_TABLE,
    back_at,
    denormals_back,
    denormals_off,
    front_at,
    hop_function,
)
from .latency import adapter_latency
from .placed import Slot
from .slot import SCRATCH
from .stage import LONGEST_LATENCY, RAMP_SECONDS, Measures, Timed

Array = npt.NDArray[np.float32]
PASSTHROUGH_HOP = 32  # samples; the grid of ramps and meters where no stage sets one
EVENTS = 1024  # parameter events that may wait for their time
EDITS = 64
UNHEARD = -(1 << 62)  # where a path begins that is only tried out
METER_SECONDS = 0.3
LIMITER_RELEASE_SECONDS = 0.08
GAINS = {"input_gain_db": INPUT_GAIN, "output_gain_db": OUTPUT_GAIN}


def check_latency(samples: int) -> None:
    """Refuse what no dry path can follow."""
    if samples >= LONGEST_LATENCY:
        raise ConfigError(
            f"these stages would delay the sound by {samples} samples; a path may by"
            f" {LONGEST_LATENCY - 1}"
        )


class Path:
    """Slots between an input and an output stage, advancing by a constant hop.

    Parameters
    ----------
    slots : sequence of Slot
        Prepared for blocks of `hop` samples; owned from now on.
    channels : int
    sample_rate : int [Hz]
    hop : int [samples]
        A multiple of what every stage advances by.
    block_size : int [samples] or None
        What callbacks bring; ``None`` for varying sizes.  Sets the pre-fill and nothing else.
    mix : float
        0 dry .. 1 wet, of the whole path.
    input_gain_db, output_gain_db : float [dB]

    Attributes
    ----------
    line : Line
        The slots.
    address : int
        Of the path's record.
    edits_made : list of Edit
        Those handed to whoever runs the path and not collected yet.
    """

    def __init__(
        self,
        slots: Sequence[Slot] = (),
        *,
        channels: int = 1,
        sample_rate: int = 48000,
        hop: int = PASSTHROUGH_HOP,
        block_size: int | None = None,
        mix: float = 1.0,
        input_gain_db: float = 0.0,
        output_gain_db: float = 0.0,
    ) -> None:
        if channels < 1:
            raise ConfigError(f"channels must be at least 1, got {channels}")
        self.channels, self.sample_rate, self.hop = channels, sample_rate, hop
        self.events, self._edits = EventQueue(EVENTS), EventQueue(EDITS)
        seconds = hop / sample_rate
        self.record: Record = PATH_TABLE.make(
            "fifo_out",
            clock=clock_address(), channels=channels, hop=hop, longest_hop=hop,
            scratch_size=SCRATCH * channels * hop, line_length=LONGEST_LATENCY,
            hop_function=hop_function().address, limiter_gain=1.0,
            smoothing=1.0 - np.exp(-seconds / RAMP_SECONDS),
            meter_decay=np.exp(-seconds / METER_SECONDS),
            limiter_release=1.0 - np.exp(-1.0 / (LIMITER_RELEASE_SECONDS * sample_rate)),
            events=self.events.address, edits=self._edits.address,
        )  # fmt: skip
        self.address = self.record.address
        self.record["address"] = self.address
        self._scratch = self.record.arrays["scratch"].reshape(SCRATCH, channels, hop)
        self._hop_block = np.zeros((channels, hop), dtype=np.float32)
        self.line = Line(slots, self.record.where("slots"), self.record.where("count"))
        self._tables: list[npt.NDArray[np.int64]] = []  # the last is in use, or will be
        self._python = not self.line.native
        check_latency(self.latency)
        for address, value in [*self.line.stores(), *self.shape_stores()]:
            ctypes.c_int64.from_address(address).value = value
        self.edits_made: list[Edit] = []
        self.set_block_size(block_size)
        self._targets = self.record.arrays["targets"]
        self.set("input_gain_db", input_gain_db)
        self.set("output_gain_db", output_gain_db)
        self.set("mix", mix)
        self.record.arrays["dry_state"][...] = (0, self.latency, self.latency, 0)
        self.settle()

    # -- what it is made of -----------------------------------------------------------------------

    def slots(self) -> Iterator[Slot]:
        """All slots, those inside groups, too, in the order of the sound."""
        return self.line.walk()

    def lines(self) -> list[Line]:
        """The path's own line, and those of the branches of its groups."""
        inside = (s.stage for s in self.slots() if isinstance(s.stage, Group))
        return [self.line, *(line for group in inside for line in group.lines)]

    def slot(self, identity: int) -> Slot | None:
        """The slot of that identity."""
        return next((s for s in self.slots() if s.identity == identity), None)

    @property
    def native(self) -> bool:
        """Whether compiled code alone runs it; so it stays as long as the path is used."""
        return not self._python

    @property
    def latency(self) -> int:
        """Algorithmic latency, without the adapter's pre-fill [samples]."""
        return self.line.latency

    @property
    def prefill(self) -> int:
        """Samples the adapter adds [samples]."""
        return int(self.record["prefill"])

    @property
    def position(self) -> int:
        """Samples processed so far."""
        return int(self.record["position"])

    @property
    def warm(self) -> int:
        """Samples after which it plays well enough to be faded to."""
        return max((s.placed.warming for s in self.slots()), default=0)

    @property
    def settling(self) -> int:
        """Samples until all that it plays is heard after its stages have started afresh."""
        return self.line.settling + self.hop

    def shape_stores(self) -> list[tuple[int, int]]:
        """What follows from the slots: latencies of groups and path, and the list of all slots."""
        stores = [store for slot in self.slots() for store in slot.shape_stores()]
        now = self.record.where("now")
        stores += [s.stage.clock_store(now) for s in self.slots() if isinstance(s.stage, Timed)]
        table = np.array([s.address for s in self.slots()], dtype=np.int64)
        self._tables.append(table)
        return [
            *stores,
            (self.record.where("latency"), self.latency),
            (self.record.where("settling"), self.settling),
            (self.record.where("all_slots"), int(table.ctypes.data)),
            (self.record.where("all_count"), len(table)),
        ]

    def set_block_size(self, block_size: int | None, extra: int = 0) -> None:
        """Start afresh with the pre-fill for callbacks of `block_size` samples (not live).

        `extra` samples of pre-fill come on top, where a latency must be kept whatever plays.
        """
        r = self.record
        r["prefill"] = adapter_latency(self.hop, block_size) + extra
        self.block_size = block_size
        r["max_block"] = max(8192, block_size or 0)
        r["fifo_out_capacity"] = 1 << int(r["max_block"] + 3 * self.hop + extra - 1).bit_length()
        r.allocate("fifo_out")
        self._empty()

    def _empty(self) -> None:
        r = self.record
        r["fifo_out_read"], r["fifo_out_written"] = 0, r["prefill"]
        r["fifo_in_fill"] = r["resized"] = 0

    def reset(self) -> None:
        """Return to the state after construction, keeping the parameters (not live)."""
        for slot in self.slots():
            slot.reset()
        r = self.record
        for name in ("fifo_in", "fifo_out", "dry_line", "meters", "histogram"):
            r.arrays[name][...] = 0
        r.arrays["dry_state"][...] = (0, self.latency, self.latency, 0)
        r["limiter_gain"] = 1.0
        for name in ("position", "hops", "input_scrubbed", "output_limited", "idle", "resting"):
            r[name] = 0
        self._empty()
        self.settle()

    def settle_in_silence(self) -> None:
        """Fill the state of every stage with silence, then begin at position 0 (not live).

        What is silent before it plays needs no time to warm up; its first sound comes softly, so
        that no edge enters the stages.
        """
        r = self.record
        budget, r["budget_ns"] = int(r["budget_ns"]), 0  # not a hop that anybody waits for
        hops = -(-(max(self.warm, self.settling) + self.latency) // self.hop) + 1
        self.run(np.zeros((self.channels, hops * self.hop), dtype=np.float32))
        r["budget_ns"] = budget
        for name in ("meters", "histogram"):
            r.arrays[name][...] = 0
        for name in ("position", "hops", "input_scrubbed", "output_limited"):
            r[name] = 0
        self.begin_softly()

    def begin_softly(self) -> None:
        """Have the input gain rise from nothing when the path begins to play (not live)."""
        self.record.arrays["current"][INPUT_GAIN] = 0.0

    # -- parameters -----------------------------------------------------------------------------

    def set(self, name: str, value: float) -> None:
        """Ask for a gain or the mix at once; live changes come as events."""
        if name in GAINS:
            self._targets[GAINS[name]] = db_to_gain(value)
        elif name == "mix":
            self._targets[PATH_MIX] = value
        else:
            raise ConfigError(f"a path has no parameter '{name}'")

    @property
    def gain(self) -> float:
        """What the input and output stage multiply by, once their ramps have ended."""
        targets = self.record.arrays["targets"]
        return float(targets[INPUT_GAIN] * targets[OUTPUT_GAIN])

    def settle(self) -> None:
        """Finish all ramps at once (not live)."""
        self.record.arrays["current"][...] = self.record.arrays["targets"]

    def set_deadline(self, seconds: float) -> None:
        """Send a stage to rest when its hops keep taking longer than `seconds`; 0 never does."""
        self.record["budget_ns"] = int(1e9 * seconds)

    # -- changes while sound runs -----------------------------------------------------------------

    def make(self, edit: Edit) -> None:
        """Hand an edit to whoever runs the path; it is made between two hops.

        What the edit points to is kept until :meth:`collect`.

        Raises
        ------
        StreamError
            More than :data:`EDITS` wait.
        """
        if not self._edits.push(0, 0, 0, edit.address):
            raise StreamError("too many changes wait for a path that does not run")
        self.edits_made.append(edit)

    @property
    def edits_waiting(self) -> int:
        """Edits that have not been made yet."""
        return len(self._edits)

    @property
    def editing(self) -> bool:
        """Whether edits wait, or slots fade."""
        return bool(self.edits_waiting) or any(s.fading for s in self.slots())

    def collect(self) -> None:
        """Free what sounds no more (control thread, when nothing is :attr:`editing`)."""
        for slot in self.slots():
            slot.collect()
        for line in self.lines():
            line.collect()
        for edit in self.edits_made:
            edit.free()
        self.edits_made.clear()
        del self._tables[:-1]

    # -- running --------------------------------------------------------------------------------

    def process(self, x: Array) -> Array:
        """Process one callback's worth ``x [shape=(channels, n)]``; return a new array.

        Raises
        ------
        ConfigError
            A stage needs Python: such a path runs behind the worker's rings only.
        """
        if not self.native:
            raise ConfigError("a path with Python stages takes whole hops; see Path.process_hops")
        x = np.ascontiguousarray(x, dtype=np.float32)
        y = np.empty_like(x)
        process_block(self.address, x, y)
        return y

    def process_hops(self, x: Array) -> Array:
        """Process ``x [shape=(channels, k * hop)]`` past the adapter; return a new array."""
        y = np.array(x, dtype=np.float32, order="C")
        self.run(y)
        y[:, y.shape[1] // self.hop * self.hop :] = 0.0
        return y

    def run(self, block: Array) -> None:
        """Run whole hops of ``block [shape=(channels, k * hop)]`` in place."""
        if self.native:
            run_hops(self.address, block, self._hop_block, self._hop_block.ctypes.data)
            return
        if block.shape[1] == self.hop:
            self._run_hop(block)
            return
        for start in range(0, block.shape[1] - self.hop + 1, self.hop):
            self._hop_block[...] = block[:, start : start + self.hop]
            self._run_hop(self._hop_block)
            block[:, start : start + self.hop] = self._hop_block

    def _run_hop(self, block: Array) -> None:
        old = denormals_off()
        try:
            runs = front_at(self.address, block)
            begin = time.monotonic_ns()
            if runs:
                self.line.process(block, self._scratch)
            back_at(self.address, block, time.monotonic_ns() - begin)
        finally:
            denormals_back(old)

    # -- what happened ----------------------------------------------------------------------------

    def meters(self) -> dict[str, float]:
        """Levels in dBFS: peak and RMS of input and output, and what the limiter takes."""
        m = self.record.arrays["meters"]
        return {
            "input_peak_db": gain_to_db(m[IN_PEAK]),
            "input_rms_db": gain_to_db(np.sqrt(m[IN_POWER])),
            "output_peak_db": gain_to_db(m[OUT_PEAK]),
            "output_rms_db": gain_to_db(np.sqrt(m[OUT_POWER])),
            "limiter_db": gain_to_db(m[LIMITER_GAIN]) if m[LIMITER_GAIN] else 0.0,
        }

    def readings(self) -> dict[str, float]:
        """What stages measure, by name; of two that measure the same the first in the path."""
        found: dict[str, float] = {}
        for slot in self.slots():
            if slot.present and isinstance(slot.stage, Measures):
                found = {**slot.stage.readings(), **found}
        return found

    @property
    def histogram(self) -> npt.NDArray[np.int64]:
        """Durations of hops, see :mod:`realtime.dsp.meters`."""
        return self.record.arrays["histogram"]

    def counters(self) -> dict[str, int]:
        """Counts since the start, of the path and of all its stages."""
        own = {n: int(self.record[n]) for n in ("hops", "input_scrubbed", "output_limited")}
        names = ("errors", "resets", "overruns", "trips", "rested")
        stages = [s.placed.record for s in self.slots()]
        return (
            own
            | {"resized": int(self.record["resized"])}
            | {n: sum(int(r[n]) for r in stages) for n in names}
        )

    def close(self) -> None:
        """Free the stages (when nothing runs any more)."""
        for slot in self.line.slots:
            slot.close()
