"""The pitch of a string: coarse by autocorrelation, then fine by the phases of its partials.

The coarse period is the first high maximum of the normalised square difference function
(P. McLeod and G. Wyvill, "A smarter way to find pitch", ICMC 2005).  A stiff string's partials lie
at ``n f sqrt(1 + B n^2)`` (H. Fletcher, JASA 36(1), 1964), so that they pull any estimate by the
period upwards.  Therefore each of the first partials is measured by itself, by how far its phase
turns between two windows a whole number of periods long, in which the other partials vanish; a line
through their squares gives `f` and `B`, and the pitch is that of the first partial.
"""

from __future__ import annotations

import math

import numpy as np

from ..native.late_numba import njit
from ..native.records import F32, F64, FLOAT, INT, Array, Table

LOWEST_HZ, HIGHEST_HZ = 29.0, 1600.0
TARGET_RATE = 12000.0  # at which pitches are looked for
SECONDS = 0.26  # of sound looked at, at most
TAPS = 8  # of the lowpass before every Dth sample is taken, on each side, times D
LEAST = 1e-7  # mean square of what counts as sound: -70 dB
CELL, SPAN = 0.005, 5  # seconds; cells over which an onset is looked for
LATE = 0.024  # seconds before the end of the span in which a pluck begins, where its sound is clean
SHORTEST, PERIODS = 0.045, 3.6  # seconds and periods that are needed for a cent
FIRST = 0.90  # of the highest maximum, that the first one reaches
CLEAR = 0.80  # height of the first maximum, of 1, below which there is no pitch
PARTIALS = 6
WEAK = 1e-3  # amplitude of a partial that is left out, of the strongest

HEARING = Table(
    "hearing",
    rate=FLOAT, step=INT, taps=INT, kernel=Array(F32, "taps"), room=INT, low=Array(F32, "room"),
    cells=INT, power=Array(F64, "cells"), lags=INT, likeness=Array(F64, "lags"),
    # what was found: hertz (0: nothing), how clear from 0 to 1, Fletcher's B
    hertz=FLOAT, clear=FLOAT, stiffness=FLOAT,
)  # fmt: skip
view_hearing = HEARING.view
_kernel, _low, _power = (HEARING.array(n) for n in ("kernel", "low", "power"))
_likeness = HEARING.array("likeness")


def make_hearing(sample_rate: float):  # type: ignore[no-untyped-def]
    """Memory for :func:`find_pitch` at a sample rate [Hz]; a record of :data:`HEARING`."""
    step = max(1, round(sample_rate / TARGET_RATE))
    rate = sample_rate / step
    half = TAPS * step if step > 1 else 0
    k = np.arange(-half, half + 1)
    kernel = np.sinc(0.9 * k / step) * np.kaiser(k.size, 7.0)
    room = int(SECONDS * rate)
    record = HEARING.make(
        rate=rate,
        step=step,
        taps=k.size,
        room=room,
        cells=int(SECONDS / CELL),
        lags=int(rate / LOWEST_HZ) + 3,
    )
    record.arrays["kernel"][:] = kernel / kernel.sum()
    return record


def sound_needed(record) -> int:  # type: ignore[no-untyped-def]
    """Samples that :func:`find_pitch` looks at, at the stream's rate."""
    return int(record["room"] * record["step"] + record["taps"])


@njit(nogil=True, error_model="numpy", cache=True)
def _decimate(ring, end, h):  # type: ignore[no-untyped-def]
    """Fill ``low`` with every `step`-th sample before position `end` of a ring, lowpassed."""
    kernel, low = _kernel(h), _low(h)
    mask = ring.shape[0] - 1
    first = end - h.room * h.step - h.taps
    for i in range(h.room):
        total, begin = 0.0, first + i * h.step
        for k in range(h.taps):
            total += kernel[k] * ring[(begin + k) & mask]
        low[i] = total


@njit(nogil=True, error_model="numpy", cache=True)
def _clean_from(h):  # type: ignore[no-untyped-def]
    """Where the sound of the newest pluck begins in ``low``; its end where all is silent."""
    low, power = _low(h), _power(h)
    size = h.room // h.cells
    for k in range(h.cells):
        total = 0.0
        for i in range(k * size, (k + 1) * size):
            total += float(low[i]) * low[i]
        power[k] = total / size
    begin, before, last = 0, 0.0, 0.0
    for k in range(h.cells):
        if k >= 2 * SPAN - 1:
            before = last = 0.0
            for j in range(SPAN):
                last += power[k - j] / SPAN
                before += power[k - SPAN - j] / SPAN
            if last > 2.0 * before and last > LEAST:
                begin = int((k + 1) * size - LATE * h.rate)
    return begin if last > LEAST else h.room


@njit(inline="always")
def _summit(likeness, k):  # type: ignore[no-untyped-def]
    """Place and height of the maximum about lag `k`, by a parabola; 0 where there is none."""
    before, here, after = likeness[k - 1], likeness[k], likeness[k + 1]
    bend = before - 2.0 * here + after
    if here < before or here < after or bend >= 0.0:
        return 0.0, 0.0
    shift = 0.5 * (before - after) / bend
    return shift, here - 0.25 * (before - after) * shift


