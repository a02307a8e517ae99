"""Metronome: adds a click to the sound, and tells the stream's other stages where the beats lie.

A beat is a whole number of samples, so that what is cut by the beat never drifts; the tempo is
right to half a sample a beat (17 in a million at 100 bpm, less than a sound card's own clock is
off).  A click is a function of the position alone, and so the same however the sound is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from ...native.records import F32, FLOAT, INT, Array, Table
from ...parameters.parameter import Parameter
from .common import Common, is_running, view_beat
from .record import (
    STEP,
    arrive,
    decibels,
    depart,
    goal,
    now,
    position,
    renewed,
    slope,
    values,
    view_effect,
)
from .stage import Inner, Kind

PLAY, TEMPO, BEATS, LEVEL = 0, 1, 2, 3  # places of the parameters
CLICK_SECONDS, FADE_SECONDS = 0.03, 0.006  # a click, and in which it fades by 60 dB times 2 / 3
CLICK_HZ = (1760.0, 1320.0)  # of a bar's first beat, and of the others

CLICK = Table(
    "click", beat=INT, rate=FLOAT, taps=INT, sound=Array(F32, "2, taps"),
)  # fmt: skip
view_click = CLICK.view
_sound = CLICK.array("sound")


@njit(nogil=True, error_model="numpy", cache=True)
def _keep_time(b, at, plays, length, bar):  # type: ignore[no-untyped-def]
    """Begin at `at`, or go on; a new tempo holds from the last beat on."""
    b.bar = bar
    if not plays:
        b.running = 0
    elif not is_running(b, at):
        b.running, b.origin, b.length = 1, at, length
    elif length != b.length:
        beat = (at - b.origin) // b.length
        last = b.origin + beat * b.length
        next_beat = max(last + length, at)
        b.origin, b.length = next_beat - (beat + 1) * length, length


@njit(nogil=True, error_model="numpy", cache=True)
def _add(m, b, block, at, start, step):  # type: ignore[no-untyped-def]
    sound = _sound(m)
    if b.length <= 0 or (start == 0.0 and step == 0.0):
        return
    done, n = 0, block.shape[1]
    while done < n:  # beat by beat
        beat = (at + done - b.origin) // b.length
        inside = at + done - b.origin - beat * b.length
        kind = 0 if beat % b.bar == 0 else 1
        count = min(n - done, b.length - inside)
        for i in range(done, done + max(0, min(count, m.taps - inside))):
            click = np.float32((start + step * (i + 1)) * sound[kind, inside + i - done])
            for c in range(block.shape[0]):
                block[c, i] += click
        done += count


@cache
def metronome_step() -> Any:
    """Metronome."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def metronome(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p, m = values(e), view_click(e.inner)
        b, at = view_beat(m.beat), position(e, n)
        if at < 0:  # a path that is tried out before it plays
            return 0
        tempo = np.rint(1000.0 * float(p[TEMPO])) / 1000.0
        length = max(1, int(np.rint(60.0 * m.rate / tempo)))
        plays = p[PLAY] >= 0.5
        _keep_time(b, at, plays, length, max(1, int(np.rint(p[BEATS]))))
        if renewed(e):
            goal(e)[0] = decibels(p[LEVEL]) if plays else 0.0
        depart(e, n)
        _add(m, b, view_f32(block_address, (e.channels, n)), at, now(e)[0], slope(e)[0])
        arrive(e)
        b.until = at + n
        return 0

    return metronome


class Click(Inner):
    """Both sounds of a metronome; see :class:`realtime.stages.native.stage.Inner`."""

    level = 0.0

    def __init__(self, sample_rate: int, common: Common) -> None:
        self._beat = common.beat(sample_rate)
        taps = int(CLICK_SECONDS * sample_rate)
        self._record = CLICK.make(beat=self._beat.address, rate=float(sample_rate), taps=taps)
        self.address = self._record.address
        t = np.arange(taps) / sample_rate
        fade = np.exp(-t / FADE_SECONDS) * np.minimum(1.0, np.arange(taps, 0, -1) / 64.0)
        for kind, hertz in enumerate(CLICK_HZ):
            self._record.arrays["sound"][kind] = fade * np.sin(2.0 * np.pi * hertz * t)

    def readings(self, values: Sequence[float]) -> Mapping[str, float]:
        """``beat``, from 1 within the bar; 0 while it rests."""
        b = self._beat
        if not b["running"] or not b["length"]:
            return {"beat": 0.0}
        passed = (int(b["until"]) - int(b["origin"])) // int(b["length"])
        return {"beat": float(passed % max(1, int(b["bar"])) + 1)}


def make_click(
    sample_rate: int, channels: int, parameters: Sequence[Parameter], common: Common, identity: int
) -> Click:
    """See :class:`realtime.stages.native.stage.Kind`."""
    return Click(sample_rate, common)


METRONOME = {"Metronome": Kind(metronome_step, 1, inner=make_click)}
