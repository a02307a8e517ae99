"""Timed parameter events: a lock-free single-producer single-consumer queue in flat memory.

An event is four numbers: the stream position it is for [samples], whom it is for, which parameter,
and the value.  The queue holds no address, so it may lie in memory shared between processes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from .intrinsics import load_acquire, store_release, view_f64, view_i64
from .late_numba import njit

# int64 slots of the header; the two positions lie on cache lines of their own
CAPACITY, WRITTEN, READ, HEADER = 0, 16, 32, 48
TIME, TARGET, SLOT, VALUE, WIDTH = 0, 1, 2, 3, 4

BYPASS, MUTE = -1, -10  # numbers: of the whole stream, where the target is 0


@njit(nogil=True, error_model="numpy", cache=True)
def pending(queue):  # type: ignore[no-untyped-def]
    """Events that wait in the queue at address `queue`."""
    return load_acquire(queue + 8 * WRITTEN) - load_acquire(queue + 8 * READ)


@njit(nogil=True, error_model="numpy", cache=True)
def room(queue):  # type: ignore[no-untyped-def]
    """Events the queue at address `queue` can still take."""
    return view_i64(queue, HEADER)[CAPACITY] - pending(queue)


@njit(nogil=True, error_model="numpy", cache=True)
def push(queue, time, target, slot, value):  # type: ignore[no-untyped-def]
    """Append an event (producer's side); return 0 when there is no room."""
    capacity = view_i64(queue, HEADER)[CAPACITY]
    written = load_acquire(queue + 8 * WRITTEN)
    if written - load_acquire(queue + 8 * READ) >= capacity:
        return 0
    row = view_f64(queue + 8 * HEADER, (capacity, WIDTH))[written & (capacity - 1)]
    row[TIME], row[TARGET], row[SLOT], row[VALUE] = time, target, slot, value
    store_release(queue + 8 * WRITTEN, written + 1)
    return 1


@njit(nogil=True, error_model="numpy", cache=True)
def given(queue):  # type: ignore[no-untyped-def]
    """Events ever put into the queue at address `queue`."""
    return load_acquire(queue + 8 * WRITTEN)


@njit(nogil=True, error_model="numpy", cache=True)
def taken(queue):  # type: ignore[no-untyped-def]
    """Events ever taken off it."""
    return load_acquire(queue + 8 * READ)


@njit(nogil=True, error_model="numpy", cache=True)
def at(queue, number):  # type: ignore[no-untyped-def]
    """View event `number` ``[WIDTH]``, counted as :func:`given` does.

    The producer may look at any that it has not written over; the consumer at those that wait.
    """
    capacity = view_i64(queue, HEADER)[CAPACITY]
    return view_f64(queue + 8 * HEADER, (capacity, WIDTH))[number & (capacity - 1)]


@njit(nogil=True, error_model="numpy", cache=True)
def first(queue):  # type: ignore[no-untyped-def]
    """View the oldest event ``[WIDTH]`` (consumer's side; only where one is pending)."""
    return at(queue, taken(queue))


@njit(nogil=True, error_model="numpy", cache=True)
def drop(queue):  # type: ignore[no-untyped-def]
    """Take the oldest event off (consumer's side)."""
    store_release(queue + 8 * READ, load_acquire(queue + 8 * READ) + 1)


class EventQueue:
    """Owner, or user, of a queue's memory; the kernels above take :attr:`address`.

    Parameters
    ----------
    capacity : int
        Events it holds; a power of two.
    memory : buffer, optional
        Shared memory of at least :meth:`size` bytes; the first to use it finds it zeroed.
    """

    def __init__(self, capacity: int = 1024, memory: memoryview | None = None) -> None:
        if capacity < 1 or capacity & (capacity - 1):
            raise ConfigError(f"an event queue's capacity is a power of two, got {capacity}")
        words = HEADER + WIDTH * capacity
        if memory is None:
            self._words: npt.NDArray[np.int64] = np.zeros(words, dtype=np.int64)
        else:
            self._words = np.frombuffer(memory, dtype=np.int64, count=words)
        self._words[CAPACITY] = capacity
        self.address = int(self._words.ctypes.data)

    @staticmethod
    def size(capacity: int) -> int:
        """Bytes of shared memory needed."""
        return 8 * (HEADER + WIDTH * capacity)

    def __len__(self) -> int:
        return int(pending(self.address))

    @property
    def marks(self) -> tuple[int, int]:
        """Events ever taken off and put in: equal ones say that nothing happened between."""
        return taken(self.address), given(self.address)

    def push(self, time: float, target: int, slot: int, value: float) -> bool:
        """Append an event; False when the queue is full."""
        return bool(push(self.address, float(time), float(target), float(slot), float(value)))

    def waiting(self) -> list[tuple[float, int, int, float]]:
        """Events that nobody has taken yet, oldest first; they stay (any thread)."""
        rows = self._words[HEADER:].view(np.float64).reshape(-1, WIDTH)
        read, written = int(self._words[READ]), int(self._words[WRITTEN])
        found = [rows[i & (len(rows) - 1)] for i in range(read, written)]
        return [(float(t), int(whom), int(number), float(v)) for t, whom, number, v in found]

    def take_until(self, position: float = np.inf) -> list[tuple[float, int, int, float]]:
        """Events not later than `position`, oldest first, taken off the queue."""
        found = []
        while len(self):
            time, target, slot, value = (float(v) for v in first(self.address))
            if time > position:
                break
            found.append((time, int(target), int(slot), value))
            drop(self.address)
        return found
