"""Test sounds made of numbers alone: the same on every machine, no recording needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
PARTIALS = 16
ATTACK, RELEASE = 0.003, 0.03  # seconds
HIGHEST = 0.45  # of the sample rate: no partial above


@dataclass(frozen=True)
class Note:
    """One note: seconds from the beginning, Hz, and how fast it decays (seconds per 60 dB)."""

    begin: float
    end: float
    hz: float
    decay: float | None = None


def hertz(key: float) -> float:
    """Frequency of a MIDI key, A4 (69) at 440 Hz."""
    return float(440.0 * 2.0 ** ((key - 69.0) / 12.0))


def gain(db: float) -> float:
    """Amplitude factor of decibels."""
    return float(10.0 ** (db / 20.0))


def decibels(power: float) -> float:
    """Power as decibels, -200 for nothing."""
    return float(10.0 * np.log10(max(power, 1e-20)))


def power(x: npt.NDArray[np.floating]) -> float:
    """Mean square, 0 of nothing."""
    return float(np.mean(np.square(x, dtype=np.float64))) if x.size else 0.0


def tone(hz: float, n: int, rate: int, partials: int = 1, level: float = 0.1) -> Samples:
    """Steady sum of harmonics, the k-th at ``level / k``, faded in over 20 ms ``[n]``."""
    t = np.arange(n) / rate
    x = np.zeros(n)
    for k in range(1, partials + 1):
        if k * hz < HIGHEST * rate:
            x += np.sin(2.0 * np.pi * k * hz * t + k * k) / k
    fade = np.minimum(1.0, t / 0.02)
    return level * x * np.sin(0.5 * np.pi * fade) ** 2


def noise(n: int, level_db: float, seed: int = 0) -> Samples:
    """White noise of an RMS level in dBFS ``[n]``."""
    return gain(level_db) * np.random.default_rng(seed).standard_normal(n)


def played(notes: Sequence[Note], n: int, rate: int, level: float = 0.1) -> Samples:
    """Notes of a struck or plucked kind: harmonics that fall by 9 dB an octave ``[n]``.

    With a `decay` upper partials die faster than lower ones; without, the note is held level.
    """
    x = np.zeros(n)
    for note in notes:
        first, last = round(note.begin * rate), min(n, round((note.end + RELEASE) * rate))
        t = np.arange(last - first) / rate
        rise = np.sin(0.5 * np.pi * np.minimum(1.0, t / ATTACK)) ** 2
        fall = np.clip((note.end + RELEASE - note.begin - t) / RELEASE, 0.0, 1.0)
        shape = rise * np.sin(0.5 * np.pi * fall) ** 2
        for k in range(1, PARTIALS + 1):
            if k * note.hz > HIGHEST * rate:
                break
            wave = np.sin(2.0 * np.pi * k * note.hz * t + 1.7 * k * k) * k**-1.5
            if note.decay is not None:
                wave *= 10.0 ** (-3.0 * t / note.decay * (1.0 + 0.12 * (k - 1)))
            x[first:last] += wave * shape
    return level * x
