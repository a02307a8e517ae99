"""Looper: records, overdubs and repeats what passes.

A loop is two memories: what was first recorded (the *ground*), and the same with the newest overdub
on it (the *top*), which is filled from the ground a little ahead of where it is played, so that no
block pays for a copy.  Taking an overdub back is a fade from one to the other.

Where a loop stands is a function of the stream's position: a loop of `n` samples is at the same
place after every `n` samples, for ever, and in every path that plays it.

What comes in may be later than it was played, by the way through the device: with `late` samples, a
place of the loop holds what came in so much later than the place was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...dsp.dynamics import towards
from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit, types
from ...native.records import F32, FLOAT, INT, Array, Record, Table
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
    state,
    values,
    view_effect,
)
from .stage import Inner, Kind

RECORD, PLAY, UNDO, CLEAR, LEVEL, QUANTISE, SECONDS, LATE = range(8)  # places of the parameters
EMPTY, WAITING, RECORDING, PLAYING, OVERDUBBING, STOPPED = range(6)  # states
FADE_SECONDS = 0.005  # of everything that begins or ends
COPIED = 2  # samples of the ground that go to the top for each that passes
JUMP = 1 << 17  # samples; where the stream's position falls by more it is another stream's

LOOP = Table(
    "loop",
    channels=INT, room=INT, fade=INT, memory=Array(F32, "2, channels, room + fade"), beat=INT,
    # `length` 0 is an empty loop; place 0 lies at position `origin`; recording began at `start`
    state=INT, length=INT, origin=INT, start=INT,
    # WAITING: what comes at position `due`; for RECORDING: where it is to end, 0 for nowhere
    next=INT, due=INT,
    # which memory is the ground; the top holds places `from` to `from + filled`, if there is one
    ground=INT, layered=INT, since=INT, filled=INT,
    # how much is written (0..1), to the top or the ground; how much is heard, and of the top
    written=FLOAT, to_top=INT, heard=FLOAT, shown=FLOAT, show=FLOAT, slope=FLOAT,
    late=INT,
    # `plays` is the switch; `eager` an overdub that waits until the top is whole; `done` how far
    # the sound has been taken in
    plays=INT, eager=INT, forget=INT, done=INT, shared=INT,
)  # fmt: skip
view_loop = LOOP.view
_memory = LOOP.array("memory")


@njit(inline="always")
def _is_filled(v, place):  # type: ignore[no-untyped-def]
    """Whether the top holds a place of the loop."""
    return v.layered != 0 and (place - v.since) % v.length < v.filled


@njit(inline="always")
def _alike(v, place, most):  # type: ignore[no-untyped-def]
    """Samples from a place on, before the loop's end, that the top holds, or none of them."""
    count = min(most, v.length - place)
    if v.layered == 0 or v.filled == v.length:
        return count
    ahead = (place - v.since) % v.length
    return min(count, (v.filled if ahead < v.filled else v.length) - ahead)


@njit(nogil=True, error_model="numpy", cache=True)
def _fill(v, count):  # type: ignore[no-untyped-def]
    """Copy `count` more samples of the ground to the top."""
    if v.layered == 0 or v.length == 0:
        return
    ground, top = _memory(v)[v.ground], _memory(v)[1 - v.ground]
    count = min(count, v.length - v.filled)
    for c in range(v.channels):
        at = (v.since + v.filled) % v.length
        for _ in range(count):
            top[c, at] = ground[c, at]
            at = at + 1 if at + 1 < v.length else 0
    v.filled += count


@njit(nogil=True, error_model="numpy", cache=True)
def _close(v, length):  # type: ignore[no-untyped-def]
    """Make what was recorded a loop; what was recorded beyond it fades into its beginning."""
    ground = _memory(v)[v.ground]
    beyond = min(max(0, v.done - v.start - length), v.fade)
    for c in range(v.channels):
        for k in range(min(beyond, length)):
            gain = np.float32(1.0 - v.slope * (k + 1))
            ground[c, k] += gain * ground[c, length + k]
    v.written = max(0.0, v.written - v.slope * beyond)
    v.length, v.origin, v.due = length, v.start - v.late, 0
    v.state = PLAYING if v.plays != 0 else STOPPED


@njit(nogil=True, error_model="numpy", cache=True)
def _overdub(v):  # type: ignore[no-untyped-def]
    """Begin an overdub at position ``done``, or once the last one is whole."""
    place = (v.done - v.late - v.origin) % v.length
    on_it = v.layered != 0 and v.show == 1.0
    v.state = OVERDUBBING
    v.eager = 1 if on_it and v.filled < v.length and not _is_filled(v, place) else 0
    if v.eager != 0:
        return
    if not on_it or v.filled == v.length:  # else it goes on with the last one
        if on_it:
            v.ground = 1 - v.ground
        v.layered, v.since, v.filled = 1, place, 0
    v.shown = v.show = 1.0
    v.to_top = 1


@njit(nogil=True, error_model="numpy", cache=True)
def _unit(v, quantise):  # type: ignore[no-untyped-def]
    """Samples that beginnings and lengths are multiples of; 0 for any."""
    b = view_beat(v.beat)
    if quantise < 0.5 or not is_running(b, v.done):
        return 0
    return b.length if quantise < 1.5 else b.length * b.bar


