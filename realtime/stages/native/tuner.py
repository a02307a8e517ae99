"""Tuner: passes the sound as it is, or mutes it, and tells its pitch.

The audio thread writes the sound into a ring and nothing more; whoever asks for
:meth:`Tap.readings` (the engine's pulse, a hundred times a second) looks for the pitch there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...dsp.dynamics import towards
from ...dsp.pitch import find_pitch, make_hearing, sound_needed
from ...native.intrinsics import load_acquire, store_release, view_f32
from ...native.late_numba import cfunc, njit, types
from ...native.records import F32, FLOAT, INT, Array, Table
from ...parameters.parameter import Parameter
from .common import Common
from .record import STEP, values, view_effect
from .stage import Inner, Kind

MUTE, REFERENCE = 0, 1  # places of the parameters
MUTE_SECONDS = 0.01
LOOK_SECONDS, HOLD_SECONDS = 0.018, 0.35  # between two looks; that a pitch is shown on
A4 = 69  # number of the note A4

TAP = Table(
    "tap", gain=FLOAT, slope=FLOAT, written=INT, length=INT, ring=Array(F32, "length"),
)  # fmt: skip
view_tap = TAP.view
_ring = TAP.array("ring")
WRITTEN = TAP.offset("written")


@njit(nogil=True, error_model="numpy", cache=True)
def _listen(t, address, block):  # type: ignore[no-untyped-def]
    """Write the mean of all channels into the ring."""
    ring, at, mask = _ring(t), t.written, t.length - 1
    share = np.float32(1.0 / block.shape[0])
    for i in range(block.shape[1]):
        total = np.float32(0.0)
        for c in range(block.shape[0]):
            total += block[c, i]
        ring[(at + i) & mask] = share * total
    store_release(address + WRITTEN, at + block.shape[1])


@njit(nogil=True, error_model="numpy", cache=True)
def _mute(t, block, goal):  # type: ignore[no-untyped-def]
    """Fade out, or in again."""
    if t.gain == goal == 1.0:
        return
    gain = t.gain
    for i in range(block.shape[1]):
        gain = towards(gain, goal, t.slope)
        for c in range(block.shape[0]):
            block[c, i] *= np.float32(gain)
    t.gain = gain


@cache
def tuner_step() -> Any:
    """Tuner."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def tuner(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        t, block = view_tap(e.inner), view_f32(block_address, (e.channels, n))
        _listen(t, e.inner, block)
        goal = 0.0 if values(e)[MUTE] >= 0.5 else 1.0
        if e.begun == 0:
            t.gain, e.begun = goal, 1
        _mute(t, block, goal)
        return 0

    return tuner


@cache
def tuner_reset() -> Any:
    """C function ``reset(record) -> 0``."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def reset(address):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        _ring(view_tap(e.inner))[...] = 0.0
        e.begun = 0
        return 0

    return reset


@njit(nogil=True, error_model="numpy", cache=True)
def _look(tap_address, hearing_address):  # type: ignore[no-untyped-def]
    end = load_acquire(tap_address + WRITTEN)
    find_pitch(_ring(view_tap(tap_address)), end, hearing_address)


class Tap(Inner):
    """The ring, and what is heard in it; see :class:`realtime.stages.native.stage.Inner`."""

    level = 0.0

    def __init__(self, sample_rate: int) -> None:
        self._hearing = make_hearing(sample_rate)
        # as much again may be written while it is read
        length = 1 << int(1.5 * sound_needed(self._hearing)).bit_length()
        self._tap = TAP.make(gain=1.0, slope=1.0 / (MUTE_SECONDS * sample_rate), length=length)
        self.address = self._tap.address
        self._looked, self._seen, self._heard, self._hertz = 0.0, 0, 0.0, 0.0
        _look(self.address, self._hearing.address)  # compiles it

    def readings(self, values: Sequence[float]) -> Mapping[str, float]:
        """``tuner_hz`` (0 where there is no pitch), the nearest note's number, and cents from it.

        Anyone but the audio thread may ask; the pitch is looked for now and then.
        """
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._take(now)
        return note_of(self._hertz, float(values[REFERENCE]))

    def _take(self, now: float) -> None:
        if int(self._tap["written"]) == self._seen:  # no sound comes
            self._hertz = 0.0
            return
        self._seen = int(self._tap["written"])
        _look(self.address, self._hearing.address)
        found = float(self._hearing["hertz"])
        if found:
            self._heard, self._hertz = now, found
        elif now - self._heard > HOLD_SECONDS:
            self._hertz = 0.0


def note_of(hertz: float, reference: float) -> dict[str, float]:
    """A pitch as readings of the tuner: the note's number (A4 is 69) and how many cents above."""
    if hertz <= 0.0:
        return {"tuner_hz": 0.0, "tuner_note": 0.0, "tuner_cents": 0.0}
    number = A4 + 12.0 * math.log2(hertz / reference)
    note = round(number)
    return {"tuner_hz": hertz, "tuner_note": float(note), "tuner_cents": 100.0 * (number - note)}


def make_tap(
    sample_rate: int, channels: int, parameters: Sequence[Parameter], common: Common, identity: int
) -> Tap:
    """See :class:`realtime.stages.native.stage.Kind`."""
    return Tap(sample_rate)


TUNER = {"Tuner": Kind(tuner_step, 0, inner=make_tap, reset=tuner_reset)}
