"""Single-producer single-consumer ring buffer of audio, lock-free and GIL-free.

One thread writes, one reads.  Positions are absolute int64 sample counts that never wrap in
practice (190,000 years at 48 kHz); each is published with release and read with acquire ordering,
so data is visible before its position is.  Words follow PortAudio's pa_ringbuffer.  The
memory holds no address, so that it may be shared between processes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from .intrinsics import load_acquire, store_release, view_f32, view_i64
from .late_numba import njit

# int64 slots of the header; the two positions lie on cache lines of their own
CAPACITY, CHANNELS, WRITTEN, READ, HEADER_SIZE = 0, 1, 16, 32, 48


@njit(nogil=True, error_model="numpy", cache=True)
def read_available(ring):  # type: ignore[no-untyped-def]
    """Samples that can be read from the ring at address `ring`."""
    return load_acquire(ring + 8 * WRITTEN) - load_acquire(ring + 8 * READ)


@njit(nogil=True, error_model="numpy", cache=True)
def write_available(ring):  # type: ignore[no-untyped-def]
    """Samples that can be written to the ring at address `ring`."""
    return view_i64(ring, HEADER_SIZE)[CAPACITY] - read_available(ring)


@njit(nogil=True, error_model="numpy", cache=True)
def write(ring, block, offset, count):  # type: ignore[no-untyped-def]
    """Copy up to `count` samples from ``block[:, offset:]``; return how many went in."""
    header = view_i64(ring, HEADER_SIZE)
    capacity, channels = header[CAPACITY], header[CHANNELS]
    written = load_acquire(ring + 8 * WRITTEN)
    count = min(count, capacity - (written - load_acquire(ring + 8 * READ)))
    data = view_f32(ring + 8 * HEADER_SIZE, (channels, capacity))
    for c in range(channels):
        for i in range(count):
            data[c, (written + i) & (capacity - 1)] = block[c, offset + i]
    store_release(ring + 8 * WRITTEN, written + count)
    return count


@njit(nogil=True, error_model="numpy", cache=True)
def read(ring, block, offset, count):  # type: ignore[no-untyped-def]
    """Copy up to `count` samples into ``block[:, offset:]``; return how many came out."""
    header = view_i64(ring, HEADER_SIZE)
    capacity, channels = header[CAPACITY], header[CHANNELS]
    start = load_acquire(ring + 8 * READ)
    count = min(count, load_acquire(ring + 8 * WRITTEN) - start)
    data = view_f32(ring + 8 * HEADER_SIZE, (channels, capacity))
    for c in range(channels):
        for i in range(count):
            block[c, offset + i] = data[c, (start + i) & (capacity - 1)]
    store_release(ring + 8 * READ, start + count)
    return count


@njit(nogil=True, error_model="numpy", cache=True)
def discard(ring, count):  # type: ignore[no-untyped-def]
    """Skip up to `count` readable samples (reader's side); return how many."""
    start = load_acquire(ring + 8 * READ)
    count = min(count, load_acquire(ring + 8 * WRITTEN) - start)
    store_release(ring + 8 * READ, start + count)
    return count


class Ring:
    """Owner of a ring's memory; the kernels above take :attr:`address`.

    Parameters
    ----------
    channels : int
    capacity : int [samples]
        At least this many; rounded up to a power of two.
    prefill : int [samples]
        Zeros readable from the start: the latency the ring adds.
    position : int [samples]
        Where both counters start; for tests of long runs.
    memory : buffer, optional
        Shared memory of :meth:`size` bytes that another process reads or writes too.
    """

    def __init__(
        self,
        channels: int,
        capacity: int,
        prefill: int = 0,
        position: int = 0,
        memory: memoryview | None = None,
    ) -> None:
        if channels < 1 or capacity < 1 or not 0 <= prefill <= capacity:
            raise ConfigError(
                f"a ring needs channels and capacity of at least 1 and a pre-fill within it, got"
                f" {channels} channels, {capacity} samples, pre-fill {prefill}"
            )
        length = self.size(channels, capacity) // 8
        if memory is None:
            self._words: npt.NDArray[np.int64] = np.empty(length, dtype=np.int64)
        else:
            self._words = np.frombuffer(memory, dtype=np.int64, count=length)
        self._words.fill(0)  # touches every page, so that the callback meets none as the first
        self._words[CAPACITY], self._words[CHANNELS] = _rounded(capacity), channels
        self._words[READ], self._words[WRITTEN] = position, position + prefill
        self.address = int(self._words.ctypes.data)

    @classmethod
    def attach(cls, memory: memoryview) -> Ring:
        """Use a ring that another process made in shared `memory`."""
        made = cls.__new__(cls)
        made._words = np.frombuffer(memory, dtype=np.int64)
        made.address = int(made._words.ctypes.data)
        return made

    @staticmethod
    def size(channels: int, capacity: int) -> int:
        """Bytes a ring takes."""
        return 8 * HEADER_SIZE + 4 * (channels * _rounded(capacity) + 1) // 8 * 8

    @property
    def channels(self) -> int:
        """Channels."""
        return int(self._words[CHANNELS])

    @property
    def capacity(self) -> int:
        """Size in samples, a power of two."""
        return int(self._words[CAPACITY])

    @property
    def read_available(self) -> int:
        """Samples that can be read now."""
        return int(read_available(self.address))

    @property
    def write_available(self) -> int:
        """Samples that can be written now."""
        return int(write_available(self.address))

    def write(self, block: npt.NDArray[np.float32]) -> int:
        """Write ``block [shape=(channels, n)]``; return how many samples went in."""
        return int(write(self.address, block, 0, block.shape[1]))

    def readinto(self, block: npt.NDArray[np.float32]) -> int:
        """Fill ``block [shape=(channels, n)]``; return how many samples came out."""
        return int(read(self.address, block, 0, block.shape[1]))

    def take(self) -> npt.NDArray[np.float32]:
        """Everything that can be read now ``[shape=(channels, n)]``, in a new array."""
        block = np.empty((self.channels, self.read_available), dtype=np.float32)
        self.readinto(block)
        return block


def _rounded(capacity: int) -> int:
    """Round up to a power of two."""
    return 1 << (capacity - 1).bit_length()
