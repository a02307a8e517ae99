"""The audio callbacks of the glitch table, all started, stopped and counted alike."""

from __future__ import annotations

import ctypes
import time
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import cfunc, njit, types

from realtime.dsp.meters import N_BINS, count_duration
from realtime.native.intrinsics import clock_address, monotonic_ns, view_f32, view_i64
from realtime.session.session import Session
from realtime.session.sound import Device, Setup
from realtime.stream.transport import Transport

from .pace import PacedDevice
from .python_host import PythonHost
from .sounds import of_file

NAMES = ("bare", "inline", "worker", "python")
TITLES = {
    "bare": "bare native copy",
    "inline": "restyle, inline lane",
    "worker": "restyle, worker lane",
    "python": "Python callback",
    "rtmixer": "rtmixer and Python worker",
}
# slots of the counts every contender keeps
COUNT, LAST, CLOCK, CALLS, GAPS, N_SLOTS = range(6)


class Contender(Protocol):
    """Something that answers audio callbacks; `counts` is the address of its call counter."""

    counts: int

    def start(self) -> None:
        """Let sound through."""

    def stop(self) -> None:
        """Stop."""

    def histograms(self) -> dict[str, npt.NDArray[np.int64]]:
        """Copies of the log histograms ``interval`` and ``callback``."""

    def flags(self) -> dict[str, int]:
        """Counters beyond the callbacks."""


@njit(nogil=True, error_model="numpy", cache=True)
def snapshot(counter, clock):  # type: ignore[no-untyped-def]
    """Read a counter and the clock with no thread switch between them."""
    return view_i64(counter, 1)[0], monotonic_ns(clock)


class _Counted:
    """Counts and histograms for callbacks that are not restyle's."""

    def __init__(self) -> None:
        self._interval, self._callback = np.zeros((2, N_BINS), dtype=np.int64)
        self._slots = np.zeros(N_SLOTS, dtype=np.int64)
        self._slots[CLOCK] = clock_address()
        self._slots[CALLS] = self._callback.ctypes.data
        self._slots[GAPS] = self._interval.ctypes.data
        self.counts = int(self._slots.ctypes.data)

    def histograms(self) -> dict[str, npt.NDArray[np.int64]]:
        return {"interval": self._interval.copy(), "callback": self._callback.copy()}

    def flags(self) -> dict[str, int]:
        return {}


@cache
def _bare_callback() -> Any:
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def bare(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        slots = view_i64(record, N_SLOTS)
        now = monotonic_ns(slots[CLOCK])
        n = types.int64(frames)
        x, y = view_f32(source, n), view_f32(target, n)
        for i in range(n):
            y[i] = x[i]
        if slots[COUNT] > 0:
            count_duration(view_i64(slots[GAPS], N_BINS), now - slots[LAST])
        slots[LAST] = now
        slots[COUNT] += 1
        count_duration(view_i64(slots[CALLS], N_BINS), monotonic_ns(slots[CLOCK]) - now)
        return 0

    return bare


class Bare(_Counted):
    """A compiled callback that copies input to output: what the machine itself lets through."""

    def __init__(self, device: Transport) -> None:
        super().__init__()
        self._device = device
        device.open(int(_bare_callback().address), self.counts, False)
        self.start, self.stop = device.start, device.stop


class Restyle:
    """A :class:`realtime.session.session.Session` on one of its lanes."""

    def __init__(self, device: Transport, lane: str, path: Path | None) -> None:
        session = Session(Setup(of_file(path), Device(lane=lane)), device)
        self._memory = session.stream.memory
        self.counts = self._memory.address + self._memory.record.dtype.fields["callbacks"][1]
        self.start, self.stop = session.start, session.stop

    def histograms(self) -> dict[str, npt.NDArray[np.int64]]:
        """Copies of the stream's own histograms."""
        return {
            "interval": self._memory.gap_histogram.copy(),
            "callback": self._memory.callback_histogram.copy(),
        }

    def flags(self) -> dict[str, int]:
        """Samples that were concealed because the worker was late."""
        return {"concealed_samples": self._memory.counters()["concealed_samples"]}


class Python(_Counted):
    """A Python function as callback, through sounddevice or called by the simulated device."""

    def __init__(self, device: Transport, path: Path | None) -> None:
        super().__init__()
        block, rate = int(device.block_size or 0), device.sample_rate
        self._host = PythonHost(path, block)
        for _ in range(50):
            self._host.process(np.zeros(block, np.float32))
        if isinstance(device, PacedDevice):
            kind = ctypes.CFUNCTYPE(
                ctypes.c_int,
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_ulong,
                ctypes.c_void_p,
                ctypes.c_ulong,
                ctypes.c_void_p,
            )
            self._keep = kind(self._called)
            device.open(ctypes.cast(self._keep, ctypes.c_void_p).value or 0, 0, False)
            self.start, self.stop = device.start, device.stop
            return
        import sounddevice

        from .loopback import device_index

        stream = sounddevice.Stream(
            samplerate=rate,
            blocksize=0,
            device=device_index(),
            channels=1,
            dtype="float32",
            latency="low",
            callback=self._stream_callback,
        )
        self.start, self.stop = stream.start, stream.stop

    def _count(self, begin: int) -> None:
        slots = self._slots
        if slots[COUNT] > 0:
            count_duration(self._interval, begin - int(slots[LAST]))
        slots[LAST] = begin
        slots[COUNT] += 1
        count_duration(self._callback, time.monotonic_ns() - begin)

    def _stream_callback(self, indata: Any, outdata: Any, frames: int, t: Any, status: Any) -> None:
        begin = time.monotonic_ns()
        outdata[:, 0] = self._host.process(indata[:, 0])
        self._count(begin)

    def _called(self, source: int, target: int, n: int, t: Any, flags: int, user: Any) -> int:
        begin = time.monotonic_ns()
        pointer = ctypes.POINTER(ctypes.c_float)
        x = np.ctypeslib.as_array(ctypes.cast(source, pointer), (n,))
        y = np.ctypeslib.as_array(ctypes.cast(target, pointer), (n,))
        y[:] = self._host.process(x)
        self._count(begin)
        return 0


def make(name: str, device: Transport, path: Path | None) -> Contender:
    """Build contender `name` (one of :data:`NAMES`) on `device`."""
    if name == "bare":
        return Bare(device)
    if name == "python":
        return Python(device, path)
    if name == "rtmixer":  # needs a real device
        from .peers.rings import RingsAndWorker

        return RingsAndWorker(device, path)
    return Restyle(device, name, path)
