"""The worker lane's side of the callback: trade blocks with the worker, conceal what is late."""

from __future__ import annotations

import numpy as np

from ..dsp.delay import DELAY_STATE, moving_delay
from ..engine.hop import INPUT_GAIN, OUTPUT_GAIN, path_current, view_path
from ..native import ring
from ..native.intrinsics import view_f32, view_i64
from ..native.late_numba import njit
from .voice import FADE

F32 = np.float32


@njit(nogil=True, error_model="numpy", cache=True)
def delay_dry(v, x, n):  # type: ignore[no-untyped-def]
    """Keep the dry input, delayed by the voice's declared latency, in ``v.dry``; return it."""
    dry = view_f32(v.dry, (v.channels, v.max_block))
    line = view_f32(v.dry_line, (v.channels, v.line_length))
    moving_delay(x[:, :n], line, view_i64(v.dry_state, DELAY_STATE), v.latency, dry[:, :n])
    return dry


@njit(nogil=True, error_model="numpy", cache=True)
def delay_inner(v, x, n):  # type: ignore[no-untyped-def]
    """The same at the model's rate, for what is concealed there."""
    dry = view_f32(v.model_dry, (v.channels, v.model_block))
    line = view_f32(v.inner_line, (v.channels, v.line_length))
    state = view_i64(v.inner_state, DELAY_STATE)
    moving_delay(x[:, :n], line, state, v.inner_latency, dry[:, :n])
    return dry


@njit(nogil=True, error_model="numpy", cache=True)
def exchange(s, v, x, y, dry, n):  # type: ignore[no-untyped-def]
    """Hand `n` samples to the worker, take `n` that are due, conceal what lacks.

    ``v.debt`` is how many samples at the head of the output ring are overdue (they were concealed
    and must be dropped); negative when input was lost and the ring's head is early.  ``v.holding``
    is set while ``v.last`` is a sample of the past: wet sound may follow only from level 0, as it
    would jump otherwise.  Counts into the stream record `s`.
    """
    lost = n - ring.write(v.ring_in, x, 0, n)
    if lost > 0:
        s.ring_overflows += 1
        v.debt -= lost
    if v.debt > 0:
        dropped = ring.discard(v.ring_out, v.debt)
        v.debt -= dropped
        s.dropped_samples += dropped
    got = 0
    if v.debt == 0:
        recovered = v.wet_level == 0.0 and ring.read_available(v.ring_out) >= n
        if v.holding == 0 or recovered:
            got = ring.read(v.ring_out, y, 0, n)
    if got < n:
        s.ring_underflows += 1 - v.holding
        v.debt += n - got
        s.concealed_samples += n - got
    v.holding = 1 if got < n else 0
    current = path_current(view_path(v.path))
    start, end = v.conceal_gain, current[INPUT_GAIN] * current[OUTPUT_GAIN]
    v.conceal_gain = end
    last = view_f32(v.last, v.channels)
    step = 1.0 / FADE
    level = v.wet_level
    for i in range(n):
        wet_here = i < got
        level = min(1.0, level + step) if wet_here else max(0.0, level - step)
        if wet_here and level == 1.0:
            for c in range(v.channels):
                last[c] = y[c, i]
            continue
        for c in range(v.channels):
            if wet_here:
                last[c] = y[c, i]
            d = dry[c, i] * F32(start + (end - start) * (i + 1) / n)
            if not np.isfinite(d):
                d = F32(0.0)
            d = min(F32(1.0), max(F32(-1.0), d))
            y[c, i] = F32(level) * last[c] + (F32(1.0) - F32(level)) * d
    v.wet_level = level
