"""The input callback of a stream whose two devices have clocks of their own.

It only writes what it hears into the crossing (:mod:`realtime.dsp.drift`); the stream's callback,
called by the output device, reads from there at its own pace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.drift import write
from ..dsp.drift_record import Drift, view_drift
from ..native.intrinsics import clock_address, monotonic_ns, pointer_to, view_f32, view_i64
from ..native.late_numba import carray, cfunc, njit, types
from ..stream.maps import heard_columns

F32 = np.float32
LARGEST_BLOCK = 8192  # samples; larger callbacks are taken in parts

_FIELDS = (
    "drift", "channels", "in_channels", "in_map", "x", "clock", "callbacks", "samples",
    "input_overflows", "input_underflows", "min_block", "max_seen_block",
)  # fmt: skip
INPUT = np.dtype([(n, np.int64) for n in _FIELDS])
_pointer_input = pointer_to(INPUT)


@njit(inline="always")
def view_input(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_input(address), 1)[0]


@njit(nogil=True, error_model="numpy", cache=True)
def hear(s, source, n, flags):  # type: ignore[no-untyped-def]
    """One callback of `n` samples; `source` is interleaved float32."""
    now = monotonic_ns(s.clock)
    s.callbacks += 1
    s.samples += n
    s.input_underflows += flags & 1
    s.input_overflows += (flags >> 1) & 1
    s.min_block = min(s.min_block, n)
    s.max_seen_block = max(s.max_seen_block, n)
    if s.drift == 0:
        return
    width = s.in_channels
    columns = view_i64(s.in_map, s.channels)
    x = view_f32(s.x, (s.channels, LARGEST_BLOCK))
    done = 0
    while done < n:
        part = min(n - done, LARGEST_BLOCK)
        data = view_f32(source + 4 * done * width, (part, width))
        for c in range(s.channels):
            column = columns[c]
            for i in range(part):
                x[c, i] = data[i, column] if source != 0 and column >= 0 else F32(0.0)
        write(view_drift(s.drift), x, 0, part, now)
        done += part


@cache
def input_callback() -> Any:
    """The C function the input device calls (``PaStreamCallback``)."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def callback(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        hear(view_input(record), source, types.int64(frames), types.int64(flags))
        return 0

    return callback


class InputMemory:
    """Owner of an input record.

    Parameters
    ----------
    in_channels : int
        Of the device.
    channels : int
        Of the engine.
    in_map : sequence of int, optional
        As in :class:`realtime.stream.record.StreamMemory`.
    drift : Drift, optional
        Where the sound goes; without one it is only counted.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 1,
        in_map: Sequence[int] | None = None,
        drift: Drift | None = None,
    ) -> None:
        self._record = np.zeros(1, dtype=INPUT)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        self._x: npt.NDArray[np.float32] = np.zeros((channels, LARGEST_BLOCK), dtype=np.float32)
        self._map = heard_columns(in_map, channels, in_channels)
        self._drift = drift
        r = self.record
        r["channels"], r["in_channels"], r["clock"] = channels, in_channels, clock_address()
        r["x"], r["in_map"] = self._x.ctypes.data, self._map.ctypes.data
        r["drift"] = drift.address if drift is not None else 0
        r["min_block"] = np.iinfo(np.int64).max
