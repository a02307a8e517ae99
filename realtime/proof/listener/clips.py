"""Short phrases whose every note is known: bass, run, chords, repetitions, holds, speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sounds import HIGHEST, Note, Samples, gain, hertz, played

PIANO_DECAY = 9.0  # seconds per 60 dB of the lowest partial of a struck string around A3
BASS = (28, 33, 35, 40, 38, 33, 31, 28, 36, 43, 40, 45)  # E1 .. A2
UP = (45, 48, 52, 57, 60, 64, 69, 72, 76, 81)  # A2 .. A5
RUN = (*UP, 79, 76, 72, 69, 67, 64, 62, 60, 57, 55, 52, 50, 48, 47)
CHORDS = ((48, 64, 67), (45, 60, 64), (41, 57, 60), (43, 59, 62))
VOWELS = (  # centre, width and level of three formants [Hz, Hz, dB] (Peterson & Barney, 1952)
    ((730, 90, 0), (1090, 110, -4), (2440, 160, -20)),  # a
    ((270, 60, 0), (2290, 120, -18), (3010, 180, -22)),  # i
    ((300, 70, 0), (870, 100, -12), (2240, 160, -32)),  # u
    ((530, 80, 0), (1840, 110, -12), (2480, 160, -18)),  # e
    ((570, 80, 0), (840, 100, -3), (2410, 160, -26)),  # o
)


@dataclass(frozen=True)
class Clip:
    """A phrase: its notes, and the sound ``samples [n]`` at `rate` Hz."""

    name: str
    notes: tuple[Note, ...]
    samples: Samples
    rate: int


def line(name: str, keys: tuple[int, ...], seconds: float, rate: int, decay: float) -> Clip:
    """One note after the other, `seconds` each, a beat of silence at the end."""
    notes = tuple(
        Note(0.1 + i * seconds, 0.1 + (i + 0.9) * seconds, hertz(key), decay)
        for i, key in enumerate(keys)
    )
    n = round((0.4 + len(keys) * seconds) * rate)
    return Clip(name, notes, played(notes, n, rate), rate)


def chords(rate: int) -> Clip:
    """Four triads, 0.8 s each."""
    notes = tuple(
        Note(0.1 + 0.8 * i, 0.85 + 0.8 * i, hertz(key), 5.0)
        for i, chord in enumerate(CHORDS)
        for key in chord
    )
    return Clip("chords", notes, played(notes, round(3.6 * rate), rate, 0.06), rate)


def repeated(rate: int) -> Clip:
    """A3 eight times a second, each note damped before the next."""
    notes = tuple(Note(0.1 + i / 8, 0.1 + i / 8 + 0.06, hertz(57), 3.0) for i in range(24))
    return Clip("repeated", notes, played(notes, round(3.4 * rate), rate), rate)


def held(rate: int, decay: float | None, seconds: float = 4.4) -> Clip:
    """A3 for 4.4 s, level (`decay` None) or dying away like a struck string; then 0.6 s of rest."""
    notes = (Note(0.05, 0.05 + seconds, hertz(57), decay),)
    name = "held" if decay is None else "struck"
    return Clip(name, notes, played(notes, round((seconds + 0.65) * rate), rate), rate)


def speech(rate: int, seconds: float = 3.2) -> Clip:
    """Five vowels with gliding pitch and hissing consonants between them (additive synthesis)."""
    n = round(seconds * rate)
    t = np.arange(n) / rate
    hz = 115.0 + 28.0 * np.sin(2 * np.pi * 0.6 * t) + 12.0 * np.sin(2 * np.pi * 1.7 * t)
    phase = 2 * np.pi * np.cumsum(hz) / rate
    place = (t / 0.32) % 1.0
    voiced = np.clip(np.minimum(place / 0.08, (0.72 - place) / 0.08), 0.0, 1.0)
    vowel = (t / 0.32).astype(int) % len(VOWELS)
    x = np.zeros(n)
    for k in range(1, int(0.9 * HIGHEST * rate / 160.0) + 1):
        f = k * hz
        strength = np.zeros(n)
        for v, formants in enumerate(VOWELS):
            here = vowel == v
            for centre, width, db in formants:
                strength[here] += gain(db) / (1.0 + ((f[here] - centre) / width) ** 2)
        x += strength * np.where(f < HIGHEST * rate, 1.0, 0.0) * np.sin(k * phase) / k**0.3
    hiss = np.random.default_rng(7).standard_normal(n)
    spectrum = np.fft.rfft(hiss)
    spectrum[np.fft.rfftfreq(n, 1 / rate) < 3500.0] = 0.0
    hiss = np.fft.irfft(spectrum, n) * np.clip(1.0 - np.abs(place - 0.86) / 0.12, 0.0, 1.0)
    x = x * voiced + 0.25 * hiss
    x *= 0.08 / np.sqrt(np.mean(x**2))
    return Clip("speech", (), x, rate)
