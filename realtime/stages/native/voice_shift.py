"""VoiceShift: pitch and formants of a voice moved apart from each other.

Pitch-synchronous overlap-add (E. Moulines and F. Charpentier, "Pitch-synchronous waveform
processing techniques for text-to-speech synthesis using diphones", 1990) on a causal pitch track:
grains of two periods, cut around marks that lie a period apart, are laid down again at the period
wanted, and stretched or squeezed each in itself, which moves the formants.  The period is the first
deep dip of the cumulative mean normalised difference (A. de Cheveigné and H. Kawahara, "YIN", 2002)
over the newest 27 ms; marks follow the waveform by correlation.  Where nothing has a pitch, grains
of 4 ms lie where they came from.  All channels share the marks of their sum.

Latency is fixed: a grain is heard whole only when both its halves have come in.  Voices below 88 Hz
get grains a little shorter than two periods.  With nothing shifted what comes out is what came in.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit
from .record import STEP, line, places, renewed, shared, state, values, view_effect
from .stage import Kind

F32 = np.float32
LATENCY_SECONDS = 0.024
HOP = 64  # samples between two looks for grains that are due
LISTEN = 4  # hops between two estimates of the period
ROOM = 1 << 14  # samples of sound kept, and of sound being made
DECIMATED = 12_000.0  # Hz, about, at which the period is looked for
HIGHEST_HZ, LOWEST_HZ = 520.0, 72.0
WINDOW_SECONDS = 0.0267
CLEAR = 0.22  # a dip this deep is a pitch
FAINT = 1e-3  # amplitude below which there is none
LEVEL_SECONDS = 0.05  # over which the level is kept
MOST_GAIN = 2.0
LOOSE_SECONDS = 0.004  # grains where nothing has a pitch
ROBOT_HZ = 110.0
PITCH, FORMANT, ROBOT, BREATH = 0, 1, 2, 3
# whole numbers remembered
POSITION, VOICED, SEED, CLEAN = 0, 1, 2, 3
# others: the next mark to lay down, the last mark found, the period there
MARK, FOUND, PERIOD = 0, 1, 2
CAME, WENT = 3, 4  # mean power of what came in, delayed, and of what is made of it
KEPT = 8  # then the sum of all channels


@njit(nogil=True, error_model="numpy", cache=True)
def latency_of(rate):  # type: ignore[no-untyped-def]
    """Samples."""
    return int(round(LATENCY_SECONDS * rate))


@njit(nogil=True, error_model="numpy", cache=True)
def _decimated(ring, end, step, i):  # type: ignore[no-untyped-def]
    """Sample `i` before `end`, each the mean of `step`."""
    total = 0.0
    for k in range(step):
        total += ring[(end - 1 - i * step - k) & (ROOM - 1)]
    return total / step


@njit(nogil=True, error_model="numpy", cache=True)
def period_of(ring, end, rate, work):  # type: ignore[no-untyped-def]
    """The period of the newest sound, in samples; 0 where it has none.

    Parameters
    ----------
    ring : ndarray [shape=(ROOM,), float64]
        Sound; the newest sample is the one before position `end`.
    work : ndarray [shape=(ROOM,), float64]
        Scratch memory.
    """
    step = max(1, int(round(rate / DECIMATED)))
    slow = rate / step
    longest, shortest = int(slow / LOWEST_HZ) + 2, max(4, int(slow / HIGHEST_HZ))
    size = int(WINDOW_SECONDS * slow)
    span = size - longest
    peak = 0.0
    for i in range(size):
        work[i] = _decimated(ring, end, step, i)
        peak = max(peak, abs(work[i]))
    if peak < FAINT:
        return 0.0
    d = work[size : size + longest + 1]
    total, best = 0.0, 0
    d[0] = 1.0
    for lag in range(1, longest + 1):
        difference = 0.0
        for i in range(span):
            gap = work[i] - work[i + lag]
            difference += gap * gap
        total += difference
        d[lag] = difference * lag / total if total > 0.0 else 1.0
    for lag in range(shortest, longest):
        if d[lag] < CLEAR and d[lag] <= d[lag - 1] and d[lag] < d[lag + 1]:
            best = lag
            break
    if best == 0:
        return 0.0
    return _refined(ring, end, best, step, span)


@njit(nogil=True, error_model="numpy", cache=True)
def _refined(ring, end, lag, step, span):  # type: ignore[no-untyped-def]
    """A period of `lag` decimated samples, to a part of a sample at the full rate."""
    first, count = max(2, (lag - 1) * step), span * step
    lowest, at = math.inf, first
    before = here = after = 0.0
    previous = math.inf
    for candidate in range(first, (lag + 1) * step + 2):
        difference = 0.0
        for i in range(0, count, 2):
            gap = ring[(end - 1 - i) & (ROOM - 1)] - ring[(end - 1 - i - candidate) & (ROOM - 1)]
            difference += gap * gap
        if difference < lowest:
            lowest, at, before, here, after = difference, candidate, previous, difference, -1.0
        elif after < 0.0 and candidate == at + 1:
            after = difference
        previous = difference
    if after < 0.0 or math.isinf(before):
        return float(at)
    bend = before - 2.0 * here + after
    return at + (0.5 * (before - after) / bend if bend > 0.0 else 0.0)


@njit(nogil=True, error_model="numpy", cache=True)
def _next_mark(ring, mark, period, limit):  # type: ignore[no-untyped-def]
    """The mark after `mark`: where the waveform is most like that around it.

    None beyond `limit` is looked at.
    """
    half = int(0.5 * period)
    best, found = -math.inf, mark + period
    for lag in range(int(0.85 * period), int(1.18 * period) + 1):
        if mark + lag + half >= limit:
            break
        product, energy = 0.0, 1e-12
        for i in range(-half, half, 2):
            a = ring[(int(mark) + i) & (ROOM - 1)]
            b = ring[(int(mark) + lag + i) & (ROOM - 1)]
            product += a * b
            energy += b * b
        alike = product / math.sqrt(energy)
        if alike > best:
            best, found = alike, mark + lag
    return found


@njit(nogil=True, error_model="numpy", cache=True)
def _crest(ring, end, period):  # type: ignore[no-untyped-def]
    """Where the sound is greatest in the period before `end`: the first mark of a voiced part."""
    best, at = -1.0, end
    for i in range(int(period)):
        value = abs(ring[(int(end) - i) & (ROOM - 1)])
        if value > best:
            best, at = value, int(end) - i
    return at


@njit(nogil=True, error_model="numpy", cache=True)
def _read(row, position):  # type: ignore[no-untyped-def]
    """Sound between samples, by a cubic through four of them."""
    whole = math.floor(position)
    f = position - whole
    at = int(whole)
    here = float(row[at & (ROOM - 1)])
    if f == 0.0:
        return here
    before, after = float(row[(at - 1) & (ROOM - 1)]), float(row[(at + 1) & (ROOM - 1)])
    last = float(row[(at + 2) & (ROOM - 1)])
    slope, next_slope = 0.5 * (after - before), 0.5 * (last - here)
    rise = after - here
    return here + f * (
        slope + f * (3.0 * rise - 2.0 * slope - next_slope + f * (slope + next_slope - 2.0 * rise))
    )


@njit(nogil=True, error_model="numpy", cache=True)
def _lay_down(heard, made, mark, found, half, squeeze):  # type: ignore[no-untyped-def]
    """Add the grain around `found`, squeezed, around `mark`; its window to the last row."""
    width = half / squeeze
    for n in range(int(math.ceil(mark - width)), int(math.floor(mark + width)) + 1):
        away = n - mark
        window = 0.5 + 0.5 * math.cos(math.pi * away / width)
        k = n & (ROOM - 1)
        for c in range(heard.shape[0]):
            made[c, k] += window * _read(heard[c], found + away * squeeze)
        made[0, ROOM + k] += window


@njit(nogil=True, error_model="numpy", cache=True)
def _random(place):  # type: ignore[no-untyped-def]
    """Another number within -0.5..0.5."""
    place[SEED] = (place[SEED] * 1103515245 + 12345) & 0x7FFFFFFF
    return place[SEED] / 2147483647.0 - 0.5


@njit(nogil=True, error_model="numpy", cache=True)
def _grains(e, p, heard, made, kept, place, position):  # type: ignore[no-untyped-def]
    """Lay down all grains that begin before the samples which the next hop plays are over."""
    rate, late = e.rate, latency_of(e.rate)
    ring = kept[KEPT : KEPT + ROOM]
    pitch, squeeze = 2.0 ** (float(p[PITCH]) / 12.0), 2.0 ** (float(p[FORMANT]) / 12.0)
    robot, breath = float(p[ROBOT]), float(p[BREATH]) ** 2  # even to the ear
    plain = pitch == 1.0 and squeeze == 1.0 and robot == 0.0 and breath == 0.0
    most = (late - HOP - 4) / (1.0 + 1.0 / squeeze)
    loose = LOOSE_SECONDS * rate
    while True:
        mark, period = kept[MARK], kept[PERIOD]
        voiced = place[VOICED] != 0 and not plain
        half = min(period, most) if voiced else min(loose, most)
        if mark - half / squeeze >= position - late + HOP:
            return
        if voiced:
            if kept[FOUND] < mark - 2.0 * period:
                kept[FOUND] = _crest(ring, mark, period)
            while True:
                found = _next_mark(ring, kept[FOUND], period, position)
                if found > mark + 0.5 * period or found + half + 2 >= position:
                    break
                kept[FOUND] = found
            found = kept[FOUND]
            apart = period / pitch
            if robot > 0.0:
                apart *= (rate / (ROBOT_HZ * pitch) / apart) ** robot
            if breath > 0.0:
                apart = apart ** (1.0 - 0.5 * breath) * (0.0025 * rate) ** (0.5 * breath)
                apart *= 1.0 + 1.6 * breath * _random(place)
                found -= breath * period * (0.5 + _random(place))
        else:
            mark = kept[MARK] = math.floor(mark)
            found, apart, half = mark, math.floor(loose), math.floor(half)
        _lay_down(heard, made, mark, found, half, squeeze)
        kept[MARK] = mark + apart


@njit(nogil=True, error_model="numpy", cache=True)
def _hop(e, p, heard, made, kept, place):  # type: ignore[no-untyped-def]
    position = place[POSITION]
    if position % (HOP * LISTEN) == 0:
        ring, work = kept[KEPT : KEPT + ROOM], kept[KEPT + ROOM :]
        period = period_of(ring, position, e.rate, work)
        place[VOICED] = 1 if period > 0.0 else 0
        if period > 0.0:
            kept[PERIOD] = period
    _grains(e, p, heard, made, kept, place, position)


@cache
def voice_shift_step() -> Any:
    """VoiceShift."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def voice_shift(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        p, place, kept, heard, made = values(e), places(e)[0], shared(e), line(e), state(e)
        block, late = view_f32(block_address, (e.channels, n)), latency_of(e.rate)
        renewed(e)
        slow = 1.0 / (LEVEL_SECONDS * e.rate)
        if e.begun == 0:
            e.begun = 1
            kept[MARK], kept[FOUND] = 0.0, -ROOM
            kept[PERIOD] = LOOSE_SECONDS * e.rate
        for i in range(n):
            if place[POSITION] % HOP == 0:
                _hop(e, p, heard, made, kept, place)
            at, out = place[POSITION] & (ROOM - 1), (place[POSITION] - late) & (ROOM - 1)
            total = came = went = 0.0
            weight = made[0, ROOM + out]
            gain = math.sqrt((kept[CAME] + 1e-12) / (kept[WENT] + 1e-12))
            gain = min(MOST_GAIN, max(1.0 / MOST_GAIN, gain))
            for c in range(e.channels):
                total += float(block[c, i])
                heard[c, at] = block[c, i]
                y = made[c, out]
                # grains that lie closer than they came add up in power; gaps stay quieter
                y = y / math.sqrt(weight) if weight > 1.0 else y / max(weight, 0.5)
                came += float(heard[c, out]) ** 2
                went += y * y
                block[c, i] = F32(gain * y)
                made[c, out] = 0.0
            made[0, ROOM + out] = 0.0
            kept[CAME] += slow * (came - kept[CAME])
            kept[WENT] += slow * (went - kept[WENT])
            kept[KEPT + at] = total
            place[POSITION] += 1
        return 0

    return voice_shift


VOICE_SHIFT = {
    "VoiceShift": Kind(
        voice_shift_step,
        0,
        state=2 * ROOM,
        places=4,
        shared=KEPT + 2 * ROOM,
        room=lambda rate, parameters: ROOM,
        latency=lambda rate: round(LATENCY_SECONDS * rate),
    )
}
