"""Play a block through the voice in force, or through two of them under a crossfade.

The gains of a crossfade add up to one, so that two signals within full scale stay within it, and
equal ones pass unchanged.  An incoming voice runs unheard until its buffers have filled.
"""

from __future__ import annotations

import math

import numpy as np

from ..dsp.dynamics import towards
from ..dsp.resample import process as convert_rate
from ..dsp.resample import pull, push, view_resampler
from ..engine.adapter import process
from ..engine.hop import (
    IDLE,
    N_METERS,
    OWN,
    PATH,
    path_current,
    path_meters,
    path_targets,
    view_path,
)
from ..native import events
from ..native.events import BYPASS, MUTE
from ..native.intrinsics import load_acquire, store_release, view_f32, view_f64, view_i64
from ..native.late_numba import njit
from .exchange import delay_dry, delay_inner, exchange
from .protection import set_goal, view_protection
from .record import EVENT, NEXT, RETIRED, SWAP
from .voice import WORKER, view_voice

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def note(s, kind, a, b):  # type: ignore[no-untyped-def]
    """Enter something into the journal, if one is kept."""
    if s.journal != 0 and events.push(s.journal, s.samples, kind, a, b) == 0:
        s.journal_lost += 1


@njit(nogil=True, error_model="numpy", cache=True)
def _deliver(v, time, target, number, value):  # type: ignore[no-untyped-def]
    """Hand an event to the queue of the voice's path, in its own samples; 0 where it is full."""
    path = view_path(v.path)
    if v.ratio != 1.0:
        time = path.start + (time - path.start) * v.ratio
    return events.push(path.events, time, target, number, value)


@njit(nogil=True, error_model="numpy", cache=True)
def hand_out(s, time, target, number, value):  # type: ignore[no-untyped-def]
    """Hand one event to whom it is for; it holds from `time` of the stream on."""
    if target == PATH and number == BYPASS:
        s.bypass_before, s.bypass, s.bypass_at = s.bypass, value, int(time)
    elif target == PATH and number == MUTE:
        s.mute = value
    elif target == PATH and number < BYPASS:
        if s.protection != 0:
            set_goal(view_protection(s.protection), number, value)
    else:
        for address in (s.voice, s.incoming):
            if address != 0:
                _deliver(view_voice(address), time, target, number, value)
    if s.journal != 0 and events.push(s.journal, time, EVENT + target, number, value) == 0:
        s.journal_lost += 1


@njit(nogil=True, error_model="numpy", cache=True)
def hand_out_events(s, n):  # type: ignore[no-untyped-def]
    """Stamp the events due within the next `n` samples and hand them to their voices.

    An event without a time (or with one that has passed) is for now; events are taken in the order
    they were sent.
    """
    while events.pending(s.events) > 0:
        event = events.first(s.events)
        if event[events.TIME] >= s.samples + n:
            return
        time = max(event[events.TIME], float(s.samples))
        target, number = int(event[events.TARGET]), int(event[events.SLOT])
        value = event[events.VALUE]
        events.drop(s.events)
        hand_out(s, time, target, number, value)


@njit(nogil=True, error_model="numpy", cache=True)
def _inherit(v, path, before):  # type: ignore[no-untyped-def]
    """Have a new path go on where the old one stands, and hand it what was set meanwhile.

    `v` lists the parameters that both have: where each lies in the old path and in the new one, its
    identity and number.  What the old path has not taken yet is copied as it waits: whoever runs
    the callback is the only one to add to that queue, so that nothing of it can be overwritten.
    """
    taken = events.taken(before.events)
    old, new, current = path_targets(before), path_targets(path), path_current(path)
    for i in range(OWN):
        new[i] = current[i] = old[i]
    for i in range(N_METERS):
        path_meters(path)[i] = path_meters(before)[i]
    path.limiter_gain = before.limiter_gain
    now, rows = float(path.start), view_i64(v.common, (v.common_count, 4))
    for i in range(v.common_count):
        value = view_f64(rows[i, 0], 1)[0]
        if value != view_f64(rows[i, 1], 1)[0]:
            events.push(path.events, now, rows[i, 2], rows[i, 3], value)
    for k in range(taken, events.given(before.events)):
        event = events.at(before.events, k)
        target, number = int(event[events.TARGET]), int(event[events.SLOT])
        wanted = target == PATH and number < OWN
        for i in range(v.common_count):
            wanted |= rows[i, 2] == target and rows[i, 3] == number
        if wanted:
            events.push(path.events, now, target, number, event[events.VALUE])


