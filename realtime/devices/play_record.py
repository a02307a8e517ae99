"""Play a sound through a device once and keep all that its input hears meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError
from ..native.intrinsics import view_f32, view_i64
from ..native.late_numba import cfunc, types

Array = npt.NDArray[np.float32]
SIGNAL, TAPE, LENGTH, POSITION, IN_WIDTH, OUT_WIDTH, COLUMN, LOST, N_SLOTS = range(9)
TROUBLE = 1 | 2 | 4 | 8  # PortAudio's flags of sound lost, coming or going
PATIENCE = 5.0  # seconds without a callback


class Duplex(Protocol):
    """A device that plays and records; see :mod:`realtime.devices.one_card`."""

    name: str
    in_channels: int
    out_channels: int

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Open it, to call `callback` with `record`."""
        ...

    def start(self) -> None:
        """Start it."""
        ...

    def stop(self) -> None:
        """Stop and close it."""
        ...

    @property
    def active(self) -> bool:
        """Whether it still calls back."""
        ...

    @property
    def error(self) -> BaseException | None:
        """What ended it early."""
        ...


@cache
def _callback() -> Any:
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def play_record(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        s = view_i64(record, N_SLOTS)
        n, position, inside, outside = types.int64(frames), s[POSITION], s[IN_WIDTH], s[OUT_WIDTH]
        if flags & TROUBLE and position > 0 and position < s[LENGTH]:
            s[LOST] += 1
        signal = view_f32(s[SIGNAL], s[LENGTH])
        tape = view_f32(s[TAPE], (s[LENGTH], inside))
        out, heard = view_f32(target, (n, outside)), view_f32(source, (n, inside))
        for i in range(n):
            at = position + i
            sample = signal[at] if at < s[LENGTH] else np.float32(0.0)
            for c in range(outside):
                here = s[COLUMN] == c or (s[COLUMN] < 0 and c < 2)
                out[i, c] = sample if here else np.float32(0.0)
            if at < s[LENGTH]:
                for c in range(inside):
                    tape[at, c] = heard[i, c]
        s[POSITION] = position + n
        return 0

    return play_record


def play_and_record(
    device: Duplex,
    signal: Array,
    tail: int,
    column: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Play ``signal [n]`` and record every input channel from its first sample on.

    Parameters
    ----------
    tail : int [samples]
        How much longer is recorded.
    column : int or None
        Output channel from 0; None plays on the first two.
    progress : callable of (samples done, samples in all)

    Returns
    -------
    ndarray [shape=(channels, n + tail), float32]

    Raises
    ------
    DeviceError
        The device stops, or loses sound.
    """
    if not device.in_channels or not device.out_channels:
        raise DeviceError(f"{device.name} must have an input and an output to capture through")
    if column is not None and not 0 <= column < device.out_channels:
        raise DeviceError(
            f"{device.name} has {device.out_channels} output channels; there is no {column + 1}"
        )
    played = np.concatenate([signal, np.zeros(tail)]).astype(np.float32)
    tape = np.zeros((len(played), device.in_channels), dtype=np.float32)
    slots = np.zeros(N_SLOTS, dtype=np.int64)
    slots[SIGNAL], slots[TAPE], slots[LENGTH] = played.ctypes.data, tape.ctypes.data, len(played)
    slots[IN_WIDTH], slots[OUT_WIDTH] = tape.shape[1], device.out_channels
    slots[COLUMN] = -1 if column is None else column
    device.open(int(_callback().address), int(slots.ctypes.data), False)
    device.start()
    try:
        seen, since = -1, time.monotonic()
        while slots[POSITION] < len(played):
            if slots[POSITION] != seen:
                seen, since = int(slots[POSITION]), time.monotonic()
            if time.monotonic() - since > PATIENCE or not device.active:
                break
            if progress is not None:
                progress(min(seen, len(played)), len(played))
            time.sleep(0.02)
        error = device.error
    finally:
        device.stop()
    if slots[POSITION] < len(played):
        raise DeviceError(
            f"{device.name} stopped after {slots[POSITION]} of {len(played)} samples"
            f"{f' ({error})' if error else ''}; nothing was written, try again"
        )
    if slots[LOST]:
        raise DeviceError(
            f"{device.name} lost sound {slots[LOST]} times (xruns); take a larger --block, close"
            " other programs, and try again"
        )
    return np.ascontiguousarray(tape.T)