@njit(nogil=True, error_model="numpy", cache=True)
def _await(v, following, unit):  # type: ignore[no-untyped-def]
    """Have a state begin at the next multiple of `unit`."""
    v.state, v.next, v.due = WAITING, following, v.done
    if unit > 0:
        origin = view_beat(v.beat).origin
        v.due = origin - (origin - v.done) // unit * unit


@njit(nogil=True, error_model="numpy", cache=True)
def _end_recording(v, unit):  # type: ignore[no-untyped-def]
    """End at the nearest multiple of `unit`, which may have passed."""
    length = v.done - v.start
    if unit > 0:
        length = max(1, (length + unit // 2) // unit) * unit
    if length > v.room:
        length = v.room // unit * unit if 0 < unit <= v.room else v.room
    length = max(length, 2 * v.fade)
    if v.start + length <= v.done:
        _close(v, length)
    else:
        v.due = v.start + length


@njit(nogil=True, error_model="numpy", cache=True)
def _forget(v):  # type: ignore[no-untyped-def]
    v.state, v.length, v.layered, v.filled, v.due, v.forget, v.eager = EMPTY, 0, 0, 0, 0, 0, 0
    v.written = v.heard = 0.0


@njit(nogil=True, error_model="numpy", cache=True)
def _obey(v, before, p, unit):  # type: ignore[no-untyped-def]
    """Do what the switches that were turned ask for, at position ``done``."""
    record, play = p[RECORD] >= 0.5, p[PLAY] >= 0.5
    v.plays = 1 if play else 0
    resting = PLAYING if play else STOPPED
    if p[CLEAR] >= 0.5 and before[CLEAR] < 0.5:
        if v.length == 0 or v.heard == 0.0:
            _forget(v)
        else:
            v.state, v.forget = STOPPED, 1
    if p[UNDO] >= 0.5 and before[UNDO] < 0.5 and v.layered != 0:
        v.show = 1.0 - v.show
        if v.state == OVERDUBBING:
            v.state = resting
    if record != (before[RECORD] >= 0.5):
        if record and v.forget != 0:
            _forget(v)
        if record and v.length == 0:
            _await(v, RECORDING, unit)
        elif record:
            if v.state != PLAYING:
                v.origin = v.done - v.late
            _overdub(v)
        elif v.state == RECORDING:
            _end_recording(v, unit)
        elif v.state == OVERDUBBING:
            v.state = resting
        elif v.state == WAITING and v.next == RECORDING:
            v.state = EMPTY
    if play != (before[PLAY] >= 0.5):
        if not play and v.state == RECORDING and v.done - v.start < 2 * v.fade:
            _forget(v)
        elif not play and v.state == RECORDING:
            _end_recording(v, 0)
        elif not play and v.state != EMPTY:
            v.state = STOPPED if v.length > 0 else EMPTY
        elif play and v.state == STOPPED and v.forget == 0:
            _await(v, PLAYING, unit)
    for k in range(before.shape[0]):
        before[k] = p[k]


@njit(nogil=True, error_model="numpy", cache=True)
def _until_next(v, most):  # type: ignore[no-untyped-def]
    """Bring about what is due at ``done``; return how many samples pass before the next change."""
    if v.state == WAITING:
        if v.due > v.done:
            return min(most, v.due - v.done)
        if v.next == RECORDING:
            v.start, v.written, v.to_top, v.ground, v.layered = v.done, 0.0, 0, 0, 0
            v.shown = v.show = 0.0
            v.eager = 0
        else:
            v.origin = v.done - v.late
        v.state, v.due = v.next, 0
    if v.state == RECORDING:
        end = v.due if v.due > 0 else v.start + v.room
        if end <= v.done:
            _close(v, end - v.start)
        else:
            return min(most, end - v.done)
    if v.eager != 0:
        if v.state == OVERDUBBING and v.filled < v.length:
            return min(most, (v.length - v.filled + COPIED - 1) // COPIED)
        v.eager = 0
        if v.state == OVERDUBBING:
            _overdub(v)
    return most


@njit(nogil=True, error_model="numpy", cache=True)
def _record(v, block, begin, n):  # type: ignore[no-untyped-def]
    """Take ``block[:, begin : begin + n]`` in at position ``done``."""
    ground, at, gain = _memory(v)[v.ground], v.done - v.start, v.written
    for i in range(n):
        gain = towards(gain, 1.0, v.slope)
        for c in range(v.channels):
            ground[c, at + i] = np.float32(gain) * block[c, begin + i]
    v.written = gain


@njit(nogil=True, error_model="numpy", cache=True)
def _repeat(v, block, at, begin, n, level, step, takes):  # type: ignore[no-untyped-def]
    """Add the loop from position `at` on to ``block[:, begin : begin + n]``; take it in, too."""
    plays = v.state == PLAYING or v.state == OVERDUBBING
    dubs = takes and v.state == OVERDUBBING and v.eager == 0
    writes = takes and (dubs or v.written != 0.0)
    if not plays and not writes and v.heard == 0.0:
        return
    memory, place = _memory(v), (at - v.origin) % v.length
    spot = (at - v.late - v.origin) % v.length  # what comes in belongs there
    ground, top = memory[v.ground], memory[1 - v.ground]
    target = top if v.to_top != 0 else ground
    heard, shown, written = v.heard, v.shown, v.written
    end = begin + n
    while begin < end:
        filled = _is_filled(v, place)
        count = _alike(v, place, min(end - begin, v.length - spot))
        for i in range(count):
            heard = towards(heard, 1.0 if plays else 0.0, v.slope)
            shown = towards(shown, v.show, v.slope)
            gain = np.float32(heard * (level + step * (begin + i + 1)))
            share = np.float32(shown if filled else 0.0)
            if writes:
                written = towards(written, 1.0 if dubs else 0.0, v.slope)
            for c in range(v.channels):
                x, sound = block[c, begin + i], ground[c, place + i]
                if share == np.float32(1.0):
                    sound = top[c, place + i]
                elif share != np.float32(0.0):
                    sound += share * (top[c, place + i] - sound)
                if writes:
                    target[c, spot + i] += np.float32(written) * x
                block[c, begin + i] = x + gain * sound
        begin += count
        place = place + count if place + count < v.length else 0
        spot = spot + count if spot + count < v.length else 0
    v.heard, v.shown = heard, shown
    if writes:
        v.written = written


@cache
def looper_step() -> Any:
    """Looper."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def looper(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p, v, before = values(e), view_loop(e.inner), state(e)[0]
        block, at = view_f32(block_address, (e.channels, n)), position(e, n)
        if at < 0:  # a path that is tried out before it plays
            return 0
        if e.begun == 0:
            for k in range(before.shape[0]):
                before[k] = p[k]
        if renewed(e):
            goal(e)[0] = decibels(p[LEVEL])
        depart(e, n)
        level, step = now(e)[0], slope(e)[0]
        if v.written == 0.0 and v.state != OVERDUBBING:
            v.late = int(np.rint(0.001 * float(p[LATE]) * e.rate))
        if abs(at - v.done) > JUMP:  # another stream's position: go on from here
            v.origin, v.start, v.due = (
                v.origin + at - v.done,
                v.start + at - v.done,
                v.due + at - v.done if v.due > 0 else 0,
            )
            v.done = at
        done = 0
        if at < v.done:  # another path has taken this sound in already: only play
            done = min(n, v.done - at)
            if v.length > 0:
                _repeat(v, block, at, 0, done, level, step, False)
        if done < n:
            v.done = at + done
            _obey(v, before, p, _unit(v, p[QUANTISE]))
        while done < n:
            count = _until_next(v, n - done)
            if v.state == RECORDING:
                _record(v, block, done, count)
            elif v.length > 0:
                _fill(v, COPIED * count)
                _repeat(v, block, v.done, done, count, level, step, True)
            done, v.done = done + count, v.done + count
        if v.forget != 0 and v.heard == 0.0:
            _forget(v)
        arrive(e)
        return 0

    return looper


@cache
def looper_reset() -> Any:
    """C function ``reset(record) -> 0``; a loop that outlives its path stays."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def reset(address):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        v = view_loop(e.inner)
        if v.shared == 0:
            _forget(v)
            v.done = 0
        e.begun = e.counted = 0
        return 0

    return reset


class Loop(Inner):
    """A loop's memory, bounded; see :class:`realtime.stages.native.stage.Inner`."""

    level = 0.0

    def __init__(
        self, sample_rate: int, channels: int, seconds: float, common: Common, identity: int
    ) -> None:
        self._rate, room = sample_rate, int(seconds * sample_rate)
        fade = max(1, int(FADE_SECONDS * sample_rate))
        beat = common.beat(sample_rate)

        def make() -> Record:
            return LOOP.make(
                channels=channels, room=room, fade=fade, slope=1.0 / fade, beat=beat.address,
                shared=int(identity != 0), plays=1,
            )  # fmt: skip

        self._beat = beat
        self._loop = common.loop((identity, sample_rate, channels, room), make)
        self.address = self._loop.address

    def readings(self, values: Sequence[float]) -> Mapping[str, float]:
        """``loop_state``, its length in seconds, and how far it is, from 0 to 1."""
        v = self._loop
        length, at = int(v["length"]), int(v["done"])
        place = (at - int(v["origin"])) % length / length if length else 0.0
        recording = int(v["state"]) == RECORDING
        samples = at - int(v["start"]) if recording else length
        return {
            "loop_state": float(v["state"]),
            "loop_seconds": samples / self._rate,
            "loop_position": place,
        }


def make_loop(
    sample_rate: int, channels: int, parameters: Sequence[Parameter], common: Common, identity: int
) -> Loop:
    """See :class:`realtime.stages.native.stage.Kind`."""
    return Loop(sample_rate, channels, parameters[SECONDS].value, common, identity)


LOOPER = {"Looper": Kind(looper_step, 1, state=7, inner=make_loop, reset=looper_reset)}
