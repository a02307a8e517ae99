"""What is heard of a stage that fails or is late: the dry sound, and the stage comes back.

A step that takes longer than its share of the block counts as an overrun; overruns that pile up
send the stage to rest.  While it rests it is not run at all: the sound fades to the dry path, which
has the same latency.  Then it starts afresh, runs unheard until its state has filled, and fades in.
Each rest that follows soon after another is twice as long (hysteresis); a clean stretch makes rests
short again.  A stage that is bypassed rests, too, and costs nothing.
"""

from __future__ import annotations

import numpy as np

from ..native.intrinsics import call_step
from ..native.late_numba import njit
from .stage import STAGE

F32 = np.float32
FADE = 256  # samples between wet and dry
TRIP = 4.0  # overruns, less what has been forgotten, that send a stage to rest
FORGET = 0.02  # overruns forgotten per hop in time
SEVERE = 4  # so many times its budget, a hop counts twice
CLEAN_RESTS = 16  # shortest rests without an overrun, after which rests are short again

_last = STAGE.array("last")


@njit(nogil=True, error_model="numpy", cache=True)
def awake(s, n):  # type: ignore[no-untyped-def]
    """Whether the stage is to run these `n` samples; starts it afresh when a rest ends."""
    if s.rest != 0 or s.idle != 0:
        s.resting = 1
    elif s.rest_left > 0:
        s.rest_left -= n
        s.resting = 1
    elif s.resting != 0:
        restart(s)
        s.resting = 0
    if s.resting != 0 and s.idle == 0:
        s.rested += 1
    return s.resting == 0


@njit(nogil=True, error_model="numpy", cache=True)
def restart(s):  # type: ignore[no-untyped-def]
    """Start from the initial state; the stage runs unheard until that state has filled."""
    if s.step != 0:
        call_step(s.reset, (s.argument,))
    s.unheard = s.warm
    s.resets += 1


@njit(nogil=True, error_model="numpy", cache=True)
def lie_down(s):  # type: ignore[no-untyped-def]
    """Have a stage that was not run for a while start afresh, unheard, when it is run again."""
    s.resting, s.level, s.holding = 1, 0.0, 1


@njit(nogil=True, error_model="numpy", cache=True)
def watch(s, spent, budget):  # type: ignore[no-untyped-def]
    """Judge `spent` nanoseconds of a hop, of which this stage took most; see :data:`TRIP`."""
    if spent <= budget:
        s.pressure = max(0.0, s.pressure - FORGET)
        s.clean += 1
        if s.clean > CLEAN_RESTS * s.rest_least // max(1, s.hop):
            s.rest_length = s.rest_least
        return
    s.overruns += 1
    s.pressure += 2.0 if spent > SEVERE * budget else 1.0
    if s.pressure >= TRIP:
        s.trips += 1
        s.pressure = 0.0
        s.clean = 0
        s.rest_left = s.rest_length
        s.rest_length = min(2 * s.rest_length, s.rest_most)


@njit(nogil=True, error_model="numpy", cache=True)
def cover(s, dry, wet, good):  # type: ignore[no-untyped-def]
    """Put into `wet` what is to be heard: the stage, the dry sound, or a fade between the two.

    The sound of a hop the stage did not give (``good == 0``) is its last sample, held while it
    fades; wet sound returns from level 0 only, as it would jump otherwise.
    """
    n = wet.shape[1]
    heard = good != 0 and s.unheard <= 0
    if good != 0 and s.unheard > 0:
        s.unheard -= n
    if heard and s.holding != 0 and s.level > 0.0:
        heard = False
    last = _last(s)
    if heard and s.level == 1.0:
        for c in range(wet.shape[0]):
            last[c] = wet[c, n - 1]
        return
    s.holding = 0 if heard else 1
    step = (1.0 if heard else -1.0) / FADE
    level = s.level
    for i in range(n):
        level = min(1.0, max(0.0, level + step))
        for c in range(wet.shape[0]):
            if heard:
                last[c] = wet[c, i]
            wet[c, i] = F32(level) * last[c] + F32(1.0 - level) * dry[c, i]
    s.level = level
