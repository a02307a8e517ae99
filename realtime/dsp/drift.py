"""Sound from one device's clock to another's: a ring read at a ratio that follows both clocks.

Method: F. Adriaensen, "Controlling adaptive resampling" (LAC 2012).  The fill of the ring jumps by
a block at every callback, so it is not looked at.  What steers is the distance between where the
writer's clock is now, extrapolated from its filtered stamps (:mod:`realtime.dsp.clock`), and where
the reader is, to a fraction of a sample: no beat between block sizes is in it, and the scheduler's
lateness is filtered out outside the loop, where filtering costs no stability.  A PI controller
(critically damped, its bandwidth falling from 0.5 to 0.02 Hz) holds that distance at a target,
which is the latency.  The ring's memory is interpolated in place (:mod:`realtime.dsp.sinc`).

When sound lacks, the latest sample fades to silence as in the callback's concealment; the reader
then waits until the target lies in whole sound again, jumps there and fades in.
"""

from __future__ import annotations

import numpy as np

from ..native import ring
from ..native.intrinsics import load_acquire, store_release, view_f32, view_i64
from ..native.late_numba import njit
from .clock import (
    BREAK,
    COUNT,
    SHOWN_SIZE,
    SUSPECT,
    count_at,
    look,
    restart,
    show,
    tick,
    view_clock,
)
from .drift_record import RANGE
from .sinc import between

FADE = 64  # samples
FIRST_HZ, STEADY_HZ, HALVING_S = 0.5, 0.02, 4.0  # bandwidth: at the start, at last, and between
LOCK_S = HALVING_S * 4.65  # from then on the bandwidth is steady
LISTEN_S = 0.25  # both clocks are listened to so long before sound starts
F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def write(d, x, offset, n, now):  # type: ignore[no-untyped-def]
    """Writer's callback: put ``x[:, offset : offset + n]`` in, or drop it if it does not all fit.

    Parameters
    ----------
    d : record
        :data:`DRIFT`.
    x : ndarray [shape=(channels, >= offset + n), float32]
    offset, n : int [samples]
    now : int [ns]
        When the last of these samples was recorded: the monotonic clock as the callback began.
    """
    clock = view_clock(d.writer_clock)
    if ring.write_available(d.ring) < n:
        if d.begun == 1:  # before, nobody has asked for sound
            d.overflows += 1
            d.dropped_samples += n
        d.broken = load_acquire(d.ring + 8 * ring.WRITTEN)
        restart(clock, d.broken, now)
    else:
        ring.write(d.ring, x, offset, n)
        tick(clock, load_acquire(d.ring + 8 * ring.WRITTEN), now)
    show(clock, d.broken)


@njit(nogil=True, error_model="numpy", cache=True)
def _steer(d, error, n):  # type: ignore[no-untyped-def]
    """Set the step per output sample for a distance that is `error` samples too long."""
    seconds = n / d.out_rate
    omega = 2.0 * np.pi * max(STEADY_HZ, FIRST_HZ * 2.0 ** (-d.age_s / HALVING_S))
    d.age_s += seconds
    slope = error / d.in_rate
    d.integral = min(RANGE, max(-RANGE, d.integral + omega * omega * slope * seconds))
    ratio = min(2.0 * RANGE, max(-2.0 * RANGE, d.integral + 2.0 * omega * slope))
    d.step = d.in_rate / d.out_rate * (1.0 + ratio)
    d.ratio_ppm = 1e6 * ratio
    if d.age_s < LOCK_S:
        return
    if d.locked == 0:
        d.locked, d.lowest_fill, d.highest_fill = 1, d.fill, d.fill
    d.lowest_fill = min(d.lowest_fill, d.fill)
    d.highest_fill = max(d.highest_fill, d.fill)


@njit(nogil=True, error_model="numpy", cache=True)
def _leave(d):  # type: ignore[no-untyped-def]
    """Stop playing; the learned ratio stays."""
    d.playing, d.locked, d.age_s = 0, 0, 0.0


