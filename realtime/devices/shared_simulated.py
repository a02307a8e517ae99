"""A simulated sound card in shared memory: it keeps its place and its sound when an engine dies.

The control process owns the tape; the engine process plays from it and onto it, paced by the clock
since the tape was started, so that a restarted engine goes on where a real card would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError
from ..native.intrinsics import clock_address, monotonic_ns
from ..native.late_numba import njit
from ..native.shared import Shared
from .driven import POSITION as _POSITION
from .driven import STOP as _STOP
from .simulated import HOLD, NEVER, SimulatedDevice

Array = npt.NDArray[np.float32]
# int64 slots of the header
IN_WIDTH, OUT_WIDTH, LENGTH, RATE, SIZES, PACED, STARTED_NS, CONTROL, HEADER = *range(7), 8, 16


class Tape:
    """Sound in and out ``[samples, channels]`` with the card's properties.

    Parameters
    ----------
    name : str, optional
        Of a tape another process made.
    """

    def __init__(self, name: str) -> None:
        self.memory = Shared(name)
        self._view()

    @classmethod
    def make(
        cls,
        signal: Array,
        sample_rate: int,
        block_size: int | Sequence[int],
        *,
        out_channels: int | None = None,
        paced: bool = True,
    ) -> Tape:
        """Make a tape that plays ``signal [shape=(channels, n)]``."""
        signal = np.atleast_2d(np.asarray(signal, dtype=np.float32))
        channels, length = signal.shape
        sizes = [block_size] if isinstance(block_size, int) else list(block_size)
        if length == 0 or not sizes or min(sizes) < 1:
            raise DeviceError("a tape needs sound to play and blocks of at least 1 sample")
        width = out_channels or channels
        size = 8 * (HEADER + len(sizes)) + 4 * length * (channels + width)
        made = cls.__new__(cls)
        made.memory = Shared(size=size)
        made.header = np.frombuffer(made.memory.buf, dtype=np.int64, count=HEADER)
        made.header[:STARTED_NS] = (channels, width, length, sample_rate, len(sizes), paced)
        made.header[CONTROL + HOLD] = NEVER
        made._view()
        made.sizes[...] = sizes
        made.input[...] = signal.T
        return made

    def _view(self) -> None:
        self.header = np.frombuffer(self.memory.buf, dtype=np.int64, count=HEADER)
        channels, width, length = (int(v) for v in self.header[:RATE])
        many = int(self.header[SIZES])
        self.sizes = np.frombuffer(self.memory.buf, np.int64, count=many, offset=8 * HEADER)
        start = 8 * (HEADER + many)
        flat = np.frombuffer(
            self.memory.buf, dtype=np.float32, count=length * (channels + width), offset=start
        )
        self.input = flat[: length * channels].reshape(length, channels)
        self.output = flat[length * channels :].reshape(length, width)

    @property
    def name(self) -> str:
        """What another process opens it by."""
        return self.memory.name

    @property
    def position(self) -> int:
        """Samples played so far."""
        return int(self.header[CONTROL + _POSITION])

    @property
    def recording(self) -> Array:
        """What the "loudspeaker" played so far ``[channels, n]`` (a copy)."""
        return np.ascontiguousarray(self.output[: self.position].T)

    def hold(self, position: int | None) -> None:
        """Virtual time: wait before the first block from `position` on; None runs on."""
        self.header[CONTROL + HOLD] = NEVER if position is None else position

    def place(self) -> None:
        """Go to where a real card would be by now: the next block that is still to be played."""
        now, header = _now_ns(), self.header
        header[CONTROL + _STOP] = 0
        if not header[STARTED_NS]:
            header[STARTED_NS] = now
        elif header[PACED]:
            block = int(self.sizes[0])
            played = int((now - header[STARTED_NS]) * 1e-9 * header[RATE]) // block
            position = max(self.position, (played + 1) * block)
            header[CONTROL + _POSITION] = min(position, header[LENGTH])

    def close(self) -> None:
        """Give the memory back."""
        self.header = self.sizes = self.input = self.output = np.zeros(0)  # type: ignore[assignment]
        self.memory.release()


@njit(nogil=True, error_model="numpy", cache=True)
def _clock(clock):  # type: ignore[no-untyped-def]
    return monotonic_ns(clock)


def _now_ns() -> int:
    """The very clock the driving loop reads."""
    return int(_clock(clock_address()))


class TapeDevice(SimulatedDevice):
    """A simulated device that plays a :class:`Tape` and goes on where the tape is.

    Parameters
    ----------
    tape : Tape
        Kept open as long as the device.
    """

    def __init__(self, tape: Tape) -> None:
        header = tape.header
        super().__init__(
            np.zeros((int(header[IN_WIDTH]), 1), dtype=np.float32),
            int(header[RATE]),
            [int(n) for n in tape.sizes],
            paced=bool(header[PACED]),
            out_channels=int(header[OUT_WIDTH]),
        )
        self.tape, self.length = tape, int(header[LENGTH])
        self.name = "simulated sound card"

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Take the tape's place in time; there is no tail, a card does not know its end."""
        self.tape.place()
        self._in, self._out = self.tape.input, self.tape.output
        self._control = self.tape.header[CONTROL : CONTROL + 3]
        self._begun = int(self.tape.header[STARTED_NS])
        self._arguments = (callback, record, lockstep and not self.paced)
