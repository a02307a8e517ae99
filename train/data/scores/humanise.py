"""A plain score played as a person would: loudness that breathes, starts not quite exact."""

from __future__ import annotations

import numpy as np

from .scores import Note, Score

LONGEST = 60.0  # seconds of one performance


def humanise(score: Score, rng: np.random.Generator) -> Score:
    """Vary velocity, start and length of every note.

    Velocity follows phrases of 6 to 16 beats, is higher on the beat and in the top voice; starts
    spread by 8 ms (standard deviation), chords from low to high by up to 15 ms; each performance
    has an articulation of its own.
    """
    per_ms = score.tempo / 60_000.0  # beats
    loudness, depth = rng.uniform(58, 96), rng.uniform(6, 16)
    phrase, phase = rng.uniform(6, 16), rng.uniform(0, 2 * np.pi)
    legato, spread = rng.uniform(0.75, 1.0), rng.uniform(0, 15)
    tops: dict[float, int] = {}
    for note in score.notes:
        tops[note.start] = max(note.pitch, tops.get(note.start, 0))
    played = []
    for note in score.notes:
        swell = depth * np.sin(2 * np.pi * note.start / phrase + phase)
        accent = 5.0 * (abs(note.start - round(note.start)) < 1e-3)
        lead = 6.0 * (note.pitch == tops[note.start])
        velocity = int(np.clip(loudness + swell + accent + lead + rng.normal(0, 4), 20, 127))
        late = rng.normal(0, 8) + spread * np.clip((note.pitch - 36) / 60, 0, 1)
        start = max(0.0, note.start + late * per_ms)
        length = max(0.05, note.length * legato * rng.uniform(0.93, 1.05))
        played.append(Note(start, length, note.pitch, velocity))
    return Score(tuple(sorted(played, key=lambda n: n.start)), score.tempo)


def transpose(score: Score, semitones: int) -> Score:
    """Move every note; those that leave MIDI's range are left out."""
    notes = (
        Note(n.start, n.length, n.pitch + semitones, n.velocity)
        for n in score.notes
        if 0 <= n.pitch + semitones <= 127
    )
    return Score(tuple(notes), score.tempo)


def excerpt(score: Score, seconds: float = LONGEST) -> Score:
    """The beginning: notes that start within `seconds`, moved so that the first starts at 0."""
    begin = min((n.start for n in score.notes), default=0.0)
    beats = seconds * score.tempo / 60.0
    notes = (
        Note(n.start - begin, min(n.length, beats - (n.start - begin)), n.pitch, n.velocity)
        for n in score.notes
        if n.start - begin < beats
    )
    return Score(tuple(notes), score.tempo)
