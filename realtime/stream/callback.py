"""The audio callback: a C function compiled by Numba that never touches Python.

It copies the device's interleaved samples into ``(channels, n)`` blocks, hands parameter events to
the voice they are for, runs the voice (:mod:`realtime.stream.play`), copies the result out, taps
what is being recorded and counts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..dsp.drift import read, write
from ..dsp.drift_record import view_drift
from ..dsp.meters import N_BINS, count_duration
from ..native import ring
from ..native.intrinsics import flush_denormals, monotonic_ns, restore_denormals, view_f32, view_i64
from ..native.late_numba import cfunc, njit, types
from .play import hand_out_events, mute, note, play, take_up
from .protection import DUCK, LEVEL, protect, set_goal, soften, view_protection
from .record import BLOCK, EVENT, LOSS, TAP_DRY, TAP_WET, view_stream
from .voice import view_voice

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def _take_in(s, source, start, x, n, now):  # type: ignore[no-untyped-def]
    """Interleaved device samples to ``x [channels, n]`` after the input map.

    Where the input device has a clock of its own, they come through the crossing instead.
    """
    if s.drift != 0:
        read(view_drift(s.drift), x, 0, n, now)
        return
    width = s.in_channels
    if source == 0 or width == 0:
        x[:, :n] = 0.0
        return
    data = view_f32(source + 4 * start * width, (n, width))
    columns = view_i64(s.in_map, s.channels)
    for c in range(s.channels):
        column = columns[c]
        for i in range(n):
            x[c, i] = data[i, column] if column >= 0 else F32(0.0)


@njit(nogil=True, error_model="numpy", cache=True)
def _give_out(s, y, target, start, n):  # type: ignore[no-untyped-def]
    width = s.out_channels
    if target == 0 or width == 0:
        return
    data = view_f32(target + 4 * start * width, (n, width))
    channels = view_i64(s.out_map, width)
    for column in range(width):
        c = channels[column]
        for i in range(n):
            data[i, column] = y[c, i] if c >= 0 else F32(0.0)


@njit(nogil=True, error_model="numpy", cache=True)
def _spare(s, x, y, n):  # type: ignore[no-untyped-def]
    """Spare the ears: what was asked for since the last block, a sound that comes in, and `y`."""
    e = view_protection(s.protection)
    level, duck = e.level_asked, e.duck_asked
    if level != e.level_goal:
        set_goal(e, LEVEL, level)
        note(s, EVENT, LEVEL, level)
    if duck != e.duck_goal:
        set_goal(e, DUCK, duck)
        note(s, EVENT, DUCK, duck)
    if s.incoming != e.coming:
        e.coming = s.incoming
        if s.incoming != 0 and view_voice(s.incoming).own_gains != 0:
            soften(e)
    protect(e, x, y, n)


@njit(nogil=True, error_model="numpy", cache=True)
def _tap(s, x, y, n, now):  # type: ignore[no-untyped-def]
    """Copy the block to whoever records; what finds no room is counted, never waited for.

    Whoever watches has rings of its own, so that neither takes the other's samples.
    """
    lost = 0
    taps = s.taps
    if taps & TAP_DRY:
        lost = n - ring.write(s.tap_dry, x, 0, n)
    if taps & TAP_WET:
        lost = max(lost, n - ring.write(s.tap_wet, y, 0, n))
    if lost > 0:
        s.tap_lost += lost
        note(s, LOSS, lost, 0.0)
    if s.watch_dry != 0:
        ring.write(s.watch_dry, x, 0, n)
        ring.write(s.watch_wet, y, 0, n)
    if s.listen != 0:
        ring.write(s.listen, y, 0, n)
    if s.monitor != 0:
        write(view_drift(s.monitor), y, 0, n, now)


@njit(nogil=True, error_model="numpy", cache=True)
def _count(s, n, flags, begin):  # type: ignore[no-untyped-def]
    if flags & 1:
        s.input_underflows += 1
    if flags & 2:
        s.input_overflows += 1
    if flags & 4:
        s.output_underflows += 1
    if flags & 8:
        s.output_overflows += 1
    if s.callbacks == 0:
        s.first_ns = begin
    else:
        gap = begin - s.last_ns
        s.longest_gap_ns = max(s.longest_gap_ns, gap)
        count_duration(view_i64(s.gap_histogram, N_BINS), gap)
    s.last_ns = begin
    s.min_block = min(s.min_block, n)
    s.max_seen_block = max(s.max_seen_block, n)
    s.same_blocks = s.same_blocks + 1 if n == s.last_block else 1
    s.last_block = n
    s.callbacks += 1


@njit(nogil=True, error_model="numpy", cache=True)
def run_callback(s, source, target, n, flags):  # type: ignore[no-untyped-def]
    """One callback of `n` samples on the stream record `s`; addresses are interleaved float32."""
    begin = monotonic_ns(s.clock)
    old = flush_denormals()
    _count(s, n, flags, begin)
    note(s, BLOCK, n, flags)
    x = view_f32(s.x, (s.channels, s.max_block))
    y = view_f32(s.y, (s.channels, s.max_block))
    done = 0
    while done < n:
        part = min(n - done, s.max_block)
        _take_in(s, source, done, x, part, begin)
        hand_out_events(s, part)  # first: what was sent before a sound is taken up is not for it
        take_up(s)
        play(s, x, y, part)
        if s.protection != 0:
            _spare(s, x, y, part)
        mute(s, y, part)
        _tap(s, x, y, part, begin)
        _give_out(s, y, target, done, part)
        done += part
        s.samples += part
    restore_denormals(old)
    spent = monotonic_ns(s.clock) - begin
    s.busy_ns += spent
    count_duration(view_i64(s.callback_histogram, N_BINS), spent)
    if spent * s.sample_rate > n * 1e9:
        s.deadline_misses += 1


@cache
def stream_callback() -> Any:
    """The C function PortAudio calls (``PaStreamCallback``); ``userData`` is a stream record."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def callback(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        run_callback(view_stream(record), source, target, types.int64(frames), types.int64(flags))
        return 0

    return callback
