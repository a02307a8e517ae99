"""Where a hop's time goes, stage by stage, in one run: paced at real time and in a hot loop.

:func:`staged_hop` is :func:`realtime.engine.hop.process_hop` for a path of one model, with the
clock read between its parts (a test holds the two to the same bits), so what restyle adds to the
FFT and to the model's step is measured in the very hop, with the caches as cold as they are there,
and not estimated from separate loops.
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
from realtime.engine.hop import back, front, view_path
from realtime.engine.slot import begin_stage, end_stage, join, view_slot
from realtime.engine.stage import _ramp, view_stage
from realtime.models.steppable import Steppable
from realtime.native.intrinsics import (
    call_step,
    call_stream,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    sleep_address,
    view_f32,
    view_i64,
)
from realtime.stages.model import MODEL as MODEL_TABLE
from realtime.stages.model import model_path, view_model
from realtime.stream.worker import raise_priority

from ..rig import spread
from ..rig.pace import pace

WARM_UP = 200  # hops that are not counted
FRONT, FRAME, FORWARD, MODEL, INVERSE, OVERLAP, BACK, N_STAGES = range(8)
PATH, TIMES, CAPACITY, COUNT, INPUT, OUTPUT, N_SLOTS = range(7)
FFT = (FORWARD, INVERSE)


_history, _ola, _work, _frame, _table, _analysis, _synthesis = (
    MODEL_TABLE.array(n)
    for n in (
        "history", "ola", "work", "frame", "table", "analysis_window", "synthesis_window",
    )
)  # fmt: skip


@njit(inline="always")
def _lap(p, times, stage, since):  # type: ignore[no-untyped-def]
    now = monotonic_ns(p.clock)
    times[stage] += now - since
    return now


@njit(nogil=True, error_model="numpy", cache=True)
def _frames(p, m, block, times, at):  # type: ignore[no-untyped-def]
    """A spectrum model on ``block [channels, hop]`` in place; its status, and when it ended."""
    n_fft, hop, length = m.n_fft, block.shape[1], m.synthesis
    shape = (m.channels, 2, n_fft // 2 + 1)
    x, y = view_f32(m.x, shape), view_f32(m.y, shape)
    table, work, frame = _table(m), _work(m), _frame(m)
    history, window = _history(m), _analysis(m)
    for c in range(m.channels):
        for i in range(n_fft - hop):
            history[c, i] = history[c, i + hop]
        for i in range(hop):
            history[c, n_fft - hop + i] = block[c, i]
        for i in range(n_fft):
            frame[i] = history[c, i] * window[i]
        at = _lap(p, times, FRAME, at)
        rfft(frame, x[c, 0], x[c, 1], work, table)
        at = _lap(p, times, FORWARD, at)
    status = call_step(m.step, (m.argument,))
    at = _lap(p, times, MODEL, at)
    ola, window = _ola(m), _synthesis(m)
    for c in range(m.channels):
        irfft(y[c, 0], y[c, 1], frame, work, table)
        at = _lap(p, times, INVERSE, at)
        for i in range(length):
            ola[c, i] += frame[n_fft - length + i] * window[i]
        for i in range(hop):
            block[c, i] = ola[c, i]
        for i in range(length - hop):
            ola[c, i] = ola[c, i + hop]
        for i in range(length - hop, length):
            ola[c, i] = 0.0
        at = _lap(p, times, OVERLAP, at)
    return status, at


@njit(nogil=True, error_model="numpy", cache=True)
def staged_hop(p, block, times):  # type: ignore[no-untyped-def]
    """Process one hop in place and write how long each part took ``times [N_STAGES], ns``."""
    at = monotonic_ns(p.clock)
    times[:] = 0
    front(p, block)
    slot = view_slot(view_i64(p.slots, p.count)[0])
    s, size = view_stage(slot.stage), 4 * block.size
    m = view_model(s.argument)
    dry, wet = view_f32(p.scratch, block.shape), view_f32(p.scratch + size, block.shape)
    ran = begin_stage(slot, s, block, dry, wet)
    at = _lap(p, times, FRONT, at)
    good = 0
    if ran:
        _ramp(s, block.shape[1])
        if m.n_fft > 0:
            status, at = _frames(p, m, wet, times, at)
        else:
            view_f32(m.x, wet.shape)[...] = wet
            at = _lap(p, times, FRAME, at)
            status = call_step(m.step, (m.argument,))
            at = _lap(p, times, MODEL, at)
            wet[...] = view_f32(m.y, wet.shape)
            at = _lap(p, times, OVERLAP, at)
        good = 1 if status == 0 and scrub(wet) == 0 else 0
    slot.wet = end_stage(slot, s, dry, wet, good, ran)
    join(slot, block, wet)
    back(p, block)
    _lap(p, times, BACK, at)


@cache
def _callback() -> Any:
    """A stream callback whose record is the slots at the top of this file."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy", cache=True)
    def callback(source, target, frames, time_info, flags, record):  # type: ignore[no-untyped-def]
        slots = view_i64(record, N_SLOTS)
        path = view_path(slots[PATH])
        shape = (path.channels, path.hop)
        count = slots[COUNT]
        times = view_i64(slots[TIMES], (slots[CAPACITY], N_STAGES))
        block = view_f32(slots[OUTPUT], shape)
        block[:] = view_f32(slots[INPUT], shape)
        old = flush_denormals()
        staged_hop(path, block, times[count % slots[CAPACITY]])
        restore_denormals(old)
        slots[COUNT] = count + 1
        return 0

    return callback


def sample(
    model: Steppable, seconds: float, *, paced: bool, warm_up: int = WARM_UP
) -> npt.NDArray[np.float64]:
    """Times of the stages of `model` over `seconds` of sound ``[hops, N_STAGES]`` [microseconds].

    The first `warm_up` hops are not counted.
    """
    rate, hop = model.card.sample_rate, model.card.hop_length
    path = model_path(model)
    hops = warm_up + max(1, round(seconds * rate / hop))
    times = np.zeros((hops, N_STAGES), dtype=np.int64)
    x = np.random.default_rng(0).uniform(-0.3, 0.3, hop).astype(np.float32)
    y = np.zeros(hop, dtype=np.float32)
    slots = np.zeros(N_SLOTS, dtype=np.int64)
    slots[PATH], slots[TIMES], slots[CAPACITY] = path.address, times.ctypes.data, hops
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


def measure(model: Steppable, seconds: float, *, paced: bool) -> dict[str, Any]:
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
