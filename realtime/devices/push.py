"""A device that is pushed: whoever has a block calls the stream with it and gets one back.

It drives the very callback a sound card would, in virtual time, in the caller's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..dsp.drift_record import Drift
from ..errors import DeviceError
from ..native.intrinsics import call_stream
from ..native.late_numba import njit

Array = npt.NDArray[np.float32]


@njit(nogil=True, error_model="numpy", cache=True)
def _call(callback, record, source, target, n):  # type: ignore[no-untyped-def]
    """Call the stream once, without the global lock."""
    call_stream(callback, (source, target, n, 0, 0, record))


class PushDevice:
    """Blocks by call.

    Parameters
    ----------
    sample_rate : int [Hz]
    block_size : int [samples]
    channels : int
        In and out.
    """

    paced = False
    drift: Drift | None = None
    input_latency = output_latency = 0
    name = "stream"
    error: BaseException | None = None

    def __init__(self, sample_rate: int, block_size: int, channels: int) -> None:
        if min(sample_rate, block_size, channels) < 1:
            raise DeviceError("a stream needs a rate, a block and channels of at least 1")
        self.sample_rate = sample_rate
        self.block_size: int | None = block_size
        self.largest_block = block_size
        self.in_channels = self.out_channels = channels
        self._out: Array = np.zeros((block_size, channels), dtype=np.float32)
        self._callback = self._record = 0

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Remember whom to call."""
        self._callback, self._record = callback, record

    def start(self) -> None:
        """Nothing to start: the caller drives."""

    def stop(self) -> None:
        """Nothing to stop."""
        self._callback = 0

    @property
    def active(self) -> bool:
        """Whether it may be pushed."""
        return self._callback != 0

    def push(self, block: Array) -> Array:
        """Play ``block [shape=(block_size, channels), float32]``, interleaved as by a card.

        Returns
        -------
        ndarray [shape=(block_size, channels), float32]
            The device's own; overwritten by the next call.
        """
        block = np.ascontiguousarray(block, dtype=np.float32)
        if block.shape != self._out.shape or not self.active:
            raise DeviceError(
                f"a stream takes blocks of shape {self._out.shape}, got {block.shape}"
            )
        _call(
            self._callback, self._record, block.ctypes.data, self._out.ctypes.data, block.shape[0]
        )
        return self._out
