"""LadderFilter: four one-pole stages in a loop with saturation.

The loop and the zero at -0.3 in each stage are those of V. Välimäki and A. Huovilainen, "Oscillator
and filter algorithms for virtual analog synthesis", Computer Music Journal 30(2), 2006; the modes
are sums of the stages' outputs.  The saturation is tanh by a table of 128 points with straight
lines between them, as pedalboard's is: with an exact tanh the two differ at -56 dB.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import STEP, depart, goal, now, renewed, slope, state, values, view_effect
from .stage import Kind

F32 = np.float32
REACH, POINTS = 5.0, 128  # of the table of tanh
CURVE = np.tanh(np.linspace(-REACH, REACH, POINTS))
# what each mode adds up of the loop's input and of its four stages; last, how much of the input is
# held against the resonance, which keeps the level of the passband
MODES = np.array(
    [
        [0.0, 0.0, 1.2, 0.0, 0.0, 0.5],  # LPF12
        [1.2, -2.4, 1.2, 0.0, 0.0, 0.0],  # HPF12
        [0.0, 0.0, -1.2, 1.2, 0.0, 0.5],  # BPF12
        [0.0, 0.0, 0.0, 0.0, 1.2, 0.5],  # LPF24
        [1.2, -4.8, 7.2, -4.8, 1.2, 0.0],  # HPF24
        [0.0, 0.0, 1.2, -2.4, 1.2, 0.5],  # BPF24
    ]
)
POLE, RESONANCE, DRIVE, LEVEL, LOOP_DRIVE, LOOP_LEVEL, MODE = 0, 1, 2, 3, 4, 5, 6
COUNT = MODE + MODES.shape[1]
MODE_SPEED = 1.0 / 128.0  # per sample: a new mode fades in
REACHED = 1e-6


@njit(nogil=True, error_model="numpy", cache=True)
def _saturated(x):  # type: ignore[no-untyped-def]
    at = min(max((x + REACH) * ((POINTS - 1) / (2.0 * REACH)), 0.0), POINTS - 1.0)
    k = min(int(at), POINTS - 2)
    return CURVE[k] + (at - k) * (CURVE[k + 1] - CURVE[k])


@njit(inline="always")
def _level(drive):  # type: ignore[no-untyped-def]
    """Gain behind a saturation that is driven by `drive` (measured at pedalboard's output)."""
    return drive**-2.642 * 0.6103 + 0.3903


@njit(nogil=True, error_model="numpy", cache=True)
def _ladder(block, memory, here, step, mode):  # type: ignore[no-untyped-def]
    """One block; ``here[MODE:]`` moves towards `mode` and is written back."""
    taps = here[MODE:]
    fading = False
    for k in range(taps.shape[0]):
        fading |= taps[k] != mode[k]
    for i in range(block.shape[1]):
        if fading:
            for k in range(taps.shape[0]):
                taps[k] += (mode[k] - taps[k]) * MODE_SPEED
        t = i + 1
        pole = here[POLE] + step[POLE] * t
        b0, b1 = (1.0 - pole) / 1.3, (1.0 - pole) * 0.3 / 1.3
        resonance = 4.0 * (here[RESONANCE] + step[RESONANCE] * t)
        drive, level = here[DRIVE] + step[DRIVE] * t, here[LEVEL] + step[LEVEL] * t
        loop_drive = here[LOOP_DRIVE] + step[LOOP_DRIVE] * t
        loop_level = here[LOOP_LEVEL] + step[LOOP_LEVEL] * t
        for c in range(block.shape[0]):
            s = memory[c]
            x = level * _saturated(drive * float(block[c, i]))
            a = x - resonance * (loop_level * _saturated(loop_drive * s[4]) - x * taps[5])
            b = b1 * s[0] + pole * s[1] + b0 * a
            d = b1 * s[1] + pole * s[2] + b0 * b
            f = b1 * s[2] + pole * s[3] + b0 * d
            g = b1 * s[3] + pole * s[4] + b0 * f
            s[0], s[1], s[2], s[3], s[4] = a, b, d, f, g
            block[c, i] = F32(a * taps[0] + b * taps[1] + d * taps[2] + f * taps[3] + g * taps[4])
    if fading:
        for k in range(taps.shape[0]):
            if abs(taps[k] - mode[k]) < REACHED:
                taps[k] = mode[k]


@cache
def ladder_step() -> Any:
    """LadderFilter."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def ladder(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        to, here = goal(e), now(e)
        if renewed(e):
            p = values(e)
            drive = float(p[3])
            loop_drive = 0.04 * drive + 0.96
            to[POLE] = math.exp(-2.0 * math.pi * float(p[1]) / e.rate)
            to[RESONANCE] = 0.1 + 0.9 * float(p[2])
            to[DRIVE], to[LEVEL] = drive, _level(drive)
            to[LOOP_DRIVE], to[LOOP_LEVEL] = loop_drive, _level(loop_drive)
            chosen = min(max(int(p[0]), 0), MODES.shape[0] - 1)
            for k in range(MODES.shape[1]):
                to[MODE + k] = MODES[chosen, k]
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        _ladder(block, state(e), here, slope(e), to[MODE:])
        for k in range(MODE):
            here[k] = to[k]
        return 0

    return ladder


LADDER = {"LadderFilter": Kind(ladder_step, COUNT, state=5)}
