"""NoiseGate, Compressor and Limiter: a gain that follows the level of each channel.

The level is that of one pole with two speeds (U. Zölzer, "DAFX", 2011, §4.2), its time constants
given as 1 / 2 pi of the milliseconds.  The gain is a power of level over threshold: above it for a
compressor, below it for a gate.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import (
    STEP,
    arrive,
    decibels,
    depart,
    goal,
    now,
    renewed,
    slope,
    state,
    values,
    view_effect,
)
from .stage import Kind

F32 = np.float32
GATE_RMS_MS = 50.0  # over which the gate takes the level before its own attack and release
# the limiter's first stage: pedalboard's, found by measuring it
FIRST_DB, FIRST_RATIO, FIRST_ATTACK_MS, FIRST_RELEASE_MS = -10.0, 4.0, 2.0, 200.0
SECOND_RATIO = 1000.0


@njit(nogil=True, error_model="numpy", cache=True)
def pole(milliseconds, rate):  # type: ignore[no-untyped-def]
    """Share of the old level that is left after one sample."""
    if milliseconds < 1e-3:
        return 0.0
    return math.exp(-2000.0 * math.pi / (rate * float(milliseconds)))


@njit(inline="always")
def _followed(level, x, attack, release):  # type: ignore[no-untyped-def]
    share = attack if x > level else release
    return x + share * (level - x)


@njit(inline="always")
def _power(ratio, exponent):  # type: ignore[no-untyped-def]
    return math.pow(F32(ratio), F32(exponent))


@njit(nogil=True, error_model="numpy", cache=True)
def _compress(block, memory, place, here, step):  # type: ignore[no-untyped-def]
    """Coefficients threshold, exponent, attack, release; the level is ``memory[c, place]``."""
    for c in range(block.shape[0]):
        level = memory[c, place]
        for i in range(block.shape[1]):
            k = i + 1
            x = block[c, i]
            level = _followed(level, abs(float(x)), here[2] + step[2] * k, here[3] + step[3] * k)
            threshold = here[0] + step[0] * k
            if level >= threshold:
                block[c, i] = x * _power(level / threshold, here[1] + step[1] * k)
        memory[c, place] = level


@njit(nogil=True, error_model="numpy", cache=True)
def _clip(block, start, step):  # type: ignore[no-untyped-def]
    for c in range(block.shape[0]):
        for i in range(block.shape[1]):
            y = block[c, i] * F32(start + step * (i + 1))
            block[c, i] = min(F32(1.0), max(F32(-1.0), y))


@njit(nogil=True, error_model="numpy", cache=True)
def _gate(block, memory, here, step):  # type: ignore[no-untyped-def]
    """Coefficients threshold, exponent, attack, release, closing level, hold, RMS's release.

    Memory: mean square, level, 1 while open, samples since the level was above, and what the level
    is lifted by: to the threshold while open, back to itself with the release once closed.
    """
    for c in range(block.shape[0]):
        own = memory[c]
        power, level, is_open, since, lift = own[0], own[1], own[2], own[3], max(own[4], 1.0)
        for i in range(block.shape[1]):
            k = i + 1
            x = block[c, i]
            power = _followed(power, float(x) * float(x), 0.0, here[6] + step[6] * k)
            release = here[3] + step[3] * k
            level = _followed(level, math.sqrt(power), here[2] + step[2] * k, release)
            threshold = here[0] + step[0] * k
            if level > threshold:
                is_open, since, lift = 1.0, 0.0, 1.0
                continue
            since += 1.0
            if is_open != 0.0:
                held = since <= here[5] + step[5] * k
                if held or level > here[4] + step[4] * k:
                    lift = threshold / max(level, 1e-12)
                    continue
                is_open = 0.0
            lift = 1.0 + release * (lift - 1.0)
            ratio = min(1.0, level * lift / threshold)
            block[c, i] = x * _power(ratio, here[1] + step[1] * k)
        own[0], own[1], own[2], own[3], own[4] = power, level, is_open, since, lift


@cache
def compressor_step() -> Any:
    """Compressor."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def compressor(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            to[0], to[1] = decibels(p[0]), 1.0 / float(p[1]) - 1.0
            to[2], to[3] = pole(p[2], e.rate), pole(p[3], e.rate)
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _compress(block, state(e), 0, now(e), slope(e))
        arrive(e)
        return 0

    return compressor


@cache
def limiter_step() -> Any:
    """Limiter: two compressors, make-up gain, and no sample beyond full scale."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def limiter(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            to[0], to[1] = decibels(FIRST_DB), 1.0 / FIRST_RATIO - 1.0
            to[2], to[3] = pole(FIRST_ATTACK_MS, e.rate), pole(FIRST_RELEASE_MS, e.rate)
            to[4], to[5] = decibels(p[0]), 1.0 / SECOND_RATIO - 1.0
            to[6], to[7] = 0.0, pole(p[1], e.rate)
            # half of what the first stage takes at full scale, and all of the second's
            to[8] = decibels(0.5 * -FIRST_DB * (1.0 - 1.0 / FIRST_RATIO) - float(p[0]))
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _compress(block, state(e), 0, now(e)[:4], slope(e)[:4])
        _compress(block, state(e), 1, now(e)[4:8], slope(e)[4:8])
        _clip(block, now(e)[8], slope(e)[8])
        arrive(e)
        return 0

    return limiter


@cache
def gate_step() -> Any:
    """NoiseGate; without hold and hysteresis it is pedalboard's."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def gate(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            to[0], to[1] = decibels(p[0]), float(p[1]) - 1.0
            to[2], to[3] = pole(p[2], e.rate), pole(p[3], e.rate)
            to[4] = decibels(p[0] - p[5])
            to[5] = 0.001 * float(p[4]) * e.rate
            to[6] = pole(GATE_RMS_MS, e.rate)
        depart(e, n)
        _gate(view_f32(block_address, (e.channels, n)), state(e), now(e), slope(e))
        arrive(e)
        return 0

    return gate


DYNAMICS = {
    "Compressor": Kind(compressor_step, 4, state=1),
    "Limiter": Kind(limiter_step, 9, state=2),
    "NoiseGate": Kind(gate_step, 7, state=5),
}
