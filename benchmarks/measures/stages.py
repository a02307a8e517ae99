"""Where a hop's time goes, stage by stage, in one run: paced at real time and in a hot loop.

:func:`staged_hop` is :func:`realtime.engine.hop.process_hop` with the clock read between its
stages (a test holds the two to the same bits), so what restyle adds to the FFT and to the model's
step is measured in the very hop, with the caches as cold as they are there, and not estimated from
separate loops.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cfunc, njit, types

from realtime.dsp.dynamics import scrub
from realtime.dsp.fft import irfft, rfft
from realtime.dsp.mix import delay, mix
from realtime.engine.engine import Engine
from realtime.engine.governor import cover
from realtime.engine.hop import _run_model, back, front, smooth
from realtime.engine.lane import MIX, SPECTRUM, view_lane
from realtime.models.streaming import StreamingModel
from realtime.native.intrinsics import (
    call_stream,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    sleep_address,
    view_f32,
    view_i64,
)
from realtime.stream.worker import raise_priority

from ..rig import spread
from ..rig.pace import pace

WARM_UP = 200  # hops that are not counted
FRONT, FRAME, FORWARD, MODEL, INVERSE, OVERLAP, BACK, N_STAGES = range(8)
LANE, TIMES, CAPACITY, COUNT, INPUT, OUTPUT, N_SLOTS = range(7)
FFT = (FORWARD, INVERSE)


@njit(nogil=True, error_model="numpy", cache=True)
def staged_hop(lane, block, times):  # type: ignore[no-untyped-def]
    """Process one hop in place and write how long each stage took ``times [N_STAGES], ns``."""
    channels, hop, n_fft, length = lane.channels, lane.hop, lane.n_fft, lane.synthesis
    at = monotonic_ns(lane.clock)
    times[:] = 0
    front(lane, block)
    dry, wet = view_f32(lane.dry, (channels, hop)), view_f32(lane.wet, (channels, hop))
    line = view_f32(lane.dry_line, (channels, lane.latency))
    lane.dry_position = delay(block, line, lane.dry_position, dry)
    at = _lap(lane, times, FRONT, at)
    if lane.domain == SPECTRUM:
        shape = (channels, 2, n_fft // 2 + 1)
        x, y = view_f32(lane.model_x, shape), view_f32(lane.model_y, shape)
        table, work = view_f32(lane.table, (2, n_fft)), view_f32(lane.work, (4, n_fft // 2))
        frame, history = view_f32(lane.frame, n_fft), view_f32(lane.history, (channels, n_fft))
        window = view_f32(lane.analysis_window, n_fft)
        for c in range(channels):
            for i in range(n_fft - hop):
                history[c, i] = history[c, i + hop]
            for i in range(hop):
                history[c, n_fft - hop + i] = block[c, i]
            for i in range(n_fft):
                frame[i] = history[c, i] * window[i]
            at = _lap(lane, times, FRAME, at)
            rfft(frame, x[c, 0], x[c, 1], work, table)
            at = _lap(lane, times, FORWARD, at)
        status = _run_model(lane)
        at = _lap(lane, times, MODEL, at)
        ola = view_f32(lane.ola, (channels, length))
        window = view_f32(lane.synthesis_window, length)
        for c in range(channels):
            irfft(y[c, 0], y[c, 1], frame, work, table)
            at = _lap(lane, times, INVERSE, at)
            for i in range(length):
                ola[c, i] += frame[n_fft - length + i] * window[i]
            for i in range(hop):
                wet[c, i] = ola[c, i]
            for i in range(length - hop):
                ola[c, i] = ola[c, i + hop]
            for i in range(length - hop, length):
                ola[c, i] = 0.0
            at = _lap(lane, times, OVERLAP, at)
    else:
        flat = view_f32(lane.model_x, (channels, hop))
        flat[:] = block
        at = _lap(lane, times, FRAME, at)
        status = _run_model(lane)
        at = _lap(lane, times, MODEL, at)
        wet[:] = view_f32(lane.model_y, (channels, hop))
        at = _lap(lane, times, OVERLAP, at)
    cover(lane, dry, wet, 1 if status == 0 and scrub(wet) == 0 else 0)
    start, end = smooth(lane, MIX)
    mix(dry, wet, start, end)
    block[:] = wet
    back(lane, block)
    _lap(lane, times, BACK, at)


@njit(inline="always")
def _lap(lane, times, stage, since):  # type: ignore[no-untyped-def]
    now = monotonic_ns(lane.clock)
    times[stage] += now - since
    return now


@cache
def _callback() -> Any:
    """A stream callback whose record is the slots at the top of this file."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def callback(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        slots = view_i64(record, N_SLOTS)
        lane = view_lane(slots[LANE])
        shape = (lane.channels, lane.hop)
        count = slots[COUNT]
        times = view_i64(slots[TIMES], (slots[CAPACITY], N_STAGES))
        block = view_f32(slots[OUTPUT], shape)
        block[:] = view_f32(slots[INPUT], shape)
        old = flush_denormals()
        staged_hop(lane, block, times[count % slots[CAPACITY]])
        restore_denormals(old)
        slots[COUNT] = count + 1
        return 0

    return callback