@njit(nogil=True, error_model="numpy", cache=True)
def take_up(s):  # type: ignore[no-untyped-def]
    """Take up an offered voice: it starts on the stream's position, at the gains in force.

    A voice with ``own_gains`` keeps those it was made with, and brings its ``own_bypass``; the one
    that leaves keeps the bypass it had.  A voice that rings on fades out first.
    """
    address = load_acquire(s.mail + 8 * NEXT)
    if s.incoming != 0 or address == 0 or load_acquire(s.mail + 8 * RETIRED) != 0:
        return
    if s.tail != 0:
        s.tail_left = min(s.tail_left, s.fade_length)
        return
    store_release(s.mail + 8 * NEXT, 0)
    v, old = view_voice(address), view_voice(s.voice)
    path, before = view_path(v.path), view_path(old.path)
    path.start = s.samples
    if v.own_gains == 0:
        _inherit(v, path, before)
        v.conceal_gain = old.conceal_gain
    v.bypass = s.bypass
    if v.own_bypass >= 0.0:
        old.own_bypass = s.bypass
        v.bypass = s.bypass = v.own_bypass
        s.bypass_at = s.samples
        v.own_bypass = -1.0
    s.incoming = address
    s.unheard = v.latency + v.warm
    if v.tail > 0:  # what is on its way through the old one is heard out
        s.unheard = max(s.unheard, old.latency)
    s.faded = 0
    s.swap_position = s.samples
    note(s, SWAP, v.identity, 0.0)


@njit(nogil=True, error_model="numpy", cache=True)
def _run_converted(s, v, x, y, n):  # type: ignore[no-untyped-def]
    """The lane of a model whose rate is not the device's, between two converters."""
    mx = view_f32(v.model_x, (v.channels, v.model_block))
    my = view_f32(v.model_y, (v.channels, v.model_block))
    outward = view_resampler(v.outward)
    m = convert_rate(view_resampler(v.inward), x, n, mx)
    if m > 0:
        if v.mode == WORKER:
            exchange(s, v, mx, my, delay_inner(v, mx, m), m)
        else:
            process(view_path(v.path), mx, my, m)
        push(outward, my, 0, m)
    pull(outward, y, 0, n)
    for c in range(v.channels):  # a converter may overshoot full scale by a little
        for i in range(n):
            y[c, i] = min(F32(1.0), max(F32(-1.0), y[c, i]))


@njit(nogil=True, error_model="numpy", cache=True)
def _run(s, v, x, y, n):  # type: ignore[no-untyped-def]
    """Run one voice over `n` samples, the dry input delayed by its latency beside it.

    The path of a voice that is wholly bypassed rests; where the bypass ends, the dry sound goes on
    until the path has settled.
    """
    dry = delay_dry(v, x, n)
    now, goal = v.bypass, s.bypass if v.own_bypass < 0.0 else v.own_bypass
    early = min(max(s.bypass_at - s.samples, 0), n) if v.own_bypass < 0.0 else 0
    before = s.bypass_before if early > 0 else goal
    path = view_path(v.path)
    if now == goal == before == 1.0:
        if v.idle == 0:
            v.idle = _deliver(v, float(s.samples), PATH, IDLE, 1.0)
    elif v.idle != 0:
        v.idle = 1 - _deliver(v, float(s.samples + early), PATH, IDLE, 0.0)
        v.waking = early + v.latency + int(path.settling / v.ratio)
    if v.inward != 0:
        _run_converted(s, v, x, y, n)
    elif v.mode == WORKER:
        exchange(s, v, x, y, dry, n)
    else:
        process(view_path(v.path), x, y, n)
    if now == 0.0 and goal == 0.0 and before == 0.0:
        return
    step = 1.0 / s.fade_length
    for i in range(n):
        here = before if i < early else goal
        if v.waking > 0:
            v.waking -= 1
            here = 1.0
        now = min(here, now + step) if now < here else max(here, now - step)
        for c in range(v.channels):
            d = dry[c, i]
            if not np.isfinite(d):
                d = F32(0.0)
            d = min(F32(1.0), max(F32(-1.0), d))
            y[c, i] = F32(1.0 - now) * y[c, i] + F32(now) * d
    v.bypass = now


