"""One hop through the native lane: input stage, converter, output stage.

:func:`process_hop` is the one piece of code behind the inline callback, the worker and offline
render, which is why their results are the same bits.  It touches preallocated memory only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit, types

from ..dsp.dynamics import limit, ramp_gain, scrub
from ..dsp.meters import N_BINS, count_duration, level
from ..dsp.mix import delay, mix
from ..dsp.stft import analyse, synthesise
from ..native import events
from ..native.intrinsics import call_step, monotonic_ns, view_f32, view_f64, view_i64
from .governor import awake, cover, restart, watch
from .lane import (
    CONTROLS,
    IN_PEAK,
    INPUT_GAIN,
    LIMITER_GAIN,
    MIX,
    N_METERS,
    OUT_PEAK,
    OUTPUT_GAIN,
    SPECTRUM,
    WAVEFORM,
    view_lane,
)

F32 = np.float32
WHOLE, FRONT, CONVERT, BACK = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy", cache=True)
def smooth(lane, slot):  # type: ignore[no-untyped-def]
    """Move parameter `slot` one hop towards its target; return where the ramp starts and ends."""
    count = CONTROLS + lane.n_controls
    current = view_f64(lane.current, count)
    target = view_f64(lane.targets, count)[slot]
    start = current[slot]
    end = start + (target - start) * lane.smoothing
    if abs(target - end) < 1e-5 * max(1.0, abs(target)):
        end = target
    current[slot] = end
    return start, end


@njit(nogil=True, error_model="numpy", cache=True)
def take_events(lane):  # type: ignore[no-untyped-def]
    """Set the parameters whose time has come: those not later than this hop's first sample."""
    position = lane.start + lane.fronts * lane.hop
    lane.fronts += 1
    if lane.events == 0:
        return
    targets = view_f64(lane.targets, CONTROLS + lane.n_controls)
    while events.pending(lane.events) > 0:
        event = events.first(lane.events)
        if event[events.TIME] > position:
            return
        slot = int(event[events.SLOT])
        if 0 <= slot < targets.shape[0]:
            targets[slot] = event[events.VALUE]
        events.drop(lane.events)


@njit(nogil=True, error_model="numpy", cache=True)
def front(lane, block):  # type: ignore[no-untyped-def]
    """Input stage on one hop in place: parameter events, scrub, gain, meter."""
    take_events(lane)
    lane.input_scrubbed += scrub(block)
    start, end = smooth(lane, INPUT_GAIN)
    ramp_gain(block, start, end)
    level(block, view_f64(lane.meters, N_METERS)[IN_PEAK : IN_PEAK + 2], lane.meter_decay)


@njit(nogil=True, error_model="numpy", cache=True)
def _run_model(lane):  # type: ignore[no-untyped-def]
    """Set the controls, step the model, time it; return its status."""
    controls = view_f32(lane.controls, lane.n_controls)
    switched = view_i64(lane.switched, lane.n_controls)  # categorical ones do not ramp
    current = view_f64(lane.current, CONTROLS + lane.n_controls)
    targets = view_f64(lane.targets, CONTROLS + lane.n_controls)
    for i in range(lane.n_controls):
        if switched[i] != 0:
            current[CONTROLS + i] = targets[CONTROLS + i]
        controls[i] = smooth(lane, CONTROLS + i)[1]
    begin = monotonic_ns(lane.clock)
    status = call_step(lane.step, (lane.argument,))
    spent = monotonic_ns(lane.clock) - begin
    count_duration(view_i64(lane.model_histogram, N_BINS), spent)
    watch(lane, spent)
    return status


@njit(nogil=True, error_model="numpy", cache=True)
def _step_waveform(lane, block, wet):  # type: ignore[no-untyped-def]
    x = view_f32(lane.model_x, (lane.channels, lane.hop))
    y = view_f32(lane.model_y, (lane.channels, lane.hop))
    for c in range(lane.channels):
        for i in range(lane.hop):
            x[c, i] = block[c, i]
    status = _run_model(lane)
    for c in range(lane.channels):
        for i in range(lane.hop):
            wet[c, i] = y[c, i]
    return status


