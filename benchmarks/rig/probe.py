"""Feed a device's stream with a known signal and record what its input hears.

The stream's callback gets the next piece of `signal` instead of the device's input; what the
device's input brings is kept.  With the device's output connected to its own input, the tape is
the signal after one whole way: restyle, driver out, driver in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import carray, cfunc, types

from realtime.native.intrinsics import call_stream, pointer_f32, view_f32, view_i64
from realtime.stream.transport import Transport

CALLBACK, RECORD, SIGNAL, TAPE, LENGTH, POSITION, IN_WIDTH, OUT_WIDTH, N_SLOTS = range(9)


@cache
def _probe_callback() -> Any:
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def probe(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        slots = view_i64(record, N_SLOTS)
        n, position = types.int64(frames), slots[POSITION]
        out = view_f32(target, n * slots[OUT_WIDTH])
        if position + n > slots[LENGTH]:
            for i in range(out.shape[0]):
                out[i] = 0.0
            return 0
        width = slots[IN_WIDTH]
        heard = carray(pointer_f32(source), (n, width))
        tape = view_f32(slots[TAPE], slots[LENGTH])
        for i in range(n):
            tape[position + i] = heard[i, 0]
        signal = slots[SIGNAL] + 4 * position * width
        if slots[CALLBACK] != 0:
            call_stream(slots[CALLBACK], (signal, target, frames, 0, flags, slots[RECORD]))
        else:  # the bare device: signal out as it is
            played = view_f32(signal, (n, width))
            for i in range(n):
                for c in range(slots[OUT_WIDTH]):
                    out[i * slots[OUT_WIDTH] + c] = played[i, 0]
        slots[POSITION] = position + n
        return 0

    return probe


class ProbedDevice:
    """A transport around `device`, for a :class:`realtime.session.session.Session`.

    Parameters
    ----------
    device : Transport
    signal : ndarray [shape=(n,), float32]
        Played once from the start.
    connect : callable
        Called when the device runs; closes the loop.
    """

    paced = True
    drift = None
    input_latency = output_latency = 0

    def __init__(
        self, device: Transport, signal: npt.NDArray[np.float32], connect: Callable[[], None]
    ) -> None:
        self._device, self._connect = device, connect
        self.name, self.sample_rate = device.name, device.sample_rate
        self.block_size, self.largest_block = device.block_size, device.largest_block
        self.in_channels, self.out_channels = device.in_channels, device.out_channels
        self._signal = np.repeat(signal[:, None], self.in_channels, axis=1).astype(np.float32)
        self._tape = np.zeros(signal.size, dtype=np.float32)
        self._slots = np.zeros(N_SLOTS, dtype=np.int64)
        self._slots[SIGNAL], self._slots[TAPE] = self._signal.ctypes.data, self._tape.ctypes.data
        self._slots[LENGTH] = signal.size
        self._slots[IN_WIDTH], self._slots[OUT_WIDTH] = self.in_channels, self.out_channels

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Open the device with the probe in between; `callback` 0 copies signal to output."""
        self._slots[CALLBACK], self._slots[RECORD] = callback, record
        address = int(self._slots.ctypes.data)
        self._device.open(int(_probe_callback().address), address, lockstep)

    def start(self) -> None:
        """Start the device and close the loop."""
        self._device.start()
        self._connect()

    def stop(self) -> None:
        """Stop the device."""
        self._device.stop()

    @property
    def active(self) -> bool:
        """Whether there is signal left to play."""
        return bool(self._device.active) and self.position + (self.block_size or 1) <= len(
            self._tape
        )

    @property
    def error(self) -> BaseException | None:
        """What ended the device early."""
        return self._device.error

    @property
    def position(self) -> int:
        """Samples played so far."""
        return int(self._slots[POSITION])

    @property
    def tape(self) -> npt.NDArray[np.float32]:
        """What the input heard so far (a copy)."""
        return self._tape[: self.position].copy()

    def play_bare(self) -> npt.NDArray[np.float32]:
        """Run the device alone, without a session; return the tape."""
        self.open(0, 0, False)
        self.start()
        while self.active:
            time.sleep(0.02)
        self.stop()
        return self.tape