@njit(nogil=True, error_model="numpy", cache=True)
def _share(progress, length):  # type: ignore[no-untyped-def]
    """Where a crossfade is after `progress` of `length` samples: 0..1."""
    progress = min(max(progress, 0), length)
    return F32(0.5 - 0.5 * math.cos(math.pi * progress / length))


@njit(nogil=True, error_model="numpy", cache=True)
def _ring_on(s, y, n):  # type: ignore[no-untyped-def]
    """Add what a voice without sound still gives; at its end it fades out and is given back."""
    if s.tail_left > 0:
        silence = view_f32(s.x_tail, (s.channels, s.max_block))
        other = view_f32(s.y_next, (s.channels, s.max_block))
        silence[:, :n] = F32(0.0)
        _run(s, view_voice(s.tail), silence, other, n)
        for i in range(n):
            gain = _share(s.tail_left - i, s.fade_length)
            for c in range(s.channels):
                y[c, i] = min(F32(1.0), max(F32(-1.0), y[c, i] + gain * other[c, i]))
        s.tail_left -= n
    if s.tail_left <= 0 and load_acquire(s.mail + 8 * RETIRED) == 0:
        store_release(s.mail + 8 * RETIRED, s.tail)
        s.tail = 0


@njit(nogil=True, error_model="numpy", cache=True)
def _play_with_tail(s, x, y, n):  # type: ignore[no-untyped-def]
    """Fade the input of the voice that leaves, not what it gives, and let the new one come in."""
    v, old = view_voice(s.incoming), view_voice(s.voice)
    less = view_f32(s.x_tail, (s.channels, s.max_block))
    other = view_f32(s.y_next, (s.channels, s.max_block))
    begin = s.faded - s.unheard
    for i in range(n):
        gain = F32(1.0) - _share(begin + i + 1 + old.latency, s.fade_length)
        for c in range(s.channels):
            less[c, i] = gain * x[c, i]
    _run(s, old, less, y, n)
    _run(s, v, x, other, n)
    for i in range(n):
        gain = _share(begin + i + 1, s.fade_length)
        for c in range(s.channels):
            y[c, i] = min(F32(1.0), max(F32(-1.0), y[c, i] + gain * other[c, i]))
    end = begin + n
    s.unheard, s.faded = max(0, -end), max(0, min(end, s.fade_length))
    if s.faded >= s.fade_length:
        s.tail, s.tail_left = s.voice, v.tail
        s.voice, s.incoming = s.incoming, 0
        s.swaps += 1


@njit(nogil=True, error_model="numpy", cache=True)
def mute(s, y, n):  # type: ignore[no-untyped-def]
    """Fade ``y [channels, n]`` to silence while the stream is muted, whatever plays."""
    goal = 0.0 if s.mute >= 0.5 else 1.0
    if s.heard == goal == 1.0:
        return
    step = 1.0 / s.fade_length
    for i in range(n):
        s.heard = towards(s.heard, goal, step)
        for c in range(s.channels):
            y[c, i] *= F32(s.heard)


@njit(nogil=True, error_model="numpy", cache=True)
def play(s, x, y, n):  # type: ignore[no-untyped-def]
    """Turn ``x [channels, n]`` into ``y``."""
    if s.incoming != 0 and view_voice(s.incoming).tail > 0:
        _play_with_tail(s, x, y, n)
        return
    _run(s, view_voice(s.voice), x, y, n)
    if s.tail != 0:
        _ring_on(s, y, n)
    if s.incoming == 0:
        return
    other = view_f32(s.y_next, (s.channels, s.max_block))
    _run(s, view_voice(s.incoming), x, other, n)
    for i in range(n):
        if s.unheard > 0:
            s.unheard -= 1
            continue
        s.faded = min(s.faded + 1, s.fade_length)
        gain = _share(s.faded, s.fade_length)
        for c in range(s.channels):
            if s.faded >= s.fade_length:
                y[c, i] = other[c, i]
            else:
                y[c, i] = (F32(1.0) - gain) * y[c, i] + gain * other[c, i]
    if s.faded >= s.fade_length:
        store_release(s.mail + 8 * RETIRED, s.voice)
        s.voice, s.incoming = s.incoming, 0
        s.swaps += 1