def sample(
    model: StreamingModel, seconds: float, *, paced: bool, warm_up: int = WARM_UP
) -> npt.NDArray[np.float64]:
    """Times of the stages of `model` over `seconds` of sound ``[hops, N_STAGES]`` [microseconds].

    The first `warm_up` hops are not counted.
    """
    rate, hop = model.card.sample_rate, model.card.hop_length
    engine = Engine(model, sample_rate=rate)
    hops = warm_up + max(1, round(seconds * rate / hop))
    times = np.zeros((hops, N_STAGES), dtype=np.int64)
    x = np.random.default_rng(0).uniform(-0.3, 0.3, hop).astype(np.float32)
    y = np.zeros(hop, dtype=np.float32)
    slots = np.zeros(N_SLOTS, dtype=np.int64)
    slots[LANE], slots[TIMES], slots[CAPACITY] = engine.address, times.ctypes.data, hops
    slots[INPUT], slots[OUTPUT] = x.ctypes.data, y.ctypes.data
    period = round(1e9 * hop / rate) if paced else 1
    lateness, control = np.full(hops, -1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    arguments = (int(slots.ctypes.data), 0, 0, hop)

    def run() -> None:
        raise_priority()
        address = int(_callback().address)
        if paced:
            pace(address, arguments, period, control, lateness, clock_address(), sleep_address())
        else:
            _spin(address, arguments[0], hops)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return times[warm_up : int(slots[COUNT])] / 1000.0


def measure(model: StreamingModel, seconds: float, *, paced: bool) -> dict[str, Any]:
    """Spread of the stages of `model` over `seconds` of sound.

    Returns
    -------
    dict
        ``hop_us``, ``model_us``, ``fft_us`` and ``own_us`` (per hop: all of it less FFT and step),
        ``model_share_percent`` and ``own_share_percent`` of the total, ``cpu_percent`` of a core
        at real time, ``hops``.
    """
    done = sample(model, seconds, paced=paced)
    rate, hop = model.card.sample_rate, model.card.hop_length
    total, step, fft = done.sum(axis=1), done[:, MODEL], done[:, FFT].sum(axis=1)
    return {
        "hop_us": spread.of_values(total),
        "model_us": spread.of_values(step),
        "fft_us": spread.of_values(fft),
        "own_us": spread.of_values(total - step - fft),
        "model_share_percent": round(100 * float(step.sum() / total.sum()), 1),
        "own_share_percent": round(100 * float(1 - (step + fft).sum() / total.sum()), 1),
        "cpu_percent": round(100 * float(total.mean()) * 1e-6 * rate / hop, 2),
        "hops": len(done),
    }


@njit(nogil=True, error_model="numpy", cache=True)
def _spin(address, record, count):  # type: ignore[no-untyped-def]
    for _ in range(count):
        call_stream(address, (0, 0, 0, 0, 0, record))
