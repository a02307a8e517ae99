"""The audio callback: a C function compiled by Numba that never touches Python.

It copies the device's interleaved samples into ``(channels, n)`` blocks, runs the engine (inline
lane) or trades blocks with the worker through two rings, copies the result out and counts.  When
the worker is late it conceals: the latest sample fades into the dry input, delayed by the declared
latency and at the stream's gains, and once that fade has ended and the worker has caught up the
wet sound fades in again; samples that come too late are dropped, so latency never creeps.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit, types

from .. import ring
from ..adapter import process
from ..dsp.meters import N_BINS, count_duration
from ..dsp.mix import delay
from ..lane import CONTROLS, INPUT_GAIN, OUTPUT_GAIN, view_lane
from ..native import (
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    view_f32,
    view_f64,
    view_i64,
)
from .stream import FADE, WORKER, view_stream

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def _take_in(s, source, start, x, n):  # type: ignore[no-untyped-def]
    """Interleaved device samples to ``x [channels, n]``; missing channels repeat the last."""
    width = s.in_channels
    if source == 0 or width == 0:
        x[:, :n] = 0.0
        return
    data = view_f32(source + 4 * start * width, (n, width))
    for c in range(s.channels):
        column = min(c, width - 1)
        for i in range(n):
            x[c, i] = data[i, column]


@njit(nogil=True, error_model="numpy", cache=True)
def _give_out(s, y, target, start, n):  # type: ignore[no-untyped-def]
    width = s.out_channels
    if target == 0 or width == 0:
        return
    data = view_f32(target + 4 * start * width, (n, width))
    for column in range(width):
        c = min(column, s.channels - 1)
        for i in range(n):
            data[i, column] = y[c, i]


@njit(nogil=True, error_model="numpy", cache=True)
def exchange(s, x, y, n):  # type: ignore[no-untyped-def]
    """Worker lane: hand `n` samples to the worker, take `n` that are due, conceal what lacks.

    ``s.debt`` is how many samples at the head of the output ring are overdue (they were concealed
    and must be dropped); negative when input was lost and the ring's head is early.  ``s.holding``
    is set while ``s.last`` is a sample of the past: wet sound may follow only from level 0, as it
    would jump otherwise.
    """
    lost = n - ring.write(s.ring_in, x, 0, n)
    if lost > 0:
        s.ring_overflows += 1
        s.debt -= lost
    dry = view_f32(s.dry, (s.channels, s.max_block))
    line = view_f32(s.conceal_line, (s.channels, s.conceal_delay))
    s.conceal_position = delay(x[:, :n], line, s.conceal_position, dry[:, :n])
    if s.debt > 0:
        dropped = ring.discard(s.ring_out, s.debt)
        s.debt -= dropped
        s.dropped_samples += dropped
    got = 0
    if s.debt == 0:
        recovered = s.wet_level == 0.0 and ring.read_available(s.ring_out) >= n
        if s.holding == 0 or recovered:
            got = ring.read(s.ring_out, y, 0, n)
    if got < n:
        s.ring_underflows += 1 - s.holding
        s.debt += n - got
        s.concealed_samples += n - got
    s.holding = 1 if got < n else 0
    current = view_f64(view_lane(s.lane).current, CONTROLS)
    start, end = s.conceal_gain, current[INPUT_GAIN] * current[OUTPUT_GAIN]
    s.conceal_gain = end
    last = view_f32(s.last, s.channels)
    step = 1.0 / FADE
    level = s.wet_level
    for i in range(n):
        wet_here = i < got
        level = min(1.0, level + step) if wet_here else max(0.0, level - step)
        if wet_here and level == 1.0:
            for c in range(s.channels):
                last[c] = y[c, i]
            continue
        for c in range(s.channels):
            if wet_here:
                last[c] = y[c, i]
            d = dry[c, i] * F32(start + (end - start) * (i + 1) / n)
            if not np.isfinite(d):
                d = F32(0.0)
            d = min(F32(1.0), max(F32(-1.0), d))
            y[c, i] = F32(level) * last[c] + (F32(1.0) - F32(level)) * d
    s.wet_level = level


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
    s.callbacks += 1
    s.samples += n


@njit(nogil=True, error_model="numpy", cache=True)
def run_callback(s, source, target, n, flags):  # type: ignore[no-untyped-def]
    """One callback of `n` samples on the stream record `s`; addresses are interleaved float32."""
    begin = monotonic_ns(s.clock)
    old = flush_denormals()
    _count(s, n, flags, begin)
    x = view_f32(s.x, (s.channels, s.max_block))
    y = view_f32(s.y, (s.channels, s.max_block))
    done = 0
    while done < n:
        part = min(n - done, s.max_block)
        _take_in(s, source, done, x, part)
        if s.mode == WORKER:
            exchange(s, x, y, part)
        else:
            process(view_lane(s.lane), x, y, part)
        _give_out(s, y, target, done, part)
        done += part
    restore_denormals(old)
    spent = monotonic_ns(s.clock) - begin
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
