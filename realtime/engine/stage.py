"""A stage as the engine runs it: what it must offer, and its record.

A stage turns a block into a block of the same length.  A *native* one is a record plus the address
of one compiled function ``step(argument, block, n) -> 0``, which works on ``block [channels, n]``
in place and neither allocates, raises nor waits.  A *Python* one has ``process``.  Everything
around the step is the same compiled code for both, in both lanes: the aligned dry sound, parameter
ramps, what is heard when a step fails or is late (:mod:`realtime.engine.governor`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..dsp.delay import DELAY_STATE, moving_delay
from ..dsp.dynamics import scrub, towards
from ..dsp.meters import N_BINS, count_duration
from ..dsp.mix import copy
from ..native.intrinsics import call_hop, clock_address, monotonic_ns, view_f32
from ..native.late_numba import njit
from ..native.records import F32, F64, FLOAT, I64, INT, Array, Record, Table
from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter

Block = npt.NDArray[np.float32]
ANY_HOP = 1  # the hop of a stage that takes blocks of any length
RAMP_SECONDS = 0.01  # time constant of parameter ramps
FEED_SECONDS = 0.02  # over which a stage that comes is given sound, so that no edge enters it
WARM_SECONDS = 0.05  # a model whose memory is not known runs unheard for so long when it starts
REST_SECONDS = (0.25, 8.0)  # shortest and longest rest of a stage that was late
LONGEST_LATENCY = 1 << 15  # samples; of a stage whose latency may change while it plays

STAGE = Table(
    "stage",
    # what runs: compiled code by address; step 0 is a Python stage, fading 0 has nothing inside
    step=INT, reset=INT, fading=INT, argument=INT, clock=INT,
    channels=INT, hop=INT, latency=INT, piece=Array(F32, "channels, hop"),
    # parameters: asked for, ramped, and as the stage reads them; `changes` counts what was asked
    n_parameters=INT, targets=Array(F64, "n_parameters"), current=Array(F64, "n_parameters"),
    switched=Array(I64, "n_parameters"), values=INT, changes=INT, ramp_samples=FLOAT,
    # the dry sound, delayed by the latency
    line_length=INT, dry_line=Array(F32, "channels, line_length"),
    dry_state=Array(I64, str(DELAY_STATE)),
    # how much of the sound the stage is given, and where that is going
    fed=FLOAT, fed_goal=FLOAT, feed_step=FLOAT,
    # what is heard of it: see realtime.engine.governor; lengths in samples
    level=FLOAT, holding=INT, last=Array(F32, "channels"), unheard=INT, warm=INT,
    governed=INT, idles=INT, idle=INT, rest=INT, resting=INT, rest_left=INT, rest_length=INT,
    rest_least=INT, rest_most=INT, pressure=FLOAT, clean=INT,
    # counters
    spent=INT, errors=INT, resets=INT, overruns=INT, trips=INT, rested=INT,
    histogram=Array(I64, str(N_BINS)),
)  # fmt: skip
view_stage = STAGE.view
_targets, _current, _switched = (STAGE.array(n) for n in ("targets", "current", "switched"))
_piece, _dry_line, _dry_state = (STAGE.array(n) for n in ("piece", "dry_line", "dry_state"))
_histogram = STAGE.array("histogram")


class Stage(Protocol):
    """What the engine needs of a stage.

    Attributes
    ----------
    name : str
    hop : int [samples]
        What it advances by; :data:`ANY_HOP` for any length.
    latency : int [samples]
        Exact, valid after :meth:`prepare`.
    native : bool
        Whether ``step_address`` and the other addresses are given; else ``process`` is.
    governed : bool
        Whether the stage may be sent to rest when it is late: it has state that fills by itself.
    settling : int [samples]
        How long it runs unheard after it has started afresh; valid after :meth:`prepare`.
    """

    name: str
    native: bool
    governed: bool

    @property
    def hop(self) -> int:
        """What it advances by [samples]."""

    @property
    def latency(self) -> int:
        """Delay in samples, valid after :meth:`prepare`."""

    @property
    def settling(self) -> int:
        """How long it runs unheard after it has started afresh [samples]."""

    def parameters(self) -> Sequence[Parameter]:
        """All parameters, standing where they do now."""

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Allocate for blocks ``[channels, length]`` and return to the initial state."""

    def reset(self) -> None:
        """Return to the initial state (not while it runs)."""

    def close(self) -> None:
        """Free what is held; it does not run any more."""


class NativeStage(Stage, Protocol):
    """A stage that compiled code runs by address.

    Attributes
    ----------
    step_address, reset_address, argument : int
        ``step(argument, block, n) -> 0`` and ``reset(argument) -> 0``.
    values : ndarray [shape=(n_parameters,), float32]
        Written before each step: the parameters, ramped.
    """

    step_address: int
    reset_address: int
    argument: int
    values: npt.NDArray[np.float32]

    @property
    def error(self) -> str | None:
        """Why the last step failed."""


class PythonStage(Stage, Protocol):
    """A stage that runs in Python, so in the worker lane."""

    def process(self, block: Block) -> Block:
        """Process one block of the prepared shape; returns an array of the same shape."""

    def restart(self) -> None:
        """Clear what it remembers as far as that takes no time, between two blocks."""

    def turn(self, number: int, value: float) -> bool:
        """Take a new value of parameter `number`, between two blocks.

        Returns whether it may sound while it is taken; else the stage is taken out of the sound
        first and given the value again.
        """


