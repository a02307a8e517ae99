"""Scores composed by rule from a seed, so that their licence is ours to give.

Phrases of riffs, arpeggios, chords and melodies in random keys and tempi, with velocities and
lengths that vary as a player's do.  One score, any instrument: the same notes rendered with two
programs give a sample-aligned pair.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import mido
import numpy as np

SCALES = {
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "pentatonic": (0, 3, 5, 7, 10),
}
TICKS = 480


@dataclass(frozen=True)
class Note:
    """A note: start and length in beats, MIDI pitch and velocity."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Score:
    """Notes in order of their start, and the tempo in beats per minute."""

    notes: tuple[Note, ...]
    tempo: float

    @property
    def seconds(self) -> float:
        """Until the last note ends."""
        return max(n.start + n.length for n in self.notes) * 60.0 / self.tempo

    def timed(self) -> tuple[tuple[float, float, int], ...]:
        """Begin and end in seconds, and pitch, of every note."""
        beat = 60.0 / self.tempo
        return tuple((n.start * beat, (n.start + n.length) * beat, n.pitch) for n in self.notes)


def compose(seed: int, seconds: float, low: int = 40, high: int = 84) -> Score:
    """Compose a score of about `seconds` within the given pitch range.

    The same seed gives the same score.
    """
    rng = np.random.default_rng(seed)
    tempo, scale, root = _key(rng, low)
    pitches = [p for p in range(low, high) if (p - root) % 12 in SCALES[scale]]
    notes: list[Note] = []
    beat, end = 0.0, seconds * tempo / 60.0
    while beat < end:
        phrase = (_melody, _riff, _arpeggio, _chords)[int(rng.choice(4, p=(0.3, 0.3, 0.2, 0.2)))]
        beat = phrase(rng, notes, beat, pitches)
        if rng.random() < 0.3:
            beat += float(rng.choice((0.5, 1.0, 2.0)))
    return Score(tuple(sorted(notes, key=lambda n: n.start)), tempo)


def key_of(seed: int, low: int = 40) -> tuple[str, int]:
    """Scale and lowest root (a MIDI pitch) of the score that :func:`compose` makes of a seed."""
    return _key(np.random.default_rng(seed), low)[1:]


def _key(rng: np.random.Generator, low: int) -> tuple[float, str, int]:
    """Tempo, scale and root."""
    tempo = float(rng.uniform(70, 160))
    scale = str(rng.choice(list(SCALES)))
    return tempo, scale, int(rng.integers(low, low + 12))


def _velocity(rng: np.random.Generator, loudness: float) -> int:
    return int(np.clip(rng.normal(loudness, 9), 25, 127))


def _melody(rng: np.random.Generator, notes: list[Note], beat: float, pitches: list[int]) -> float:
    at, loudness = int(rng.integers(len(pitches))), rng.uniform(55, 115)
    for _ in range(int(rng.integers(4, 13))):
        step = float(rng.choice((0.25, 0.5, 0.5, 1.0, 1.5)))
        at = int(np.clip(at + rng.integers(-3, 4), 0, len(pitches) - 1))
        held = step * rng.uniform(0.4, 1.0)
        notes.append(Note(beat, held, pitches[at], _velocity(rng, loudness)))
        beat += step
    return beat


def _riff(rng: np.random.Generator, notes: list[Note], beat: float, pitches: list[int]) -> float:
    low = pitches[: max(4, len(pitches) // 2)]
    pattern = [(int(rng.integers(len(low))), float(rng.choice((0.25, 0.5, 0.5)))) for _ in range(6)]
    muted, loudness = rng.random() < 0.5, rng.uniform(70, 120)
    for _ in range(int(rng.integers(1, 4))):
        for index, step in pattern:
            held = 0.12 if muted and rng.random() < 0.6 else step * 0.9
            both = (0, 7) if rng.random() < 0.35 else (0,)
            notes += [Note(beat, held, low[index] + i, _velocity(rng, loudness)) for i in both]
            beat += step
    return beat


def _arpeggio(
    rng: np.random.Generator, notes: list[Note], beat: float, pitches: list[int]
) -> float:
    base, step = int(rng.integers(max(1, len(pitches) - 8))), float(rng.choice((0.25, 1 / 3, 0.5)))
    loudness, ring = rng.uniform(50, 105), rng.uniform(0.8, 3.0)
    for k in range(int(rng.integers(6, 17))):
        index = base + (0, 2, 4, 7, 4, 2)[k % 6]
        pitch = pitches[min(index, len(pitches) - 1)]
        notes.append(Note(beat, step * ring, pitch, _velocity(rng, loudness)))
        beat += step
    return beat


def _chords(rng: np.random.Generator, notes: list[Note], beat: float, pitches: list[int]) -> float:
    loudness = rng.uniform(50, 110)
    for _ in range(int(rng.integers(2, 5))):
        base, step = int(rng.integers(max(1, len(pitches) - 7))), float(rng.choice((1.0, 2.0)))
        strum = rng.uniform(0.0, 0.04)
        for k, degree in enumerate((0, 2, 4, 6)[: int(rng.integers(2, 5))]):
            pitch = pitches[min(base + degree, len(pitches) - 1)]
            held = step * rng.uniform(0.6, 1.0)
            notes.append(Note(beat + k * strum, held, pitch, _velocity(rng, loudness)))
        beat += step
    return beat


def to_midi(score: Score, program: int) -> bytes:
    """Write `score` as a one-track MIDI file for a General MIDI `program` (0..127)."""
    events: list[tuple[int, int, mido.Message]] = []
    for n in score.notes:
        on, off = round(n.start * TICKS), round((n.start + n.length) * TICKS)
        events.append((on, 1, mido.Message("note_on", note=n.pitch, velocity=n.velocity)))
        events.append((max(off, on + 1), 0, mido.Message("note_off", note=n.pitch)))
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(score.tempo)))
    track.append(mido.Message("program_change", program=program))
    last = 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - last))
        last = tick
    file, buffer = mido.MidiFile(ticks_per_beat=TICKS), io.BytesIO()
    file.tracks.append(track)
    file.save(file=buffer)
    return buffer.getvalue()