@njit(nogil=True, error_model="numpy", cache=True)
def _enter(d, writer, written, n, may):  # type: ignore[no-untyped-def]
    """Place the reader at the target if it `may` and all it needs is there; else let old sound go.

    `writer` is where its clock stands, counted from ``COUNT``.
    """
    seen = view_i64(d.seen, SHOWN_SIZE)
    place = np.floor(writer - d.target)
    index = seen[COUNT] + int(place)
    first = index - d.half + 1
    kept = max(load_acquire(d.ring + 8 * ring.READ), seen[BREAK])
    if first >= kept:
        if may and index + int(n * d.in_rate / d.out_rate * (1.0 + RANGE)) + d.half + 1 < written:
            d.index, d.fraction = index, writer - d.target - place
            d.playing, d.begun = 1, 1
            return
        kept = first
    store_release(d.ring + 8 * ring.READ, min(kept, written))


@njit(nogil=True, error_model="numpy", cache=True)
def _interpolate(d, y, offset, n, written):  # type: ignore[no-untyped-def]
    """Write up to `n` samples; return how many the ring had."""
    header = view_i64(d.ring, ring.HEADER_SIZE)
    data = view_f32(d.ring + 8 * ring.HEADER_SIZE, (d.channels, header[ring.CAPACITY]))
    table = view_f32(d.table, (d.phases + 1, d.taps))
    index, fraction, step, limit = d.index, d.fraction, d.step, written - d.half
    done = 0
    while done < n and index < limit:
        for c in range(d.channels):
            y[c, offset + done] = between(table, data, c, index, fraction)
        fraction += step
        whole = int(fraction)
        index += whole
        fraction -= whole
        done += 1
    d.index, d.fraction = index, fraction
    store_release(d.ring + 8 * ring.READ, min(index - d.half + 1, written))
    return done


@njit(nogil=True, error_model="numpy", cache=True)
def _fade(d, y, offset, n, got):  # type: ignore[no-untyped-def]
    """Fade in what came after silence, and out from the latest sample where nothing came."""
    last = view_f32(d.last, d.channels)
    for i in range(n):
        d.level = min(1.0, d.level + 1.0 / FADE) if i < got else max(0.0, d.level - 1.0 / FADE)
        for c in range(d.channels):
            if i < got:
                last[c] = y[c, offset + i]
            y[c, offset + i] = F32(d.level) * last[c]


@njit(nogil=True, error_model="numpy", cache=True)
def read(d, y, offset, n, now):  # type: ignore[no-untyped-def]
    """Reader's callback: fill ``y[:, offset : offset + n]``, with silence where there is no sound.

    Parameters
    ----------
    d : record
        :data:`DRIFT`.
    y : ndarray [shape=(channels, >= offset + n), float32]
        Written; owned by the caller.
    offset, n : int [samples]
    now : int [ns]
        The monotonic clock as the callback began, or when its first sample is due.
    """
    clock = view_clock(d.reader_clock)
    tick(clock, d.played, now)
    d.played += n
    if look(d.writer_shown, d.seen):
        d.visible = 1
    got = 0
    if d.visible == 1:
        seen = view_i64(d.seen, SHOWN_SIZE)
        written = load_acquire(d.ring + 8 * ring.WRITTEN)
        writer = count_at(d.seen, clock.ns, clock.part_ns)
        if d.playing == 0 and d.level == 0.0:
            sure = clock.suspect_ns == 0 and seen[SUSPECT] == 0
            _enter(d, writer, written, n, sure and clock.age_s >= LISTEN_S)
        if d.playing == 1:
            d.fill = float(seen[COUNT] - d.index) + writer - d.fraction
            error = d.fill - d.target
            if seen[BREAK] > d.index - d.half + 1 or abs(error) > d.slack:
                d.relocks += 1
                _leave(d)
            else:
                _steer(d, error, n)
                got = _interpolate(d, y, offset, n, written)
                if got < n:
                    d.underflows += 1
                    _leave(d)
    if d.begun == 1:
        d.concealed_samples += n - got
    _fade(d, y, offset, n, got)