@runtime_checkable
class Lags(Protocol):
    """A stage whose sound is late by itself, or upside down; groups make up for both.

    Attributes
    ----------
    lag : int [samples]
        Beyond its latency.
    inverted : bool
    """

    @property
    def lag(self) -> int:
        """How late it is beyond its latency [samples]."""

    @property
    def inverted(self) -> bool:
        """Whether it turns the sound upside down."""


@runtime_checkable
class Gathers(Protocol):
    """A stage with stages inside: a group; its latency may change while it plays.

    Attributes
    ----------
    fading_address, argument : int
        ``fading(argument) -> 1`` while something inside comes, goes or changes, else 0.
    """

    fading_address: int
    argument: int

    def delay_stores(self) -> list[tuple[int, int]]:
        """What aligns its branches: addresses, and the numbers that go there."""


@runtime_checkable
class Measures(Protocol):
    """A stage that measures something, see :mod:`realtime.parameters.readings`."""

    def readings(self) -> Mapping[str, float]:
        """What it measures, by name (any thread but the audio's)."""


@runtime_checkable
class Timed(Protocol):
    """A stage that asks for the position of its block in the stream."""

    def clock_store(self, address: int) -> tuple[int, int]:
        """What has it read the position at `address`: an address, and what goes there."""


def make_record(stage: Stage, channels: int, sample_rate: int) -> Record:
    """The record of a prepared stage, its parameters where the stage's stand."""
    listed = list(stage.parameters())
    least, most = (round(s * sample_rate) for s in REST_SECONDS)
    follows = isinstance(stage, Gathers)
    record = STAGE.make(
        clock=clock_address(), channels=channels, hop=stage.hop, latency=stage.latency,
        n_parameters=len(listed), ramp_samples=RAMP_SECONDS * sample_rate,
        line_length=(LONGEST_LATENCY if follows else stage.latency) + 1,
        fed=1.0, fed_goal=1.0, feed_step=1.0 / (FEED_SECONDS * sample_rate), level=1.0,
        warm=stage.settling, governed=stage.governed, idles=stage.governed or follows,
        rest_least=least, rest_most=most, rest_length=least,
    )  # fmt: skip
    if isinstance(stage, Gathers):
        record["fading"], record["argument"] = stage.fading_address, stage.argument
    record.arrays["dry_state"][...] = (0, stage.latency, stage.latency, 0)
    record.arrays["switched"][:] = [p.kind in (CATEGORICAL, SWITCH) for p in listed]
    record.arrays["targets"][:] = record.arrays["current"][:] = [p.value for p in listed]
    if stage.native:
        native: Any = stage
        record["step"], record["reset"] = native.step_address, native.reset_address
        record["argument"] = native.argument
        record["values"] = native.values.ctypes.data
        native.values[:] = record.arrays["current"]
    return record


@njit(nogil=True, error_model="numpy", cache=True)
def _ramp(s, n):  # type: ignore[no-untyped-def]
    """Move the parameters `n` samples towards their targets; those of a choice at once."""
    targets, current, switched = _targets(s), _current(s), _switched(s)
    values = view_f32(s.values, (s.n_parameters,))
    share = 1.0 - math.exp(-n / s.ramp_samples)
    for i in range(s.n_parameters):
        if switched[i] != 0:
            current[i] = targets[i]
        elif current[i] != targets[i]:
            current[i] += (targets[i] - current[i]) * share
            if abs(targets[i] - current[i]) < 1e-5 * max(1.0, abs(targets[i])):
                current[i] = targets[i]
        values[i] = current[i]


@njit(nogil=True, error_model="numpy", cache=True)
def feed(s, block, dry, wet):  # type: ignore[no-untyped-def]
    """Fill `dry` with the block delayed by the stage's latency, `wet` with what it is given.

    Parameters
    ----------
    s : record
        :data:`STAGE`.
    block, dry, wet : ndarray [shape=(channels, n), float32]
        Three different memories.
    """
    if s.line_length == 1:
        copy(block, dry)
    else:
        moving_delay(block, _dry_line(s), _dry_state(s), s.latency, dry)
    fed, goal = s.fed, s.fed_goal
    if fed == goal == 1.0:
        copy(block, wet)
        return
    for i in range(block.shape[1]):
        fed = towards(fed, goal, s.feed_step)
        for c in range(block.shape[0]):
            wet[c, i] = np.float32(fed) * block[c, i]
    s.fed = fed


@njit(nogil=True, error_model="numpy", cache=True)
def run(s, wet, address):  # type: ignore[no-untyped-def]
    """Step a native stage over ``wet [channels, n]`` (at `address`) in place; 1 if it is good."""
    begin = monotonic_ns(s.clock)
    n, status = wet.shape[1], 0
    if s.hop == n or s.hop == ANY_HOP:
        _ramp(s, n)
        status = call_hop(s.step, (s.argument, address, n))
    else:
        piece, start = _piece(s), 0
        while start < n:  # a range with a step may raise
            _ramp(s, s.hop)
            copy(wet[:, start : start + s.hop], piece)
            status |= call_hop(s.step, (s.argument, s.piece, s.hop))
            copy(piece, wet[:, start : start + s.hop])
            start += s.hop
    s.spent = monotonic_ns(s.clock) - begin
    count_duration(_histogram(s), s.spent)
    if status != 0:
        s.errors += 1
        return 0
    return 1 if scrub(wet) == 0 else 0