@njit(nogil=True, error_model="numpy", cache=True)
def _step_spectrum(lane, block, wet):  # type: ignore[no-untyped-def]
    channels, n_fft = lane.channels, lane.n_fft
    shape = (channels, 2, n_fft // 2 + 1)
    x, y = view_f32(lane.model_x, shape), view_f32(lane.model_y, shape)
    table = view_f32(lane.table, (2, n_fft))
    work = view_f32(lane.work, (4, n_fft // 2))
    frame = view_f32(lane.frame, n_fft)
    history = view_f32(lane.history, (channels, n_fft))
    window = view_f32(lane.analysis_window, n_fft)
    for c in range(channels):
        analyse(block[c], history[c], window, x[c, 0], x[c, 1], frame, work, table)
    status = _run_model(lane)
    ola = view_f32(lane.ola, (channels, lane.synthesis))
    window = view_f32(lane.synthesis_window, lane.synthesis)
    for c in range(channels):
        synthesise(y[c, 0], y[c, 1], ola[c], window, wet[c], frame, work, table)
    return status


@njit(nogil=True, error_model="numpy", cache=True)
def convert(lane, block):  # type: ignore[no-untyped-def]
    """Converter on one hop in place: model, and the dry path delayed by the model's latency."""
    if lane.domain != WAVEFORM and lane.domain != SPECTRUM:
        return
    dry = view_f32(lane.dry, (lane.channels, lane.hop))
    wet = view_f32(lane.wet, (lane.channels, lane.hop))
    line = view_f32(lane.dry_line, (lane.channels, lane.latency))
    lane.dry_position = delay(block, line, lane.dry_position, dry)
    valid = 0
    if awake(lane):
        if lane.domain == SPECTRUM:
            status = _step_spectrum(lane, block, wet)
        else:
            status = _step_waveform(lane, block, wet)
        if status != 0:
            lane.model_errors += 1
        elif scrub(wet) == 0:
            valid = 1
        if valid == 0:
            restart(lane)
    cover(lane, dry, wet, valid)
    start, end = smooth(lane, MIX)
    mix(dry, wet, start, end)
    for c in range(lane.channels):
        for i in range(lane.hop):
            block[c, i] = wet[c, i]


@njit(nogil=True, error_model="numpy", cache=True)
def back(lane, block):  # type: ignore[no-untyped-def]
    """Output stage on one hop in place: scrub, gain, limiter, meter."""
    scrub(block)
    start, end = smooth(lane, OUTPUT_GAIN)
    ramp_gain(block, start, end)
    scrub(block)
    lane.limiter_gain, touched = limit(block, lane.limiter_gain, lane.limiter_release)
    lane.output_limited += touched
    meters = view_f64(lane.meters, N_METERS)
    meters[LIMITER_GAIN] = lane.limiter_gain
    level(block, meters[OUT_PEAK : OUT_PEAK + 2], lane.meter_decay)
    lane.hops += 1


@njit(nogil=True, error_model="numpy", cache=True)
def process_hop(lane, block, part):  # type: ignore[no-untyped-def]
    """Run :data:`WHOLE` of the lane, or one part of it, on ``block [shape=(channels, hop)]``."""
    begin = monotonic_ns(lane.clock)
    if part == WHOLE or part == FRONT:
        front(lane, block)
    if part == WHOLE or part == CONVERT:
        convert(lane, block)
    if part == WHOLE or part == BACK:
        back(lane, block)
    if part == WHOLE or part == CONVERT:
        count_duration(view_i64(lane.hop_histogram, N_BINS), monotonic_ns(lane.clock) - begin)


@cache
def hop_function() -> Any:
    """C function ``hop(lane, block, part) -> 0``: :func:`process_hop` by addresses.

    Everyone calls this one piece of machine code, by the address in ``lane.hop_function``: it is
    compiled once, and the results are the same bits because the code is the same bytes.
    """

    @cfunc(
        types.int64(types.int64, types.int64, types.int64),
        nopython=True,
        error_model="numpy",
        cache=True,
    )
    def hop(lane_address, block_address, part):  # type: ignore[no-untyped-def]
        lane = view_lane(lane_address)
        process_hop(lane, view_f32(block_address, (lane.channels, lane.hop)), part)
        return 0

    return hop
