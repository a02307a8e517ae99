"""Streaming conversion by a fixed rational ratio, for models whose rate is not the device's.

Output sample `k` is the input's value at ``(k * down - delay) / up`` input samples, in integers: it
never drifts and depends on nothing but the samples before it, so the bits are the same however the
stream is cut into blocks.  After `n` input samples exactly ``ceil(n * up / down)`` have come out.
Filter and source of the method: :mod:`realtime.dsp.sinc`.
"""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..native.intrinsics import pointer_to, view_f32
from ..native.late_numba import carray, njit
from .sinc import at_phase, design, make_table

Array = npt.NDArray[np.float32]
Snapshot = tuple[npt.NDArray[np.void], Array]
MOST_PHASES = 2048

RESAMPLER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "channels", "up", "down", "delay", "taps", "table", "capacity", "history", "room",
            # positions: samples taken in and given out, and where the next one lies
            "taken", "given", "index", "phase",
        )
    ]
)  # fmt: skip
_pointer_resampler = pointer_to(RESAMPLER)


@njit(inline="always")
def view_resampler(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_resampler(address), 1)[0]


@njit(nogil=True, error_model="numpy", cache=True)
def push(r, x, offset, n):  # type: ignore[no-untyped-def]
    """Take ``x[:, offset : offset + n]`` in, `n` at most ``r.room`` between two pulls."""
    history = view_f32(r.history, (r.channels, r.capacity))
    for c in range(r.channels):
        for i in range(n):
            history[c, (r.taken + i) & (r.capacity - 1)] = x[c, offset + i]
    r.taken += n


@njit(nogil=True, error_model="numpy", cache=True)
def pull(r, y, offset, n):  # type: ignore[no-untyped-def]
    """Write up to `n` samples to ``y[:, offset:]``; return how many the input was enough for."""
    history = view_f32(r.history, (r.channels, r.capacity))
    table = view_f32(r.table, (r.up + 1, r.taps))
    whole, rest = r.down // r.up, r.down % r.up
    done = 0
    while done < n and r.index + r.taps // 2 < r.taken:
        for c in range(r.channels):
            y[c, offset + done] = at_phase(table, r.phase, history, c, r.index)
        r.index += whole
        r.phase += rest
        if r.phase >= r.up:
            r.phase -= r.up
            r.index += 1
        done += 1
    r.given += done
    return done


@njit(nogil=True, error_model="numpy", cache=True)
def process(r, x, n, y):  # type: ignore[no-untyped-def]
    """Convert `n` samples; return how many were written.

    Parameters
    ----------
    r : record
        :data:`RESAMPLER`.
    x : ndarray [shape=(channels, >= n), float32]
    n : int [input samples]
        Any number.
    y : ndarray [shape=(channels, >= ceil(n * up / down)), float32]
        Written; owned by the caller.
    """
    done, out = 0, 0
    while done < n:
        part = min(n - done, r.room)
        push(r, x, done, part)
        done += part
        due = -((-r.taken * r.up) // r.down) - r.given
        out += pull(r, y, out, due)
    return out


@njit(nogil=True, error_model="numpy", cache=True)
def process_block(address, x, y):  # type: ignore[no-untyped-def]
    """:func:`process` for Python callers (releases the GIL)."""
    return process(view_resampler(address), x, x.shape[1], y)


class Resampler:
    """Owner of one converter's memory; the kernels above take ``view_resampler(address)``.

    Parameters
    ----------
    in_rate, out_rate : int [Hz]
    channels : int
    delay : int or None [ticks]
        A tick is 1 / lcm(in_rate, out_rate) seconds.  None: the least that makes
        :attr:`latency` a whole number.
    room : int [input samples]
        The most that may be pushed between two pulls; :func:`process` takes any number.

    Raises
    ------
    ConfigError
        For rates, channels or delays that cannot be served.
    """

    def __init__(
        self,
        in_rate: int,
        out_rate: int,
        channels: int,
        delay: int | None = None,
        room: int = 4096,
    ) -> None:
        shape = design(in_rate, out_rate)
        common = gcd(in_rate, out_rate)
        up, down = out_rate // common, in_rate // common
        if up > MOST_PHASES:
            raise ConfigError(
                f"{in_rate} Hz to {out_rate} Hz is the ratio {up}/{down}, which needs a table of"
                f" {up} phases where {MOST_PHASES} are possible; choose rates with a larger common"
                " divisor, 44100 and 48000 for example"
            )
        if channels < 1 or room < 1:
            raise ConfigError(
                f"a resampler needs at least 1 channel and room for 1 sample, got {channels}"
                f" channels and room for {room}"
            )
        least = shape.half * up - down + 1  # the newest sample that an output needs has just come
        self.delay = -(-shape.half * up // down) * down if delay is None else delay
        if self.delay < least:
            raise ConfigError(
                f"{in_rate} Hz to {out_rate} Hz takes a delay of at least {least} ticks of"
                f" 1/{in_rate * up} s, got {self.delay}"
            )
        self.in_rate, self.out_rate, self.channels, self.filter = in_rate, out_rate, channels, shape
        self._table = make_table(shape, up)
        capacity = 1 << (room + shape.taps + 2 * (self.delay // up) + 2).bit_length()
        self._history: Array = np.zeros((channels, capacity), dtype=np.float32)
        self._record = np.zeros(1, dtype=RESAMPLER)
        self.record = self._record[0]
        self.address = int(self._record.ctypes.data)
        r = self.record
        r["channels"], r["up"], r["down"], r["delay"] = channels, up, down, self.delay
        r["taps"], r["table"] = shape.taps, self._table.ctypes.data
        r["capacity"], r["history"], r["room"] = capacity, self._history.ctypes.data, room
        self.reset()

    @property
    def latency(self) -> float:
        """Delay in output samples, an integer unless `delay` was given."""
        return self.delay / int(self.record["down"])

    def most(self, samples: int) -> int:
        """Return how many samples at most :func:`process` writes for so many."""
        return -(-samples * int(self.record["up"]) // int(self.record["down"]))

    def process(self, x: Array) -> Array:
        """Convert ``x [shape=(channels, n)]``; a new array (the callback uses the kernel)."""
        y = np.empty((self.channels, self.most(x.shape[1])), dtype=np.float32)
        return y[:, : process_block(self.address, x, y)]

    def snapshot(self) -> Snapshot:
        """Copy the state."""
        return self._record.copy(), self._history.copy()

    def restore(self, state: Snapshot) -> None:
        """Return to a :meth:`snapshot` of this object."""
        self._record[:], self._history[:] = state

    def reset(self) -> None:
        """Return to silence and to the first sample."""
        r = self.record
        r["taken"], r["given"] = 0, 0
        r["index"], r["phase"] = divmod(-self.delay, int(r["up"]))
        self._history.fill(0.0)
