"""The device of an engine that plays for a plug-in in a DAW: the plug-in is its clock.

Sound comes in and goes out through memory that both processes see
(:mod:`realtime.devices.plugin_record`).  One native loop waits for it and calls the very callback a
sound card would; it asks for a sound card's priority and never takes Python's lock.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..dsp.drift_record import Drift
from ..engine.hop import view_path
from ..errors import DeviceError
from ..native import events
from ..native.intrinsics import (
    call_stream,
    clock_address,
    load_acquire,
    monotonic_ns,
    sleep_address,
    sleep_ns,
    store_release,
    syscall_address,
    view_f32,
    wait_for_change,
)
from ..native.late_numba import njit
from ..stream.play import hand_out
from ..stream.record import NEXT, view_stream
from ..stream.voice import view_voice
from ..stream.worker import raise_priority
from .driven import STOP, DrivenDevice
from .plugin_record import (
    CAPACITY,
    CHANNELS,
    EVENTS,
    PARAMETERS,
    PluginRecord,
    offset,
    view_events,
    view_head,
)
from .simulated import settle_worker

PART = 128  # samples; the most that one call of the callback brings
PAUSE_SECONDS = 2.0  # what a block may take before a pause is given up
# int64 slots of what Python and the loop tell each other, after STOP, which every such device has:
# the take that is played, whether silence was fed since it began, pauses, the next position, which
# of two maps of parameters holds, its rows; then a flag for each parameter that has moved
TAKE, FED, PAUSE, PAUSED, POSITION, MAP, ROWS, MOVED = 1, 2, 3, 4, 5, 6, 8, 16
MOST_ROWS = 256
# float64 columns of a map: what one parameter moves, and how
PARAMETER, TARGET, NUMBER, LOW, HIGH, LOGARITHMIC, WHOLE, GAIN, COLUMNS = range(9)

_WRITTEN, _ASKED, _ANSWERED = offset("written"), offset("events_written"), offset("answered")
_VALID, _TAKEN_EVENTS, _TAKE = offset("valid"), offset("events_read"), offset("take")
_EVENTS, _VALUES = offset("events"), offset("values")
_WANTED, _INPUT, _OUTPUT = offset("wanted"), offset("input"), offset("output")


class Row(NamedTuple):
    """What one of the sixteen parameters moves; a parameter may have several.

    Attributes
    ----------
    parameter : int
        0..15.
    target, number : int
        Of the event, see :mod:`realtime.native.events`.
    low, high : float
        At 0 and at 1.
    logarithmic, whole, gain : bool
        Equal ratios for equal turns; rounded; decibels that the path takes as a factor.
    """

    parameter: int
    target: int
    number: int
    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False
    gain: bool = False


@njit(nogil=True, error_model="numpy", cache=True)
def _value(row, share):  # type: ignore[no-untyped-def]
    if row[LOGARITHMIC] != 0.0:
        found = row[LOW] * (row[HIGH] / row[LOW]) ** share
    else:
        found = row[LOW] + (row[HIGH] - row[LOW]) * share
    if row[WHOLE] != 0.0:
        found = np.floor(found + 0.5)
    return 10.0 ** (found / 20.0) if row[GAIN] != 0.0 else found


@njit(nogil=True, error_model="numpy", cache=True)
def _turn(s, b, bridge, maps, restored, control, position, end):  # type: ignore[no-untyped-def]
    """Hand on the parameters that move before `end`; none while another sound is on its way.

    The first value of a parameter is no movement where the sound was restored with it.
    """
    if b.loaded != load_acquire(bridge + _WANTED):
        return
    which = control[MAP]
    values = view_f32(bridge + _VALUES, PARAMETERS)
    queue = view_events(bridge + _EVENTS)
    written = load_acquire(bridge + _ASKED)
    read = b.events_read
    while read < written and queue[read & (EVENTS - 1)].position < end:
        event = queue[read & (EVENTS - 1)]
        k, share, at = int(event.parameter), float(event.value), int(event.position)
        read += 1
        store_release(bridge + _TAKEN_EVENTS, read)
        if k < 0 or k >= PARAMETERS or not 0.0 <= share <= 1.0:
            continue
        first = control[MOVED + k] == 0
        control[MOVED + k] = 1
        if first and np.float32(share) == restored[which, k]:
            continue
        for i in range(control[ROWS + which]):
            row = maps[which, i]
            if int(row[PARAMETER]) == k:
                when = float(s.samples + max(0, at - position))
                hand_out(s, when, int(row[TARGET]), int(row[NUMBER]), _value(row, share))
        values[k] = np.float32(share)
        b.applied += 1


@njit(nogil=True, error_model="numpy", cache=True)
def _call(callback, record, s, sides, n, control, nanosleep):  # type: ignore[no-untyped-def]
    call_stream(callback, (sides[0], sides[1], n, 0, 0, record))
    settle_worker(s.voice, control, nanosleep)
    settle_worker(s.incoming, control, nanosleep)
    settle_worker(s.tail, control, nanosleep)


@njit(nogil=True, error_model="numpy", cache=True)
def _answer(callback, record, s, b, bridge, sides, maps, restored, control, written, nanosleep):  # type: ignore[no-untyped-def]
    """Play what came in, at most one part of it, and answer it."""
    position = control[POSITION]
    behind = written - position
    late = b.offline == 0 and behind > b.max_block + b.sample_rate // 5
    if late or behind > CAPACITY - PART:  # nobody waits for that any more
        control[POSITION] = written
        store_release(bridge + _VALID, written + b.latency)
        store_release(bridge + _ANSWERED, written)
        return
    n = min(behind, PART)
    _turn(s, b, bridge, maps, restored, control, position, position + n)
    x = view_f32(bridge + _INPUT, (CHANNELS, CAPACITY))
    y = view_f32(bridge + _OUTPUT, (CHANNELS, CAPACITY))
    source = view_f32(sides[0], (PART, CHANNELS))
    target = view_f32(sides[1], (PART, CHANNELS))
    for c in range(CHANNELS):
        for i in range(n):
            source[i, c] = x[c, (position + i) & (CAPACITY - 1)]
    _call(callback, record, s, sides, n, control, nanosleep)
    for c in range(CHANNELS):
        for i in range(n):
            y[c, (position + i) & (CAPACITY - 1)] = target[i, c]
    control[POSITION] = position + n
    store_release(bridge + _ANSWERED, position + n)


@njit(nogil=True, error_model="numpy", cache=True)
def _is_changing(s):  # type: ignore[no-untyped-def]
    """Whether a change of the stream waits for blocks to be heard out in."""
    if load_acquire(s.mail + 8 * NEXT) != 0 or s.incoming != 0 or s.tail != 0:
        return True
    path = view_path(view_voice(s.voice).path)
    return events.pending(path.edits) > 0 or events.pending(s.events) > 0


@njit(nogil=True, error_model="numpy", cache=True)
def _serve(callback, record, bridge, sides, maps, restored, control, clock, nanosleep, syscall):  # type: ignore[no-untyped-def]
    """Answer the plug-in until it is stopped.

    Where the plug-in brings nothing for a while and a change waits, silence is played instead.
    """
    s, b = view_stream(record), view_head(bridge)
    heard = monotonic_ns(clock)
    while control[STOP] == 0:
        if control[PAUSE] != 0:
            control[PAUSED] = 1
            sleep_ns(nanosleep, 100_000)
            continue
        control[PAUSED] = 0
        written = load_acquire(bridge + _WRITTEN)  # before the take: it is of this one or older
        mine = load_acquire(bridge + _TAKE) == control[TAKE]
        if mine and written > control[POSITION]:
            if control[FED] != 0 and control[POSITION] == b.begin:
                control[TAKE] = -1  # it would not begin in the initial state
                continue
            _answer(
                callback, record, s, b, bridge, sides, maps, restored, control, written, nanosleep
            )
            heard = monotonic_ns(clock)
            continue
        limit = 20_000_000
        if mine and control[POSITION] > b.begin:
            limit = 1_000_000_000 if b.offline != 0 else 100_000_000
        if monotonic_ns(clock) - heard > limit and _is_changing(s):
            control[FED] = 1
            view_f32(sides[0], (PART, CHANNELS))[:] = np.float32(0.0)
            _call(callback, record, s, sides, PART, control, nanosleep)
            continue
        wait_for_change(syscall, bridge + _WRITTEN, written, 5_000_000)


class PluginDevice(DrivenDevice):
    """What a plug-in brings, as a device with virtual time.

    Parameters
    ----------
    name : str
        Of the plug-in's memory.

    Attributes
    ----------
    record : PluginRecord

    Raises
    ------
    DeviceError
        The memory is not there or of another version, or this system has no futex.
    """

    name = input_name = output_name = "plug-in"
    paced = False
    drift: Drift | None = None
    input_latency = output_latency = 0
    block_size: int | None = None
    largest_block = PART
    in_channels = out_channels = CHANNELS

    def __init__(self, name: str) -> None:
        if not sys.platform.startswith("linux"):
            raise DeviceError("a plug-in's engine runs on Linux only, so far")
        super().__init__(np.zeros(MOVED + PARAMETERS, dtype=np.int64))
        self.record = PluginRecord(name)
        self.sample_rate = self.record["sample_rate"]
        if not 1 <= self.sample_rate <= 768_000:
            raise DeviceError(f"the plug-in states a sample rate of {self.sample_rate} Hz")
        self._control[TAKE] = -1
        self._maps = np.zeros((2, MOST_ROWS, COLUMNS), dtype=np.float64)
        self._restored = np.zeros((2, PARAMETERS), dtype=np.float32)
        self._scratch = np.zeros((2, PART, CHANNELS), dtype=np.float32)

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Remember whom to call; each block waits for the worker, so that none is concealed."""
        self._arguments = (callback, record)

    def drive(self) -> None:
        """Serve until stopped; nothing is called before :meth:`begin`."""
        callback, record = self._arguments
        raise_priority()
        _serve(
            callback,
            record,
            self.record.address,
            np.array([self._scratch[i].ctypes.data for i in (0, 1)], dtype=np.int64),
            self._maps,
            self._restored,
            self._control,
            clock_address(),
            sleep_address(),
            syscall_address(),
        )

    # -- for whoever makes the changes ----------

    @property
    def waits(self) -> bool:
        """Whether the plug-in has begun a take that is not played yet."""
        return bool(self._control[TAKE] != self.record["take"])

    def pause(self) -> bool:
        """Have it call no more; False where a block takes too long."""
        self._control[PAUSE] = 1
        end = time.monotonic() + PAUSE_SECONDS
        while not self._control[PAUSED]:
            if time.monotonic() > end or not self.active:
                self._control[PAUSE] = 0
                return False
            time.sleep(0.0002)
        return True

    def begin(self, latency: int) -> None:
        """Play the newest take from its first sample on; between :meth:`pause` and :meth:`go`.

        Parameters
        ----------
        latency : int [samples]
            From its input to its output.
        """
        record, control = self.record, self._control
        take, begin = record["take"], record["begin"]
        record["latency"] = latency
        record["valid"] = record["answered"] = control[POSITION] = begin
        control[FED], control[TAKE] = 0, take
        record["taken"] = take

    def go(self) -> None:
        """End a pause."""
        self._control[PAUSE] = 0
        while self._control[PAUSED] and self.active:
            time.sleep(0.0002)

    def show(self, rows: Sequence[Row], values: Sequence[float], anew: bool) -> None:
        """Say what the sixteen parameters move from now on, and where they stand.

        Parameters
        ----------
        rows : sequence of Row
            At most :data:`MOST_ROWS`.
        values : sequence of float
            0..1 each; those that are missing stand at 0.
        anew : bool
            Whether another sound was loaded, of which no parameter has moved yet.
        """
        control, rows = self._control, rows[:MOST_ROWS]
        other = 1 - int(control[MAP])
        self._maps[other, : len(rows)] = np.array(rows, dtype=np.float64).reshape(-1, COLUMNS)
        stand = np.zeros(PARAMETERS, dtype=np.float32)
        stand[: len(values)] = values
        self._restored[other] = stand
        control[ROWS + other] = len(rows)
        if anew:
            control[MOVED:] = 0
        control[MAP] = other
        self.record.fields["values"][:] = stand
