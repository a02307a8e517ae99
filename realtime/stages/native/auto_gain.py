"""AutoGain: speech of any level brought to one, slowly, and never above a ceiling.

The level is the mean square behind the weighting of ITU-R BS.1770-5, of all channels together,
over the time that a gate lets count: above a threshold, and not far below what was heard of late,
so that pauses and the noise in them move nothing (the two gates of BS.1770, made to run).  What
would still go above the ceiling is turned down at once and let go slowly.
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
    shared,
    slope,
    state,
    values,
    view_effect,
)
from .stage import Kind

F32 = np.float32
FAST_MS, SLOW_MS = 50.0, 1500.0  # time constants of what is heard now, and of late
BELOW_DB = 12.0  # under what was heard of late: a pause
EAGER = 3.0  # times as fast down as up
RELEASE_MS = 80.0  # of the ceiling
OFFSET_DB = -0.691  # of BS.1770
# BS.1770's shelf and high-pass, as the analogue prototypes they are
SHELF_HZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
SHELF_BAND, PASS_HZ, PASS_Q = 0.4996667741545416, 38.13547087602444, 0.5003270373238773
# shared: power now, power of late (0: nothing yet), gain [dB], what the ceiling takes away
NOW, LATE, GAIN, CEILING = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy", cache=True)
def k_weighting(to, rate):  # type: ignore[no-untyped-def]
    """Write b0, b1, b2, a1, a2 of the shelf and of the high-pass into ``to[10]``."""
    k = math.tan(math.pi * SHELF_HZ / rate)
    high = 10.0 ** (SHELF_DB / 20.0)
    band = high**SHELF_BAND
    a0 = 1.0 + k / SHELF_Q + k * k
    to[0] = (high + band * k / SHELF_Q + k * k) / a0
    to[1] = 2.0 * (k * k - high) / a0
    to[2] = (high - band * k / SHELF_Q + k * k) / a0
    to[3], to[4] = 2.0 * (k * k - 1.0) / a0, (1.0 - k / SHELF_Q + k * k) / a0
    k = math.tan(math.pi * PASS_HZ / rate)
    a0 = 1.0 + k / PASS_Q + k * k
    to[5], to[6], to[7] = 1.0, -2.0, 1.0
    to[8], to[9] = 2.0 * (k * k - 1.0) / a0, (1.0 - k / PASS_Q + k * k) / a0


@njit(inline="always")
def _weighted(own, w, x):  # type: ignore[no-untyped-def]
    """One sample through both filters; four numbers of memory."""
    y = w[0] * x + own[0]
    own[0] = w[1] * x - w[3] * y + own[1]
    own[1] = w[2] * x - w[4] * y
    z = w[5] * y + own[2]
    own[2] = w[6] * y - w[8] * z + own[3]
    own[3] = w[7] * y - w[9] * z
    return z


@njit(nogil=True, error_model="numpy", cache=True)
def _level(block, memory, together, here, step, rate):  # type: ignore[no-untyped-def]
    """Coefficients: target [dB], ceiling, most gain [dB], gate [power], dB a sample, filters."""
    w = here[5:15]
    fast, slow = 1000.0 / (FAST_MS * rate), 1000.0 / (SLOW_MS * rate)
    back = math.exp(-1000.0 / (RELEASE_MS * rate))
    pause = 10.0 ** (-BELOW_DB / 10.0)
    for i in range(block.shape[1]):
        k = i + 1
        power, peak = 0.0, 0.0
        for c in range(block.shape[0]):
            x = float(block[c, i])
            z = _weighted(memory[c], w, x)
            power += z * z
            peak = max(peak, abs(x))
        together[NOW] += fast * (power - together[NOW])
        heard = together[NOW]
        speed = here[4] + step[4] * k
        if heard > here[3] + step[3] * k and heard > pause * together[LATE]:
            if together[LATE] == 0.0:
                together[LATE] = heard
            together[LATE] += slow * (power - together[LATE])
            level = OFFSET_DB + 10.0 * math.log10(together[LATE] + 1e-12)
            off = here[0] + step[0] * k - level - together[GAIN]
            together[GAIN] += max(-EAGER * speed, min(speed, off))
        most = here[2] + step[2] * k
        together[GAIN] = max(-most, min(most, together[GAIN]))
        gain = 10.0 ** (together[GAIN] / 20.0)
        ceiling = here[1] + step[1] * k
        room = 1.0 + back * (together[CEILING] - 1.0) if together[CEILING] > 0.0 else 1.0
        if peak * gain * room > ceiling:
            room = ceiling / (peak * gain)
        together[CEILING] = room
        for c in range(block.shape[0]):
            y = F32(block[c, i] * (gain * room))
            block[c, i] = min(F32(ceiling), max(F32(-ceiling), y))


@cache
def auto_gain_step() -> Any:
    """AutoGain."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def auto_gain(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        if renewed(e):
            p, to = values(e), goal(e)
            to[0], to[1], to[2] = p[0], decibels(p[1]), p[2]
            to[3] = 10.0 ** ((float(p[3]) - OFFSET_DB) / 10.0)
            to[4] = float(p[4]) / e.rate
            k_weighting(to[5:15], e.rate)
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _level(block, state(e), shared(e), now(e), slope(e), e.rate)
        arrive(e)
        return 0

    return auto_gain


AUTO_GAIN = {"AutoGain": Kind(auto_gain_step, 15, state=4, shared=4)}
