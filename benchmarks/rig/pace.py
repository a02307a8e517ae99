"""A simulated sound card that does not wait: a callback that comes late costs the next cycles.

:class:`realtime.devices.simulated.SimulatedDevice` plays every block of its tape, late ones too.  A
sound card goes on without its program, and so does :class:`PacedDevice`: cycles that fall due
while a callback still runs, or before the thread woke, are missed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from realtime.native.intrinsics import (
    call_stream,
    clock_address,
    monotonic_ns,
    sleep_address,
    sleep_ns,
)
from realtime.stream.worker import raise_priority

STOP = 0


@njit(nogil=True, error_model="numpy", cache=True)
def pace(callback, arguments, period_ns, control, lateness, clock, nanosleep):  # type: ignore[no-untyped-def]
    """Call `callback` once a period until ``control[STOP]`` or `lateness` is full.

    Parameters
    ----------
    callback : int
        Address of a stream callback; 0 calls nothing and times the wake-ups alone.
    arguments : tuple of int
        Its record, input, output and block size.
    lateness : ndarray [shape=(cycles,), int64]
        Written: how late each cycle began [ns]; cycles that were missed stay untouched.
    """
    record, source, target, block = arguments
    begin = monotonic_ns(clock)
    cycle = 0
    while cycle < lateness.shape[0] and control[STOP] == 0:
        due = begin + (cycle + 1) * period_ns
        now = monotonic_ns(clock)
        if due > now:
            sleep_ns(nanosleep, due - now)
            now = monotonic_ns(clock)
        lateness[cycle] = now - due
        if callback != 0:
            call_stream(callback, (source, target, block, 0, 0, record))
        cycle += 1
        cycle = max(cycle, (monotonic_ns(clock) - begin) // period_ns)


def wake_lateness(period_us: float, cycles: int) -> npt.NDArray[np.float64]:
    """How late a bare native timer wakes, at the highest priority permitted [microseconds]."""
    lateness = np.full(cycles, -1, dtype=np.int64)
    control = np.zeros(1, dtype=np.int64)

    def run() -> None:
        raise_priority()
        pace(
            0,
            (0, 0, 0, 0),
            int(period_us * 1000),
            control,
            lateness,
            clock_address(),
            sleep_address(),
        )

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return lateness[lateness >= 0] / 1000.0


class PacedDevice:
    """A transport over :func:`pace`: one channel of quiet noise."""

    name = "simulated real-time device"
    paced = True
    drift = None
    input_latency = output_latency = 0
    in_channels = out_channels = 1

    def __init__(self, block_size: int, sample_rate: int = 48000) -> None:
        self.block_size: int | None = block_size
        self.largest_block = block_size
        self.sample_rate = sample_rate
        self.error: BaseException | None = None
        rng = np.random.default_rng(0)
        self._in = rng.uniform(-0.1, 0.1, block_size).astype(np.float32)
        self._out = np.zeros(block_size, dtype=np.float32)
        self._control = np.zeros(1, dtype=np.int64)
        self._lateness = np.full(sample_rate * 600 // block_size, -1, dtype=np.int64)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Keep what to call; `lockstep` has no meaning in real time."""
        self._arguments: tuple[Any, ...] = (
            callback,
            (record, self._in.ctypes.data, self._out.ctypes.data, self._in.size),
        )

    def start(self) -> None:
        """Start calling."""
        self._thread.start()

    def _run(self) -> None:
        try:
            raise_priority()
            period = round(1e9 * self._in.size / self.sample_rate)
            pace(
                *self._arguments,
                period,
                self._control,
                self._lateness,
                clock_address(),
                sleep_address(),
            )
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._control[STOP] = 1
        self._thread.join(10.0)

    @property
    def active(self) -> bool:
        """Whether it still calls."""
        return self._thread.is_alive()