@njit(nogil=True, error_model="numpy", cache=True)
def _coarse(x, h):  # type: ignore[no-untyped-def]
    """Period in samples and clarity of ``x``; 0 where there is none."""
    likeness = _likeness(h)
    shortest = int(h.rate / HIGHEST_HZ)
    longest = min(h.lags - 1, x.shape[0] // 2)
    if longest < shortest + 2:
        return 0.0, 0.0
    left, right = 0.0, 0.0
    for i in range(x.shape[0]):
        left += float(x[i]) * x[i]
    right = left
    for lag in range(longest + 1):
        n = x.shape[0] - lag
        product = 0.0
        for i in range(n):
            product += float(x[i]) * x[i + lag]
        likeness[lag] = 2.0 * product / max(left + right, 1e-30)
        left -= float(x[n - 1]) * x[n - 1]
        right -= float(x[lag]) * x[lag]
    lag = 0
    while lag < longest and likeness[lag] > 0.0:  # the maximum at lag 0
        lag += 1
    begin, highest = max(lag, shortest), 0.0
    for k in range(begin, longest):
        highest = max(highest, _summit(likeness, k)[1])
    for k in range(begin, longest):
        shift, here = _summit(likeness, k)
        if here > 0.0 and here >= FIRST * highest:
            return k + shift, here
    return 0.0, 0.0


@njit(nogil=True, error_model="numpy", cache=True)
def _partial(x, begin, length, turn):  # type: ignore[no-untyped-def]
    """Spectrum at `turn` radians a sample of `length` samples under Hann's window."""
    real, imaginary = 0.0, 0.0
    cosine, sine = math.cos(turn), math.sin(turn)
    a, b = 1.0, 0.0
    window_cosine, window_sine = math.cos(2 * math.pi / length), math.sin(2 * math.pi / length)
    c, d = 1.0, 0.0
    for i in range(length):
        value = x[begin + i] * (1.0 - c)
        real += value * a
        imaginary -= value * b
        a, b = a * cosine - b * sine, a * sine + b * cosine
        c, d = c * window_cosine - d * window_sine, c * window_sine + d * window_cosine
    return real / length, imaginary / length


@njit(nogil=True, error_model="numpy", cache=True)
def _refined(x, frequency, shift, h):  # type: ignore[no-untyped-def]
    """Frequency of the first partial [cycles a sample], and B, from one more exact guess on."""
    total = x.shape[0]
    period = 1.0 / frequency
    periods = int((total - shift) / period)
    if periods < 2:
        return frequency, 0.0
    length = int(periods * period + 0.5)
    shift = min(shift, total - length)
    begin = total - shift - length  # the newest sound
    strongest = 0.0
    weights, squares = np.empty(PARTIALS), np.empty(PARTIALS)
    count = 0
    for n in range(1, PARTIALS + 1):
        if n * frequency > 0.4:
            break
        turn = 2.0 * math.pi * frequency * n
        ar, ai = _partial(x, begin, length, turn)
        br, bi = _partial(x, begin + shift, length, turn)
        # `_partial` counts from each window's own beginning
        off = math.atan2(bi * ar - br * ai, br * ar + bi * ai) - turn * shift
        off -= 2.0 * math.pi * math.floor(off / (2.0 * math.pi) + 0.5)
        size = math.sqrt(ar * ar + ai * ai)
        strongest = max(strongest, size)
        weights[count] = size
        squares[count] = ((turn + off / shift) / (2.0 * math.pi * n)) ** 2
        count += 1
    s0, s1, s2, t0, t1 = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(count):
        w = weights[k] ** 2 if weights[k] > WEAK * strongest else 0.0
        n2 = float((k + 1) * (k + 1))
        s0, s1, s2 = s0 + w, s1 + w * n2, s2 + w * n2 * n2
        t0, t1 = t0 + w * squares[k], t1 + w * n2 * squares[k]
    if s0 <= 0.0:
        return frequency, 0.0
    spread = s0 * s2 - s1 * s1
    slope = (s0 * t1 - s1 * t0) / spread if spread > 1e-9 * s0 * s2 else 0.0
    slope = min(max(slope, 0.0), 0.003 * t0 / s0)
    base = (t0 - slope * s1) / s0
    return math.sqrt(max(base + slope, 1e-12)), slope / max(base, 1e-12)


@njit(nogil=True, error_model="numpy", cache=True)
def find_pitch(ring, end, address):  # type: ignore[no-untyped-def]
    """Find the pitch of the newest sound in a ring.

    Parameters
    ----------
    ring : ndarray [shape=(a power of two,), float32]
    end : int [samples]
        Position after the newest sample.
    address : int
        Of a record made by :func:`make_hearing`; its ``hertz`` is 0 where there is no pitch yet.
    """
    h = view_hearing(address)
    h.hertz = h.clear = h.stiffness = 0.0
    _decimate(ring, end, h)
    begin = _clean_from(h)
    x = _low(h)[begin:]
    period, h.clear = _coarse(x, h)
    if h.clear < CLEAR or x.shape[0] < max(PERIODS * period, SHORTEST * h.rate) or period <= 0.0:
        return
    frequency, stiffness = 1.0 / period, 0.0
    spare = x.shape[0] - 3.0 * period  # for how far apart the windows lie
    longest = int(max(period, min(spare, 0.4 * x.shape[0])))
    for periods in (2, 10, 1 << 20):
        shift = int(min(periods * period + 0.5, longest))
        frequency, stiffness = _refined(x, frequency, shift, h)
        if shift == longest:
            break
    if LOWEST_HZ <= frequency * h.rate <= HIGHEST_HZ:
        h.hertz, h.stiffness = frequency * h.rate, stiffness
