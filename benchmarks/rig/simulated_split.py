"""Two simulated devices with clocks of their own, in virtual time.

Both callbacks are called in the order in which two real clocks would have it; the time they read is
that of the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cfunc, njit, types

from realtime.devices.driven import POSITION, STOP, DrivenDevice
from realtime.devices.input_side import InputMemory, input_callback
from realtime.dsp.drift_record import Drift
from realtime.native.intrinsics import call_stream, view_i64
from realtime.stream.record import view_stream

from .virtual_clock import Device, time_of

Array = npt.NDArray[np.float32]
SPARE_SECONDS = 0.5  # a fast writer runs out of its tape before the reader does


def virtual_clock() -> tuple[Any, npt.NDArray[np.int64]]:
    """A ``clock_gettime`` that tells what stands in the array it comes with [ns]."""
    now = np.zeros(1, dtype=np.int64)
    place = int(now.ctypes.data)

    @cfunc(types.int32(types.int64, types.int64), nopython=True, error_model="numpy")
    def clock(which, timespec):  # type: ignore[no-untyped-def]
        shown = view_i64(timespec, 2)
        value = view_i64(place, 1)[0]
        shown[0], shown[1] = value // 1_000_000_000, value % 1_000_000_000
        return 0

    return clock, now


@njit(nogil=True, error_model="numpy", cache=True)
def _drive(hear, memory, play, record, tapes, writer, reader, clock, control):  # type: ignore[no-untyped-def]
    """Call both callbacks over ``tapes [input, output, widths, samples in and out]``."""
    now = view_i64(clock, 1)
    n_in, n_out = int(writer[3]), int(reader[3])
    heard, played = 0, 0
    while control[STOP] == 0 and played + n_out <= tapes[5]:
        write_at, read_at = time_of(writer, heard + n_in), time_of(reader, played)
        if write_at <= read_at and heard + n_in <= tapes[4]:
            now[0] = int(write_at * 1e9)
            call_stream(hear, (tapes[0] + 4 * heard * tapes[2], 0, n_in, 0, 0, memory))
            heard += n_in
        else:
            now[0] = int(read_at * 1e9)
            target = tapes[1] + 4 * played * tapes[3]
            call_stream(play, (0, target, n_out, 0, 0, record))
            played += n_out
            control[POSITION] = played


class SimulatedSplit(DrivenDevice):
    """An input device that plays `signal` and an output device, each by its own clock.

    Parameters
    ----------
    signal : ndarray [shape=(channels, n), float32]
        What the input device hears, at its own rate.
    writer, reader : Device
        The two clocks.
    """

    paced = False

    def __init__(self, signal: Array, writer: Device, reader: Device) -> None:
        super().__init__(np.zeros(2, dtype=np.int64))
        self.name = "two simulated devices"
        self._signal, self._writer, self._reader = np.atleast_2d(signal), writer, reader
        self.sample_rate, self.block_size = reader.rate, reader.block
        self.largest_block = reader.block
        self.in_channels = self.out_channels = self._signal.shape[0]
        self.input_latency = self.output_latency = 0
        self.drift: Drift | None = None

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Make the crossing for an engine of so many channels."""
        self.drift = Drift(
            self._writer.rate, self._reader.rate, channels, self._writer.block, self._reader.block
        )
        self._memory = InputMemory(self.in_channels, channels, in_map, self.drift)

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Lay out the tapes and let both callbacks read the simulation's clock."""
        seconds = self._signal.shape[1] / self._writer.rate
        total = int((seconds - SPARE_SECONDS) * self._reader.rate)
        total -= total % self._reader.block
        self._in = np.ascontiguousarray(self._signal.T)
        self._out: Array = np.zeros((total, self.out_channels), dtype=np.float32)
        self._clock, self._now = virtual_clock()
        self._memory.record["clock"] = self._clock.address
        self._arguments = (callback, record)

    def drive(self) -> None:
        """Play both tapes."""
        callback, record = self._arguments
        sides = (self._in, self._out)
        tapes = [a.ctypes.data for a in sides] + [a.shape[1] for a in sides]
        tapes += [a.shape[0] for a in sides]
        _set_clock(record, self._clock.address)
        _drive(
            int(input_callback().address),
            self._memory.address,
            callback,
            record,
            np.array(tapes, dtype=np.int64),
            self._writer.numbers(),
            self._reader.numbers(),
            self._now.ctypes.data,
            self._control,
        )

    @property
    def recording(self) -> Array:
        """What the output device played so far ``[channels, n]`` (a copy)."""
        return np.ascontiguousarray(self._out[: self._control[POSITION]].T)


@njit(nogil=True, error_model="numpy", cache=True)
def _set_clock(record, address):  # type: ignore[no-untyped-def]
    view_stream(record).clock = address
