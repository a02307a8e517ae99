"""An ear at work: which notes are played, hop by hop, and as a list."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from .analyser import Analyser, Array
from .card import EAR_LOWEST, EAR_ROWS

ONSET, ACTIVE, _, BEND = range(len(EAR_ROWS))
GLIDING = "gliding"
TICKS_PER_SECOND = 1000  # of a MIDI file


@dataclass(frozen=True)
class Note:
    """A note that was heard.

    Attributes
    ----------
    begin, end : float [s]
        At the end of the hop in which it was heard, and at the end of its last one.
    pitch : int
        MIDI pitch.
    velocity : float
        0 to 1: its level from -55 to -10 dB (RMS, full scale 0).
    bend : float [semitones]
        Mean deviation from equal temperament while it sounded.
    """

    begin: float
    end: float
    pitch: int
    velocity: float
    bend: float


class Ear(Analyser):
    """Steps a model of kind ``ear``; see :class:`~realtime.models.analyser.Analyser`.

    Parameters
    ----------
    gliding : float
        0: every note is struck; 1: a line that glides, as a voice's, has its notes where it stays.

    Raises
    ------
    ConfigError
        An ear without this control is asked for other than 0.
    """

    def __init__(self, path: Path, sample_rate: int, gliding: float = 0.0) -> None:
        super().__init__(path, sample_rate, "ear")
        names = [c.name for c in self.card.controls]
        if GLIDING in names:
            self._model.controls[0, names.index(GLIDING)] = gliding
        elif gliding:
            self.close()
            raise ConfigError(f"the ear '{self.name}' has no control '{GLIDING}'")

    def feed(self, samples: Array) -> Array:
        """Hear samples ``[channels, n]`` or ``[n]``: rows per pitch ``[hops, 4, 69]``."""
        return self.answers(samples)

    def notes(self, samples: Array) -> list[Note]:
        """The notes of a whole recording, from silence."""
        self.reset()
        tail = np.zeros(round(self.sample_rate), dtype=np.float32)
        mono = samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)
        return notes_of(self.feed(np.concatenate([mono, tail])), self.hop_seconds)


def notes_of(frames: Array, hop_seconds: float) -> list[Note]:
    """Notes ``[hops, 4, 69]`` as a list, in order of beginning and pitch; all end with it."""
    found = []
    struck, sounds = frames[:, ONSET] > 0, frames[:, ACTIVE] > 0.5
    for first, place in np.argwhere(struck):
        after = np.flatnonzero(struck[first + 1 :, place] | ~sounds[first + 1 :, place])
        last = first + 1 + int(after[0]) if len(after) else len(frames)
        found.append(
            Note(
                begin=float((first + 1) * hop_seconds),
                end=float((last + 1) * hop_seconds),
                pitch=int(place) + EAR_LOWEST,
                velocity=float(frames[first, ONSET, place]),
                bend=float(frames[first:last, BEND, place].mean()),
            )
        )
    return found


def midi_file(notes: list[Note]) -> bytes:
    """A MIDI file of one track, to the millisecond."""
    import mido

    events = []
    for n in notes:
        velocity = max(1, min(127, round(127 * n.velocity)))
        on, off = (round(t * TICKS_PER_SECOND) for t in (n.begin, n.end))
        events.append((on, 1, mido.Message("note_on", note=n.pitch, velocity=velocity)))
        events.append((max(off, on + 1), 0, mido.Message("note_off", note=n.pitch)))
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_SECOND // 2)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    last = 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - last))
        last = tick
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()
