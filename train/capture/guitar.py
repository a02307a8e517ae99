"""Guitar playing made by rule: plucked strings, chords, riffs and palm mutes, the same each time.

Strings after Karplus & Strong (Digital synthesis of plucked-string and drum timbres, Computer Music
Journal 7(2), 1983), a period at a time; a pickup is a comb and a low-pass.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, lfilter

Array = npt.NDArray[np.float64]
RATE = 48000
OPEN = (40, 45, 50, 55, 59, 64)  # MIDI notes of the strings, E2 to E4
CHORDS = ((0, 2, 2, 1, 0, 0), (3, 2, 0, 0, 0, 3), (-1, 0, 2, 2, 2, 0), (-1, 3, 2, 0, 1, 0))
SCALE = (0, 3, 5, 7, 10)


def string(note: float, seconds: float, decay: float, rng: np.random.Generator) -> Array:
    """One plucked string ``[n]``, peak 1.

    Parameters
    ----------
    note : float
        MIDI note.
    decay : float [s]
        Until it is 60 dB down.
    """
    n, period = round(seconds * RATE), RATE / (440.0 * 2 ** ((note - 69) / 12))
    whole = int(period - 0.5)
    part = period - whole
    share = float(10 ** (-3 * period / (decay * RATE)))
    row = np.zeros(whole + 1)
    row[1:] = lfilter([1, 0.9], [1], rng.uniform(-1, 1, whole))
    rows = [row[1:]]
    for _ in range(n // whole + 1):
        new = share * ((1 - part) * row[1:] + part * row[:-1])
        row = np.concatenate([row[-1:], new])
        rows.append(new)
    y = np.concatenate(rows)[:n]
    fade = min(n, round(0.01 * RATE))
    y[n - fade :] *= np.linspace(1, 0, fade)
    return np.asarray(y / (np.max(np.abs(y)) + 1e-12))


def guitar(seconds: float, seed: int) -> Array:
    """Playing of all kinds and strengths ``[n]``, within -1..1."""
    rng, n = np.random.default_rng(seed), round(seconds * RATE)
    y, at = np.zeros(n + 4 * RATE), 0.0
    while at < seconds:
        level = 10 ** (rng.uniform(-26, 0) / 20)
        figure = (_chord, _riff, _lead, _muted)[int(rng.integers(4))]
        length = 0.0
        for begin, note, lasts, decay in figure(rng):
            sound = level * rng.uniform(0.6, 1.0) * string(note, lasts, decay, rng)
            start = round((at + begin) * RATE)
            end = min(len(y), start + len(sound))
            y[start:end] += sound[: max(0, end - start)]
            length = max(length, begin + 0.85 * lasts)
        at += length
    y = lfilter([1] + [0] * 40 + [-0.6], [1], y[:n])  # the pickup's place
    y = lfilter(*butter(2, 4800, fs=RATE), y)
    y = lfilter(*butter(1, 40, "high", fs=RATE), y)
    return np.asarray(0.9 * y / np.max(np.abs(y)))


Notes = list[tuple[float, float, float, float]]  # begin [s], note, lasts [s], decay [s]


def _chord(rng: np.random.Generator) -> Notes:
    shape, up = CHORDS[int(rng.integers(len(CHORDS)))], int(rng.integers(0, 5))
    frets = [(s, f + up) for s, f in zip(OPEN, shape, strict=True) if f >= 0]
    spread, lasts = rng.uniform(0.004, 0.03), rng.uniform(0.6, 2.2)
    return [(spread * i, s + f, lasts, 4.0) for i, (s, f) in enumerate(frets)]


def _riff(rng: np.random.Generator) -> Notes:
    """Fifths on the low strings."""
    step, notes = rng.uniform(0.14, 0.35), []
    for k in range(int(rng.integers(4, 9))):
        root = OPEN[0] + SCALE[int(rng.integers(len(SCALE)))]
        notes += [(k * step, root + up, step * 1.1, 3.0) for up in (0, 7, 12)]
    return [(b, float(v), lasts, d) for b, v, lasts, d in notes]


def _lead(rng: np.random.Generator) -> Notes:
    """Single notes up to E6."""
    step = rng.uniform(0.1, 0.4)
    places = rng.integers(0, 5, int(rng.integers(4, 10)))
    base = OPEN[2] + 12 * int(rng.integers(0, 3))
    return [(k * step, float(base + SCALE[p]), step * 1.3, 2.5) for k, p in enumerate(places)]


def _muted(rng: np.random.Generator) -> Notes:
    """Palm mutes."""
    step = rng.uniform(0.1, 0.2)
    low = OPEN[int(rng.integers(2))] + int(rng.integers(0, 5))
    return [(k * step, float(low), step, 0.25) for k in range(int(rng.integers(4, 12)))]
