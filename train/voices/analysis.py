"""One note to one row of a voice's tables: partials, envelopes, their chance, noise, release.

Sines plus noise (Serra & Smith, 1990).  The strongest peaks of a spectrum, no two nearer than 0.4
of the fundamental, are the partials, so bars and bells are no special case.  Each is followed by
demodulation through a window whose zeros lie on the other harmonics; what its smooth envelope
leaves is split by a spectrum into a line, a line beside it, and narrow-band noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..data.scores.render import SAMPLE_RATE
from .noise import between_partials
from .single_notes import Note
from .tables import BANDS, KNOTS, PARTIALS, SILENT, knots

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
HOP = 256
APART = 0.4  # of the fundamental, between partials
TOP_HZ = 19000.0
MOST = 40  # peaks that are looked at
LEAKS = 4.0  # times what the window makes of a stronger peak
STRAY = 0.2  # of the fundamental: what moves farther is a neighbour's shadow
FAINTEST = 1e-8  # power of the strongest peak: below nothing is a partial
NEAR = 1.2  # a knot's mean goes over ages from 1 / NEAR to NEAR of its own
SETTLED = 0.3  # s: from here on a note's level counts as steady
LINE_SHARE, BESIDE_SHARE = 0.6, 0.03  # of the power in a line, and in one beside it, to count
WIDEST = 0.02  # of the frequency
RELEASE = (2.0, 200.0)  # nepers a second
UNKNOWN_RELEASE = 10.0
UPPER = 8  # partials that say how much of the harmonics above them is chance


@dataclass(frozen=True)
class Row:
    """What :class:`~train.voices.tables.Tables` says of one note; powers in its first second."""

    course: Floats
    tail: Floats
    release: Floats
    hz: Floats
    steady: Floats
    second: Floats
    random: Floats
    beat: Floats
    width: Floats
    power: Floats


def fundamental(pitch: float) -> float:
    """Of a MIDI pitch in equal temperament [Hz]."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def peaks(x: Floats, f0: float) -> Floats:
    """Frequencies of at most :data:`MOST` peaks, rising; the spectrum is of the first 1.5 s.

    A peak must stand out of what the window makes of stronger ones.
    """
    part = x[round(0.01 * SAMPLE_RATE) : round(1.5 * SAMPLE_RATE)].copy()
    rise = min(len(part) // 4, round(max(0.02, 2.0 / f0) * SAMPLE_RATE))
    part[:rise] *= np.sin(0.5 * np.pi * (np.arange(rise) + 0.5) / rise) ** 2
    part *= np.cos(0.5 * np.pi * np.arange(len(part)) / len(part)) ** 2
    n = 1 << int(np.ceil(np.log2(max(len(part), 1 << 16))))
    leak = _leak(rise, len(part), n)
    power = np.square(np.abs(np.fft.rfft(part, n)))
    hz = np.arange(len(power)) * SAMPLE_RATE / n
    power[(hz < 0.45 * f0) | (hz < 25.0) | (hz > TOP_HZ)] = 0.0
    found: list[float] = []
    least = np.full(len(power), FAINTEST * power.max())
    places = np.arange(len(power))
    while len(found) < MOST:
        top = int(np.argmax(np.where(power > least, power, 0.0)))
        if power[top] <= least[top]:
            break
        least = np.maximum(least, LEAKS * power[top] * leak[np.abs(places - top)])
        near = np.abs(hz - hz[top]) <= min(0.25 * f0, 0.004 * hz[top] + 2.0)
        weight = power * near
        middle = float((weight * hz).sum() / weight.sum())
        found.append(middle)
        power[np.abs(hz - hz[top]) < APART * f0] = 0.0
    return np.array(sorted(found))


def _leak(rise: int, length: int, n: int) -> Floats:
    """Power of the window's spectrum over its peak's, so far away or more ``[n // 2 + 1]``."""
    window = np.cos(0.5 * np.pi * np.arange(length) / length) ** 2
    window[:rise] *= np.sin(0.5 * np.pi * (np.arange(rise) + 0.5) / rise) ** 2
    spectrum = np.square(np.abs(np.fft.rfft(window, n)))
    return np.asarray(np.maximum.accumulate(spectrum[::-1])[::-1] / spectrum[0])


def window_of(f0: float) -> int:
    """Length of the demodulation's window: four periods, within 12 and 100 ms, even."""
    return 2 * round(0.5 * SAMPLE_RATE * float(np.clip(4.0 / f0, 0.012, 0.1)))


def demodulated(x: Floats, hz: Floats, length: int) -> Complex:
    """Complex amplitude of every partial, once a hop ``[hops, partials]``, windows centred."""
    window = np.hanning(length + 1)[:-1]
    padded = np.pad(x, (length // 2, length // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::HOP] * window
    n = np.arange(length) - length // 2
    waves = np.exp(-2j * np.pi * np.outer(n, hz) / SAMPLE_RATE)
    z = 2.0 * (frames @ waves.real + 1j * (frames @ waves.imag)) / window.sum()
    start = np.arange(len(frames)) * HOP / SAMPLE_RATE
    return np.asarray(z * np.exp(-2j * np.pi * np.outer(start, hz)))


def means_at_knots(power: Floats, seconds: float) -> Floats:
    """Mean power around every knot's age ``[KNOTS, ...]``; knots after `seconds` repeat the last.

    Parameters
    ----------
    power : ndarray [shape=(hops, ...)]
    """
    age = np.arange(len(power)) * HOP / SAMPLE_RATE
    last = max(float(seconds), 2 * HOP / SAMPLE_RATE)
    rows = []
    for t in np.minimum(knots(), last):
        low, high = t / NEAR, min(t * NEAR, last)
        near = (age >= low - 1e-9) & (age <= high + 1e-9)
        if not near.any():
            near = np.abs(age - t) <= np.abs(age - t).min() + 1e-9
        rows.append(power[near].mean(axis=0))
    return np.stack(rows)


def loudness(x: Floats, f0: float) -> Floats:
    """Power of the sound at every hop, through a window of two periods."""
    length = 2 * round(0.5 * SAMPLE_RATE * float(np.clip(2.0 / f0, 0.005, 0.03)))
    window = np.hanning(length + 1)[:-1]
    smooth = np.convolve(np.square(x), window / window.sum())[length // 2 :]
    return np.asarray(smooth[: len(x)][::HOP])


def at_ages(course: Floats, age: Floats) -> Floats:
    """Logarithmic envelopes ``[KNOTS, n]`` at ages ``[m]``: straight between knots ``[m, n]``."""
    place = np.clip(np.interp(age, knots(), np.arange(KNOTS)), 0.0, KNOTS - 1.001)
    low = place.astype(int)
    share = (place - low)[:, None]
    return np.asarray(course[low] * (1.0 - share) + course[low + 1] * share)


def chance(z: Complex, hz: Floats) -> tuple[Floats, ...]:
    """Split what the envelope leaves ``[hops, partials]``, of mean power 1.

    Returns
    -------
    steady, second, random, beat, width, moved : ndarray [shape=(partials,)]
        As the tables have them; `moved` is the line's distance from where `z` was taken, in Hz.
    """
    hops, count = z.shape
    steady, random = np.ones(count), np.zeros(count)
    second, beat, width, moved = (np.zeros(count) for _ in range(4))
    if hops < 96:
        return steady, second, random, beat, width, moved
    window = np.hanning(hops + 2)[1:-1, None]
    power = np.square(np.abs(np.fft.fft(z * window, 4 * hops, axis=0)))
    power /= power.sum(axis=0) + 1e-30
    f = np.fft.fftfreq(4 * hops, HOP / SAMPLE_RATE)
    lobe = 2.5 * SAMPLE_RATE / HOP / hops
    for k in range(count):
        p = power[:, k]
        one = float(f[np.argmax(p)])
        at_one = np.abs(f - one) <= lobe
        rest = np.where(at_one, 0.0, p)
        two = float(f[np.argmax(rest)])
        beside = np.abs(f - two) <= lobe
        shares = p[at_one].sum(), rest[beside].sum()
        middle = float((p * f).sum())
        if shares[0] >= LINE_SHARE or sum(shares) >= 0.85:
            if shares[1] >= BESIDE_SHARE and abs(two - one) < WIDEST * hz[k]:
                second[k], beat[k] = np.sqrt(shares[1]), two - one
                rest = np.where(beside, 0.0, rest)
            steady[k], moved[k] = np.sqrt(shares[0]), one
            middle = one
        else:
            steady[k], moved[k], rest = 0.0, middle, p
        left = float(rest.sum())
        random[k] = np.sqrt(left)
        spread = np.sqrt((rest * np.square(f - middle)).sum() / (left + 1e-30))
        width[k] = np.clip(spread, 0.1, max(0.2, WIDEST * hz[k]))
    norm = np.sqrt(steady**2 + second**2 + random**2)
    return steady / norm, second / norm, random / norm, beat, width, moved


def falling(power: Floats, begin: float) -> Floats:
    """Nepers a second by which amplitudes fall from `begin` on ``[hops, n] -> [n]``."""
    first = round(begin * SAMPLE_RATE / HOP) + 2
    part = power[first:]
    rates = np.full(power.shape[1], UNKNOWN_RELEASE)
    if len(part) < 4:
        return rates
    for k in range(power.shape[1]):
        p = part[:, k]
        above = p > max(1e-5 * p[0], 1e-14)
        n = len(p) if above.all() else int(np.argmin(above))
        if n >= 3:
            t = np.arange(n) * HOP / SAMPLE_RATE
            rates[k] = -0.5 * np.polyfit(t, np.log(p[:n] + 1e-20), 1)[0]
        else:
            rates[k] = RELEASE[1]
    return np.clip(rates, *RELEASE)


def analyse(note: Note) -> Row:
    """Everything of one note."""
    x, f0 = note.samples, fundamental(note.pitch)
    hz = _own(x, peaks(x, f0), f0)
    held = note.held if note.held is not None else len(x) / SAMPLE_RATE
    length = window_of(f0)
    z = demodulated(x, hz, length)
    power = np.square(np.abs(z))
    sounds = power.max(axis=0, initial=0.0)
    usable = max(0.05, held - length / SAMPLE_RATE)  # the window must not see the release
    course = 0.5 * np.log(means_at_knots(power, usable) + 1e-20)
    # the beginning is sharper than the windows: its shape is that of the whole sound
    early = knots() < 0.6 * length / SAMPLE_RATE
    shape = 0.5 * np.log(means_at_knots(loudness(x, f0), usable) + 1e-20)
    first = int(np.argmin(early)) if not early.all() else KNOTS - 1
    sharp = np.where(early, shape - shape[first], 0.0)[:, None]

    def sharpened(course: Floats) -> Floats:
        return np.where(early[:, None], course[first] + sharp, course)

    course = sharpened(course)
    # what an envelope leaves
    age = np.arange(len(z)) * HOP / SAMPLE_RATE
    inside = (age > SETTLED) & (age < usable)
    smooth = np.exp(at_ages(course, age[inside]))
    left = z[inside] / np.maximum(smooth, 1e-12)
    steady, second, random, beat, width, moved = chance(left, hz)
    course = _calmer(course, random, sounds)
    width = _alike(width, random, hz)
    upper = np.square(random[-UPPER:])
    bands = between_partials(x, f0, hz, float(upper.mean()) if upper.size else 1.0)[: len(power)]
    bands = np.pad(bands, ((0, len(power) - len(bands)), (0, 0)), mode="edge")
    of_bands = sharpened(0.5 * np.log(means_at_knots(bands, usable) + 1e-20))
    every = np.concatenate([power, bands], axis=1)
    course = np.concatenate([course, of_bands], axis=1)
    slope = _tail(course, usable)
    rates = falling(every, held) if note.held is not None else np.full(every.shape[1], 10.0)
    begin, end = (round(t * SAMPLE_RATE / HOP) for t in (0.08, 0.7))
    return Row(
        _wide(course, SILENT),
        _wide(slope, 0.0),
        _wide(rates, UNKNOWN_RELEASE),
        _partials(hz + moved),
        _partials(steady, 1.0),
        _partials(second),
        _partials(random),
        _partials(beat),
        _partials(width, 1.0),
        _wide(every[begin:end].mean(axis=0), 0.0),
    )


def _own(x: Floats, hz: Floats, f0: float) -> Floats:
    """The strongest of the peaks that are where they seem to be, rising."""
    z = demodulated(x, hz, window_of(f0))
    power = np.square(np.abs(z))
    turned = np.angle((z[1:] * np.conj(z[:-1])).sum(axis=0)) * SAMPLE_RATE / (2 * np.pi * HOP)
    size = np.where(np.abs(turned) < min(STRAY * f0, 60.0), power.max(axis=0, initial=0.0), 0.0)
    best = np.argsort(-size)[:PARTIALS]
    return np.sort(hz[best[size[best] > 0.0]])


def _calmer(course: Floats, random: Floats, power: Floats) -> Floats:
    """Envelopes of partials that fluctuate by chance, drawn to the course of all of them."""
    late = knots() > SETTLED
    mean = np.log(np.exp(2.0 * course[late]).mean(axis=0) + 1e-20) / 2.0
    shape = course - mean
    common = (shape * power).sum(axis=1, keepdims=True) / (power.sum() + 1e-30)
    share = np.square(random)
    return np.asarray(mean + share * common + (1.0 - share) * shape)


def _alike(width: Floats, random: Floats, hz: Floats) -> Floats:
    """Widths half way to the same share of the frequency as the other partials'."""
    heard = random > 0.3
    if not heard.any():
        return width
    usual = float(np.median(width[heard] / hz[heard])) * hz
    return np.asarray(np.sqrt(np.maximum(width, 0.05) * np.maximum(usual, 0.05)))


def _tail(course: Floats, usable: float) -> Floats:
    """Nepers a second over the last half of what was heard; a held note's drift counts as none.

    Knots that lie after the end go on with it.
    """
    times = knots()
    known = times <= usable
    known[:3] = True
    last = int(np.flatnonzero(known)[-1])
    half = int(np.argmin(np.abs(times - 0.5 * times[last])))
    half = min(half, last - 1)
    slope = (course[last] - course[half]) / (times[last] - times[half])
    slope = np.where(slope > -0.15, 0.0, np.maximum(slope, -40.0))  # -1.3 dB a second
    after = ~known
    course[after] = course[last] + slope * (times[after] - times[last])[:, None]
    return np.asarray(slope)


def _partials(values: Floats, rest: float = 0.0) -> Floats:
    """Values of the partials found, then `rest`: ``[..., PARTIALS]``."""
    missing = PARTIALS - values.shape[-1]
    pad = [(0, 0)] * (values.ndim - 1) + [(0, missing)]
    return np.pad(values, pad, constant_values=rest)


def _wide(values: Floats, rest: float) -> Floats:
    """Partials padded, bands behind: ``[..., PARTIALS + BANDS]``."""
    parts, bands = values[..., :-BANDS], values[..., -BANDS:]
    return np.concatenate([_partials(parts, rest), bands], axis=-1)
