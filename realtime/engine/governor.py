"""The deadline governor: when the model is late or fails, the dry sound, and the model comes back.

A hop that takes longer than its share of the block counts as an overrun; overruns that pile up send
the model to rest.  While it rests it is not run at all: the sound fades to the dry path, which has
the same latency.  Then the model starts afresh, runs unheard until its state has filled, and fades
in.  Each rest that follows soon after another is twice as long (hysteresis); a clean stretch makes
rests short again.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..native.intrinsics import call_step, view_f32

F32 = np.float32
FADE = 256  # samples between wet and dry
TRIP = 4.0  # overruns, less what has been forgotten, that send the model to rest
FORGET = 0.02  # overruns forgotten per hop in time
SEVERE = 4  # so many times its budget, a hop counts twice


@njit(nogil=True, error_model="numpy", cache=True)
def awake(lane):  # type: ignore[no-untyped-def]
    """Whether the model is to run this hop; starts it afresh when a rest ends."""
    if lane.rest != 0:
        lane.resting = 1
    elif lane.rest_left > 0:
        lane.rest_left -= 1
        lane.resting = 1
    elif lane.resting != 0:
        restart(lane)
        lane.resting = 0
    lane.rested += lane.resting
    return lane.resting == 0


@njit(nogil=True, error_model="numpy", cache=True)
def restart(lane):  # type: ignore[no-untyped-def]
    """Start the model from its initial state; it runs unheard until that state has filled."""
    ola = view_f32(lane.ola, lane.channels * lane.synthesis)
    for i in range(ola.shape[0]):
        ola[i] = 0.0
    history = view_f32(lane.history, lane.channels * lane.n_fft)
    for i in range(history.shape[0]):
        history[i] = 0.0
    call_step(lane.reset, (lane.argument,))
    lane.unheard = lane.warm_hops
    lane.model_resets += 1


@njit(nogil=True, error_model="numpy", cache=True)
def watch(lane, spent):  # type: ignore[no-untyped-def]
    """Judge the `spent` nanoseconds of one model step; a budget of 0 judges nothing."""
    if lane.budget_ns == 0:
        return
    if spent <= lane.budget_ns:
        lane.pressure = max(0.0, lane.pressure - FORGET)
        lane.clean_hops += 1
        if lane.clean_hops > 16 * lane.rest_least:
            lane.rest_hops = lane.rest_least
        return
    lane.overruns += 1
    lane.pressure += 2.0 if spent > SEVERE * lane.budget_ns else 1.0
    if lane.pressure >= TRIP:
        lane.trips += 1
        lane.pressure = 0.0
        lane.clean_hops = 0
        lane.rest_left = lane.rest_hops
        lane.rest_hops = min(2 * lane.rest_hops, lane.rest_most)


@njit(nogil=True, error_model="numpy", cache=True)
def cover(lane, dry, wet, valid):  # type: ignore[no-untyped-def]
    """Put into `wet` what is to be heard: the model, the dry sound, or a fade between the two.

    The sound of a hop the model did not give (``valid == 0``) is its last sample, held while it
    fades; wet sound returns from level 0 only, as it would jump otherwise.
    """
    heard = valid != 0 and lane.unheard == 0
    if valid != 0 and lane.unheard > 0:
        lane.unheard -= 1
    if heard and lane.holding != 0 and lane.level > 0.0:
        heard = False
    last = view_f32(lane.last, lane.channels)
    n = wet.shape[1]
    if heard and lane.level == 1.0:
        for c in range(lane.channels):
            last[c] = wet[c, n - 1]
        return
    lane.holding = 0 if heard else 1
    step = (1.0 if heard else -1.0) / FADE
    level = lane.level
    for i in range(n):
        level = min(1.0, max(0.0, level + step))
        for c in range(lane.channels):
            if heard:
                last[c] = wet[c, i]
            wet[c, i] = F32(level) * last[c] + F32(1.0 - level) * dry[c, i]
    lane.level = level
