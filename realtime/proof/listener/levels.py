"""Levels over time: how long a note lasts, what a rest holds, how a repetition rises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .lines import powers
from .sounds import Note, Samples, decibels, power

FRAME = 0.1  # seconds, of sustain
SHORT = 0.02  # seconds, of bursts
FAINT = 1e-9  # mean square (-90 dBFS) below which a rest is simply silent
Sound = npt.NDArray[np.floating]


def gain_db(y: Sound, x: Sound) -> float:
    """Level of `y` over that of `x`."""
    return decibels(power(y)) - decibels(power(x))


def heard(y: Sound, rate: int, low: float = 20.0, high: float = 20000.0) -> float:
    """Power between two frequencies [Hz]."""
    hz = np.fft.rfftfreq(len(y), 1 / rate)
    return float(powers(y)[(hz >= low) & (hz <= high)].sum())


def course(y: Sound, rate: int, seconds: float) -> Samples:
    """Mean square of one frame after another ``[n // frame]``."""
    frame = max(1, round(seconds * rate))
    whole = np.asarray(y[: len(y) // frame * frame], dtype=np.float64)
    return np.asarray(np.mean(whole.reshape(-1, frame) ** 2, axis=1))


def sustain(y: Sound, rate: int, note: Note, after: Sequence[float]) -> tuple[float, ...]:
    """Level `after` so many seconds of the note, dB against its loudest tenth of a second."""
    first, last = round(note.begin * rate), round(note.end * rate)
    levels = course(y[first:last], rate, FRAME)
    top = decibels(float(levels.max()))
    places = (min(len(levels) - 1, round(s / FRAME)) for s in after)
    return tuple(decibels(float(levels[k])) - top for k in places)


def loudest(y: Sound, rate: int) -> float:
    """Loudest 20 ms, dBFS."""
    return decibels(float(course(y, rate, SHORT).max()))


def rise(y: Sound, rate: int, notes: Sequence[Note]) -> float:
    """How far repeated notes stand out: median over notes of the loudest over what was before, dB.

    Before is the quietest 10 ms of the 40 ms that end with the note's beginning.
    """
    steps = course(y, rate, 0.01)
    rises = []
    for note in notes[1:]:
        k = round(note.begin / 0.01)
        before = max(float(steps[max(0, k - 4) : k].min()), FAINT)
        rises.append(decibels(float(steps[k : k + 6].max())) - decibels(before))
    return float(np.median(rises))
