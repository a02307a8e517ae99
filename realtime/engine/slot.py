"""A slot: one place of a path, which plays a stage and crossfades to another.

Three sounds meet in it: the block as it came, the same delayed by the stage's latency (dry), and
what the stage made of it (wet).  Bypass and mix fade between the last two, which are aligned;
coming and going fades to the first.  All gains of a fade add up to one.  The same compiled code
runs slots in both lanes; only the step of a Python stage is called from Python.
"""

from __future__ import annotations

import math

import numpy as np

from ..dsp.dynamics import towards
from ..dsp.mix import copy
from ..native.intrinsics import call_step, view_f32, view_i64
from ..native.late_numba import njit
from ..native.records import FLOAT, INT, Table
from .governor import awake, cover, lie_down, restart
from .stage import feed, run, view_stage

F32 = np.float32
BYPASS, MIX, PARAMETERS = 0, 1, 2  # numbers of a slot's parameters in events
SCRATCH = 4  # blocks of scratch memory that running a slot takes

SLOT = Table(
    "slot",
    identity=INT, channels=INT, stage=INT, incoming=INT, unheard=INT, faded=INT, fade_length=INT,
    # asked for, and where the fades are; `muted` while a value is taken that would click, `present`
    # 0 for a slot on its way out
    bypass=FLOAT, mix=FLOAT, muted=INT, wet=FLOAT, present=FLOAT, presence=FLOAT, waiting=INT,
    step=FLOAT,
)  # fmt: skip
view_slot = SLOT.view


@njit(nogil=True, error_model="numpy", cache=True)
def _blend(slot, dry, wet, start):  # type: ignore[no-untyped-def]
    """Write ``(1 - m) dry + m wet`` into `wet`, `m` moving to where mix and bypass want it."""
    goal = 0.0 if slot.bypass >= 0.5 or slot.muted != 0 else slot.mix
    if start == goal == 1.0:
        return goal
    if start == goal == 0.0:
        copy(dry, wet)
        return goal
    m = start
    for i in range(wet.shape[1]):
        m = towards(m, goal, slot.step)
        for c in range(wet.shape[0]):
            wet[c, i] = (F32(1.0) - F32(m)) * dry[c, i] + F32(m) * wet[c, i]
    return m


@njit(nogil=True, error_model="numpy", cache=True)
def fades(slot):  # type: ignore[no-untyped-def]
    """Whether a slot comes, goes or changes its stage."""
    s = view_stage(slot.stage)
    return slot.incoming != 0 or slot.presence != slot.present or s.fed != s.fed_goal


@njit(nogil=True, error_model="numpy", cache=True)
def inside_fades(s):  # type: ignore[no-untyped-def]
    """Whether something inside a stage does, so that it has to go on running."""
    return s.fading != 0 and call_step(s.fading, (s.argument,)) != 0


@njit(nogil=True, error_model="numpy", cache=True)
def any_fades(slots, count):  # type: ignore[no-untyped-def]
    """Whether one of the slots whose addresses lie at `slots` fades, or something inside it."""
    for i in range(count):
        slot = view_slot(view_i64(slots, count)[i])
        if fades(slot) or inside_fades(view_stage(slot.stage)):
            return True
    return False


@njit(nogil=True, error_model="numpy", cache=True)
def lay_down(slots, count):  # type: ignore[no-untyped-def]
    """:func:`realtime.engine.governor.lie_down` for the stages of slots; groups pass it on."""
    for i in range(count):
        slot = view_slot(view_i64(slots, count)[i])
        lie_down(view_stage(slot.stage))
        if slot.incoming != 0:
            lie_down(view_stage(slot.incoming))


@njit(nogil=True, error_model="numpy", cache=True)
def begin_stage(slot, s, block, dry, wet):  # type: ignore[no-untyped-def]
    """Feed a stage; return whether it is to run."""
    silent = slot.bypass >= 0.5 and slot.wet == 0.0
    s.idle = 1 if s.idles != 0 and silent and not inside_fades(s) else 0
    feed(s, block, dry, wet)
    return awake(s, block.shape[1])


@njit(nogil=True, error_model="numpy", cache=True)
def end_stage(slot, s, dry, wet, good, ran):  # type: ignore[no-untyped-def]
    """Turn what a stage made into what is heard of it, mixed; return where the mix is then."""
    if ran and good == 0:
        restart(s)
    cover(s, dry, wet, good)
    return _blend(slot, dry, wet, slot.wet)


