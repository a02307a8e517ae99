"""A second output that plays what the stream plays: for one's own ears, beside a microphone.

The stream's callback writes what it plays into a crossing (:mod:`realtime.dsp.drift`); the device
of the monitor, which has a clock and blocks of its own, reads from there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.drift import read
from ..dsp.drift_record import Drift, view_drift
from ..dsp.dynamics import db_to_gain
from ..errors import DeviceError
from ..native.intrinsics import clock_address, monotonic_ns, pointer_to, view_f32
from ..native.late_numba import carray, cfunc, njit, types
from .list import find_device, opened_outputs
from .one_card import PROBE_SECONDS
from .port_stream import PortStream

F32 = np.float32
LARGEST_BLOCK = 8192  # samples; larger callbacks are filled in parts
MARGIN_SECONDS = 0.001  # how late a callback of the stream may be before sound lacks
MOST_BLOCK = 2048  # samples; assumed of a stream whose blocks vary

_FIELDS = ("drift", "channels", "out_channels", "y", "clock", "callbacks", "largest")
MONITOR = np.dtype([(n, np.int64) for n in _FIELDS] + [("gain", "f8"), ("standing", "f8")])
_pointer_monitor = pointer_to(MONITOR)


@njit(inline="always")
def view_monitor(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_monitor(address), 1)[0]


@njit(nogil=True, error_model="numpy", cache=True)
def speak(m, target, n):  # type: ignore[no-untyped-def]
    """One callback of `n` samples; `target` is interleaved float32.

    One channel plays on all outputs, several on as many.  The gain moves along a line within it.
    """
    now = monotonic_ns(m.clock)
    m.callbacks += 1
    m.largest = max(m.largest, n)
    width, begin = m.out_channels, m.standing
    y = view_f32(m.y, (m.channels, LARGEST_BLOCK))
    done = 0
    while done < n:
        part = min(n - done, LARGEST_BLOCK)
        out = view_f32(target + 4 * done * width, (part, width))
        if m.drift != 0:
            read(view_drift(m.drift), y, 0, part, now)
        for i in range(part):
            gain = F32(begin + (m.gain - begin) * (done + i + 1) / n)
            for k in range(width):
                c = 0 if m.channels == 1 else k
                out[i, k] = gain * y[c, i] if m.drift != 0 and c < m.channels else F32(0.0)
        done += part
    m.standing = m.gain


@cache
def monitor_callback() -> Any:
    """The C function the monitor's device calls (``PaStreamCallback``)."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def callback(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        speak(view_monitor(record), target, types.int64(frames))
        return 0

    return callback


class MonitorMemory:
    """Owner of a monitor's record.

    Parameters
    ----------
    channels : int
        Of the stream.
    out_channels : int
        Of the monitor's device.
    drift : Drift, optional
        Where the sound comes from; without one silence plays.
    gain_db : float [dB]
    """

    def __init__(
        self, channels: int, out_channels: int, drift: Drift | None = None, gain_db: float = 0.0
    ) -> None:
        self._record = np.zeros(1, dtype=MONITOR)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        self._y: npt.NDArray[np.float32] = np.zeros((channels, LARGEST_BLOCK), dtype=np.float32)
        self._drift = drift
        r = self.record
        r["channels"], r["out_channels"], r["clock"] = channels, out_channels, clock_address()
        r["y"], r["drift"] = self._y.ctypes.data, drift.address if drift is not None else 0
        r["gain"] = r["standing"] = db_to_gain(gain_db)


class Monitor:
    """An output device that plays along (control thread).

    Parameters
    ----------
    device : str
        See :func:`realtime.devices.list.find_device`.
    sample_rate : int [Hz]
        Of the stream; the monitor runs at its own default where it refuses that.
    channels : int
        Of the stream.
    block : int or None [samples]
        Of the stream's callbacks; None where they vary.
    gain_db : float [dB]

    Attributes
    ----------
    name : str
    drift : Drift
        The stream's callback writes there.
    latency : int [stream's samples]
        From what the stream's device is given to what the monitor's plays, that device included.

    Raises
    ------
    DeviceError
    """

    def __init__(
        self, device: str, sample_rate: int, channels: int, block: int | None, gain_db: float
    ) -> None:
        play = find_device(device, "output")
        self.name, width = play.name, opened_outputs(play, channels, None)
        self._out = PortStream(play.name, None, play, sample_rate, out_channels=width)
        try:
            largest = self._probe(width)
        except DeviceError:
            if play.default_sample_rate == sample_rate:
                raise
            self._out.sample_rate = play.default_sample_rate
            largest = self._probe(width)
        margin = max(32, round(MARGIN_SECONDS * sample_rate))
        self.drift = Drift(
            sample_rate, self._out.sample_rate, channels, block or MOST_BLOCK, largest, margin
        )
        self._memory = MonitorMemory(channels, width, self.drift, gain_db)
        self.latency = 0

    def _probe(self, width: int) -> int:
        """The most the device asks for at once."""
        memory = MonitorMemory(1, width)
        self._out.listen(int(monitor_callback().address), memory.address, PROBE_SECONDS)
        if not memory.record["callbacks"]:
            raise DeviceError(f"{self.name} opened but never asked for sound; does its server run?")
        return int(memory.record["largest"])

    def start(self) -> None:
        """Open the device and let it play; silence until the stream's callback writes."""
        self._out.open(int(monitor_callback().address), self._memory.address)
        rate = self.drift.in_rate / self.drift.out_rate
        self.latency = self.drift.target + round(self._out.output_latency * rate)
        self._out.start()

    def stop(self) -> None:
        """Stop and close it; the stream's callback must not write any more."""
        self._out.stop()

    def turn(self, gain_db: float) -> None:
        """Ask for another gain."""
        self._memory.record["gain"] = db_to_gain(gain_db)

    @property
    def error(self) -> BaseException | None:
        """Set when the device ended by itself."""
        return self._out.error
