"""DeHum: what the mains sing into a line, followed and taken away.

An adaptive line canceller (Widrow et al., "Adaptive noise cancelling", Proc. IEEE 63(12), 1975):
for each harmonic a cosine and a sine, weighted so that they cancel it.  At a steady frequency that
is a notch, and its width follows from the step of the weights (Glover, IEEE ASSP-25(6), 1977).
Where the mains are off 50 or 60 Hz the weights turn, each harmonic's by its number times as fast;
that turn corrects the frequency.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import STEP, arrive, depart, goal, now, renewed, slope, state, values, view_effect
from .stage import Kind

F32 = np.float32
MOST = 40  # harmonics
AUTO, FIFTY, SIXTY = 0, 1, 2
STRAY_HZ = 1.0  # the mains are never further off than that
LOOK = 256  # samples between two corrections of the frequency
PULL, SLOW = 2.5, 10.0  # a second: how fast an error is taken away, and what turns is looked at
LOWEST = 8  # harmonics that are looked at: the higher ones turn for many a reason
SURE = 4.0  # power of one line over the other's, from which it is followed
LISTEN_HZ = 0.5  # half width of the two filters that decide between 50 and 60 Hz
# of each channel: phase [turns], frequency [Hz], samples since the last look, what listens to the
# two lines (phase, cosine, sine each), which was chosen; then weights of cosines and sines, and the
# same more slowly
PHASE, HZ, COUNT, LINES, CHOSEN, WEIGHTS = 0, 1, 2, 3, 9, 10
NUMBERS = WEIGHTS + 4 * MOST


@njit(nogil=True, error_model="numpy", cache=True)
def _listen(own, x, rate):  # type: ignore[no-untyped-def]
    """Hear how strong the lines at 50 and at 60 Hz are."""
    share = 2.0 * math.pi * LISTEN_HZ / rate
    for line in range(2):
        at = LINES + 3 * line
        own[at] += (50.0 + 10.0 * line) / rate
        own[at] -= math.floor(own[at])
        turn = 2.0 * math.pi * own[at]
        own[at + 1] += share * (x * math.cos(turn) - own[at + 1])
        own[at + 2] += share * (x * math.sin(turn) - own[at + 2])


@njit(nogil=True, error_model="numpy", cache=True)
def _choose(own, mains):  # type: ignore[no-untyped-def]
    """The line to follow: 50 or 60 Hz."""
    wanted = 50.0 if own[CHOSEN] == 0.0 else own[CHOSEN]
    if mains == FIFTY:
        wanted = 50.0
    elif mains == SIXTY:
        wanted = 60.0
    else:
        fifty = own[LINES + 1] ** 2 + own[LINES + 2] ** 2
        sixty = own[LINES + 4] ** 2 + own[LINES + 5] ** 2
        if fifty > SURE * sixty:
            wanted = 50.0
        elif sixty > SURE * fifty:
            wanted = 60.0
    if wanted != own[CHOSEN]:
        own[CHOSEN] = own[HZ] = wanted
        own[WEIGHTS:] = 0.0


@njit(nogil=True, error_model="numpy", cache=True)
def _correct(own, harmonics, rate):  # type: ignore[no-untyped-def]
    """How far the weights turned since the last look says how far the frequency is off."""
    turned, sure, looks = 0.0, 1e-20, LOOK / rate
    for k in range(min(harmonics, LOWEST)):
        number, at = k + 1.0, WEIGHTS + 4 * k
        a, b = own[at + 2], own[at + 3]
        c = a + SLOW * looks * (own[at] - a)
        d = b + SLOW * looks * (own[at + 1] - b)
        own[at + 2], own[at + 3] = c, d
        power, turn = a * a + b * b, b * c - a * d
        if abs(turn) < power * number * 2.0 * math.pi * STRAY_HZ * looks:
            turned += number * turn
            sure += number * number * power
    off = turned / sure / (2.0 * math.pi * looks)
    hz = own[HZ] + PULL * looks * off
    own[HZ] = max(own[CHOSEN] - STRAY_HZ, min(own[CHOSEN] + STRAY_HZ, hz))


@njit(nogil=True, error_model="numpy", cache=True)
def _cancel(block, memory, mains, harmonics, rate, here, step):  # type: ignore[no-untyped-def]
    """Coefficients: step of the weights, share that is taken away."""
    for c in range(block.shape[0]):
        own = memory[c]
        for i in range(block.shape[1]):
            x = float(block[c, i])
            if own[COUNT] == 0.0:
                _choose(own, mains)
            _listen(own, x, rate)
            own[PHASE] += own[HZ] / rate
            own[PHASE] -= math.floor(own[PHASE])
            turn = 2.0 * math.pi * own[PHASE]
            co, si = math.cos(turn), math.sin(turn)
            p, q, hum = co, si, 0.0
            for k in range(harmonics):
                hum += own[WEIGHTS + 4 * k] * p + own[WEIGHTS + 4 * k + 1] * q
                p, q = p * co - q * si, q * co + p * si
            gain, rest = here[0] + step[0] * (i + 1), x - hum
            p, q = co, si
            for k in range(harmonics):
                own[WEIGHTS + 4 * k] += gain * rest * p
                own[WEIGHTS + 4 * k + 1] += gain * rest * q
                p, q = p * co - q * si, q * co + p * si
            block[c, i] = F32(x - (here[1] + step[1] * (i + 1)) * hum)
            own[COUNT] += 1.0
            if own[COUNT] >= LOOK:
                own[COUNT] = 0.0
                _correct(own, harmonics, rate)


@cache
def dehum_step() -> Any:
    """DeHum."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def dehum(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p = values(e)
        if renewed(e):
            goal(e)[0], goal(e)[1] = 2.0 * math.pi * float(p[2]) / e.rate, p[3]
        depart(e, n)
        block = view_f32(block_address, (e.channels, n))
        most = min(MOST, max(1, int(0.45 * e.rate / 61.0)))
        harmonics = min(most, max(1, int(p[1] + F32(0.5))))
        _cancel(block, state(e), int(p[0] + F32(0.5)), harmonics, e.rate, now(e), slope(e))
        arrive(e)
        return 0

    return dehum


DEHUM = {"DeHum": Kind(dehum_step, 2, state=NUMBERS)}
