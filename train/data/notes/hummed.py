"""Pieces of a voice that hums a line, by rule: it steps or glides from note to note.

A note that is glided to begins where the pitch has come within a quarter of a semitone of it.  No
ear has learnt from a voice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .pieces import LEVEL, Piece

RATE, HARMONICS = 48_000, 24
LINE = (45, 48, 52, 55, 57, 53, 50, 48, 52, 45)  # MIDI pitches, of a low voice
EVERY, HELD, BEGIN = 0.8, 0.7, 0.5  # seconds from note to note, of a note that stops, of silence
RISE, FALL, STEP = 0.04, 0.05, 0.005  # seconds
VIBRATO, ARRIVED = 5.5, 0.25  # Hz; semitones
VOWELS = {0: ((250, 150, 1.0), (1200, 200, 0.15)), 12: ((600, 200, 1.0), (1700, 300, 0.15))}
GLIDES = ((0.06, 0), (0.06, 30), (0.1, 0), (0.1, 30), (0.15, 0), (0.15, 30))  # seconds, cents
STEPS = (0, 20, 50)  # cents of vibrato

Array = npt.NDArray[np.float64]


def pieces() -> list[Piece]:
    """``stepping`` and ``gliding lines``, of a low and of a high voice."""
    found = []
    for up in VOWELS:
        found += [hummed("stepping lines", STEP, cents, up, bound=False) for cents in STEPS]
        found += [hummed("gliding lines", glide, cents, up, bound=True) for glide, cents in GLIDES]
    return found


def hummed(
    kind: str, glide: float, vibrato: float, up: int = 0, bound: bool = True, breath: float = 0.01
) -> Piece:
    """A line that takes `glide` seconds from pitch to pitch.

    Parameters
    ----------
    glide : float [s]
    vibrato : float [cents]
    up : int [semitones]
        Of :data:`VOWELS`.
    bound : bool
        On one breath; else every note begins anew.
    breath : float
        Noise's amplitude beside the first harmonic's.
    """
    line = [p + up for p in LINE]
    n = round((BEGIN + EVERY * len(line) + 0.5) * RATE)
    time = np.arange(n) / RATE
    pitch, truth = np.full(n, float(line[0])), [(BEGIN, line[0])]
    for k, (last, now) in enumerate(zip(line, line[1:], strict=False), start=1):
        begin = BEGIN + EVERY * k
        part = np.clip((time - begin) / glide, 0, 1)
        way = part * part * (3 - 2 * part)
        pitch += (now - last) * way
        there = np.flatnonzero((time >= begin) & (abs(now - last) * (1 - way) <= ARRIVED))
        truth.append((there[0] / RATE, now))
    lasts = EVERY * len(line) - (EVERY - HELD) if bound else HELD
    level = _breaths(
        time, [BEGIN] if bound else [BEGIN + EVERY * k for k in range(len(line))], lasts
    )
    hertz = 440 * 2 ** ((pitch + vibrato / 100 * np.sin(2 * np.pi * VIBRATO * time) - 69) / 12)
    noise = np.random.default_rng(up).standard_normal(n)
    x = (_voiced(hertz, VOWELS[up]) + breath * noise) * level
    x *= LEVEL / np.sqrt(np.mean(x**2))
    return Piece(kind, x.astype(np.float32), tuple(truth))


def _breaths(time: Array, begins: Sequence[float], lasts: float) -> Array:
    level = np.zeros_like(time)
    for begin in begins:
        rise, fall = (time - begin) / RISE, (begin + lasts - time) / FALL
        level = np.maximum(level, np.clip(np.minimum(rise, fall), 0, 1))
    return level


def _voiced(hertz: Array, formants: Sequence[tuple[float, float, float]]) -> Array:
    phase, x = 2 * np.pi * np.cumsum(hertz) / RATE, np.zeros_like(hertz)
    for k in range(1, HARMONICS + 1):
        strength = 0.02 / k
        for centre, width, weight in formants:
            strength = strength + weight / (1 + ((k * hertz - centre) / width) ** 2)
        x += strength * np.sin(k * phase)
    return x
