"""A delay whose length may change while sound runs: the new tap fades in over the old one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..native.late_numba import njit

F32 = np.float32
Array = npt.NDArray[np.float32]
TAP_FADE = 512  # samples of the crossfade from one delay to another

# slots of the int64 state
POSITION, NOW, NEXT, FADED, DELAY_STATE = 0, 1, 2, 3, 4


@njit(nogil=True, error_model="numpy", cache=True)
def _constant_delay(x, line, state, y):  # type: ignore[no-untyped-def]
    """Delay a block by what is in force, in stretches that need no look at the line's end.

    A stretch is written to the line before it is read from it, or the other way round where the
    delay fills most of the line: in both orders it may be as long as no sample meets another's
    place.
    """
    capacity, delay, n = line.shape[1], state[NOW], x.shape[1]
    read_first = delay > capacity - delay
    longest = max(delay, capacity - delay)
    done = 0
    while done < n:
        to = state[POSITION]
        at = to - delay if to >= delay else to - delay + capacity
        k = min(min(n - done, longest), capacity - max(to, at))
        for c in range(x.shape[0]):
            if read_first:
                for i in range(k):
                    y[c, done + i] = line[c, at + i]
            for i in range(k):
                line[c, to + i] = x[c, done + i]
            if not read_first:
                for i in range(k):
                    y[c, done + i] = line[c, at + i]
        state[POSITION] = to + k if to + k < capacity else 0
        done += k


@njit(nogil=True, error_model="numpy", cache=True)
def moving_delay(x, line, state, wanted, y):  # type: ignore[no-untyped-def]
    """Delay a block by `wanted` samples, reaching a new `wanted` by a crossfade of the two taps.

    Parameters
    ----------
    x, y : ndarray [shape=(channels, n), float32]
        Input, and output to write; must not be the same memory.
    line : ndarray [shape=(channels, capacity), float32]
        History, circular; a longer delay than its capacity less one gets that.
    state : ndarray [shape=(DELAY_STATE,), int64]
        Where the next sample goes, the delay in force, the one on its way, and how far it is.
    wanted : int [samples]
    """
    capacity = line.shape[1]
    wanted = min(max(wanted, 0), capacity - 1)
    if state[NEXT] == state[NOW]:
        if wanted == state[NOW]:
            _constant_delay(x, line, state, y)
            return
        state[NEXT], state[FADED] = wanted, 0
    for i in range(x.shape[1]):
        at = state[POSITION]
        now, later = at - state[NOW], at - state[NEXT]
        if now < 0:
            now += capacity
        if later < 0:
            later += capacity
        g = F32(state[FADED]) / F32(TAP_FADE)
        for c in range(x.shape[0]):
            line[c, at] = x[c, i]
            if state[NEXT] == state[NOW]:
                y[c, i] = line[c, now]
            else:
                y[c, i] = (F32(1.0) - g) * line[c, now] + g * line[c, later]
        if state[NEXT] != state[NOW]:
            state[FADED] += 1
            if state[FADED] >= TAP_FADE:
                state[NOW] = state[NEXT]
        state[POSITION] = at + 1 if at + 1 < capacity else 0


@njit(nogil=True, error_model="numpy", cache=True)
def store_block(x, line, state):  # type: ignore[no-untyped-def]
    """Put a block into the history of a :func:`moving_delay`."""
    capacity, n, done = line.shape[1], x.shape[1], 0
    while done < n:
        to = state[POSITION]
        k = min(n - done, capacity - to)
        for c in range(x.shape[0]):
            for i in range(k):
                line[c, to + i] = x[c, done + i]
        state[POSITION] = to + k if to + k < capacity else 0
        done += k


class MovingDelay:
    """Owner of a :func:`moving_delay`'s memory, for Python callers.

    Parameters
    ----------
    channels : int
    longest : int [samples]
    length : int [samples]
        Delay to start with.
    """

    def __init__(self, channels: int, longest: int, length: int = 0) -> None:
        self.line: Array = np.zeros((channels, longest + 1), dtype=np.float32)
        self.state: npt.NDArray[np.int64] = np.zeros(DELAY_STATE, dtype=np.int64)
        self.length = length
        self.reset()

    def process(self, x: Array) -> Array:
        """Delay ``x [shape=(channels, n)]`` by :attr:`length`; returns a new array."""
        y = np.empty_like(x)
        moving_delay(x, self.line, self.state, self.length, y)
        return y

    def feed(self, x: Array) -> None:
        """Remember `x` and give nothing back; a change of length then needs no fade."""
        self.state[NOW] = self.state[NEXT] = min(self.length, self.line.shape[1] - 1)
        store_block(x, self.line, self.state)

    def reset(self) -> None:
        """Forget the past and take :attr:`length` at once."""
        self.line[...] = 0.0
        self.state[...] = (0, self.length, self.length, 0)