@njit(nogil=True, error_model="numpy", cache=True)
def crossfade(slot, made, other):  # type: ignore[no-untyped-def]
    """Fade from the stage to the incoming one in `made`; that one takes over at the end."""
    if slot.unheard > 0:
        slot.unheard -= made.shape[1]
        return
    length = slot.fade_length
    for i in range(made.shape[1]):
        slot.faded = min(slot.faded + 1, length)
        gain = F32(0.5 - 0.5 * math.cos(math.pi * slot.faded / length))
        for c in range(made.shape[0]):
            made[c, i] = (F32(1.0) - gain) * made[c, i] + gain * other[c, i]
    if slot.faded >= length:
        slot.stage, slot.incoming = slot.incoming, 0


@njit(nogil=True, error_model="numpy", cache=True)
def join(slot, block, made):  # type: ignore[no-untyped-def]
    """Put into `block` what leaves the slot: `made`, faded to the block itself."""
    here = slot.present
    if slot.waiting > 0:
        slot.waiting -= block.shape[1]
        here = 0.0
    p = slot.presence
    if p == here == 1.0:
        copy(made, block)
        return
    for i in range(block.shape[1]):
        p = min(here, p + slot.step) if p < here else max(here, p - slot.step)
        for c in range(block.shape[0]):
            block[c, i] = (F32(1.0) - F32(p)) * block[c, i] + F32(p) * made[c, i]
    slot.presence = p


@njit(nogil=True, error_model="numpy", cache=True)
def _run_stage(slot, address, block, scratch, size):  # type: ignore[no-untyped-def]
    s = view_stage(address)
    dry, wet = view_f32(scratch, block.shape), view_f32(scratch + size, block.shape)
    good, ran = 0, begin_stage(slot, s, block, dry, wet)
    if ran:
        good = run(s, wet, scratch + size)
    return end_stage(slot, s, dry, wet, good, ran)


@njit(nogil=True, error_model="numpy", cache=True)
def run_slot(address, block, scratch):  # type: ignore[no-untyped-def]
    """Run a slot of native stages over ``block [channels, n]`` in place.

    `scratch` is the address of :data:`SCRATCH` blocks.
    """
    slot = view_slot(address)
    size = 4 * block.size
    wet = _run_stage(slot, slot.stage, block, scratch, size)
    made = view_f32(scratch + size, block.shape)
    if slot.incoming != 0:
        _run_stage(slot, slot.incoming, block, scratch + 2 * size, size)
        crossfade(slot, made, view_f32(scratch + 3 * size, block.shape))
    slot.wet = wet
    join(slot, block, made)


@njit(nogil=True, error_model="numpy", cache=True)
def run_slots(slots, count, block, scratch):  # type: ignore[no-untyped-def]
    """Run the native slots whose addresses lie at address `slots` one after the other."""
    for i in range(count):
        run_slot(view_i64(slots, count)[i], block, scratch)


@njit(nogil=True, error_model="numpy", cache=True)
def begin_at(slot, stage, block, dry, wet):  # type: ignore[no-untyped-def]
    """:func:`begin_stage` by addresses, for Python callers."""
    return begin_stage(view_slot(slot), view_stage(stage), block, dry, wet)


@njit(nogil=True, error_model="numpy", cache=True)
def run_at(stage, wet, address):  # type: ignore[no-untyped-def]
    """:func:`realtime.engine.stage.run` by address, for Python callers."""
    return run(view_stage(stage), wet, address)


@njit(nogil=True, error_model="numpy", cache=True)
def end_at(slot, stage, dry, wet, good, ran):  # type: ignore[no-untyped-def]
    """:func:`end_stage` by addresses, for Python callers."""
    return end_stage(view_slot(slot), view_stage(stage), dry, wet, good, ran)


@njit(nogil=True, error_model="numpy", cache=True)
def leave_at(slot, block, made, other, wet):  # type: ignore[no-untyped-def]
    """Crossfade and join by address, for Python callers."""
    s = view_slot(slot)
    if s.incoming != 0:
        crossfade(s, made, other)
    s.wet = wet
    join(s, block, made)
