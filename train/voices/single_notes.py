"""Single notes to learn a voice from: a soundfont's, played by FluidSynth, or recordings."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..data.licences import check_licence
from ..data.scores.render import SAMPLE_RATE, SOUNDFONTS, find_soundfont, render
from ..data.sound.decode import ENDINGS, decode
from .tables import LOWEST, NOTES

Floats = npt.NDArray[np.float64]
EVERY = 2  # semitones between notes of a soundfont
HELD, REST = 4.0, 1.5  # seconds of a note, and of its release
SOFT_HELD, SOFT_REST = 0.8, 0.7
LOUD, SOFT = 100, 50  # velocities
ONSET_DB = -40.0  # of the peak: where a recorded note begins
LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
NAMED = re.compile(r"(?:^|[^a-z])([a-g])(#|b|s)?(-?\d)(?![0-9])", re.IGNORECASE)
NUMBERED = re.compile(r"(?:^|[^0-9])(\d{2,3})(?![0-9])")


@dataclass(frozen=True)
class Note:
    """One note alone.

    Attributes
    ----------
    pitch, velocity : int
        MIDI; a recording's velocity counts as :data:`LOUD`.
    samples : ndarray [shape=(n,), float64]
        From its onset, mono at 48 kHz.
    held : float or None
        Seconds until it was let go; None: it was not, or nobody knows.
    """

    pitch: int
    velocity: int
    samples: Floats
    held: float | None


@dataclass(frozen=True)
class Source:
    """Notes and what to say of them."""

    notes: tuple[Note, ...]
    origin: str
    licence: str


def source(text: str, licence: str | None = None) -> Source:
    """Notes of ``SOUNDFONT:PROGRAMME`` (a name or a file; 0..127) or of a folder of recordings.

    Raises
    ------
    ConfigError
        Neither; no licence for what is not a known soundfont; a file whose name says no pitch.
    """
    if Path(text).is_dir():
        return _folder(Path(text), check_licence(licence))
    font, colon, number = text.rpartition(":")
    if not colon or not number.isdigit() or int(number) > 127:
        known = ", ".join(SOUNDFONTS)
        raise ConfigError(
            f"expected a folder of notes or SOUNDFONT:PROGRAMME (0 to 127, e.g. fluidr3:48), got"
            f" '{text}'; a SOUNDFONT is a .sf2 or .sf3 file or one of {known}"
        )
    file = find_soundfont(font)
    if font in SOUNDFONTS:
        _, package, own = SOUNDFONTS[font]
        said = f"{file.name} (Debian {package}), General MIDI programme {number}"
        return Source(_played(font, int(number)), said, own)
    licence = check_licence(licence)
    return Source(_played(font, int(number)), f"{file.name}, programme {number}", licence)


def _played(font: str, programme: int) -> tuple[Note, ...]:
    """A soundfont's notes, all from one rendering."""
    pitches = range(LOWEST, LOWEST + NOTES, EVERY)
    wanted = [(p, LOUD, HELD, REST) for p in pitches]
    wanted += [(p, SOFT, SOFT_HELD, SOFT_REST) for p in pitches]
    file, track, ticks = mido.MidiFile(ticks_per_beat=480), mido.MidiTrack(), 960  # a second
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.Message("program_change", program=programme))
    wait, at, places = 0, 0.0, []
    for pitch, velocity, held, rest in wanted:
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=wait))
        track.append(mido.Message("note_off", note=pitch, time=round(held * ticks)))
        wait = round(rest * ticks)
        places.append(at)
        at += held + rest
    buffer = io.BytesIO()
    file.save(file=buffer)
    x = np.asarray(render(buffer.getvalue(), at, font), dtype=np.float64)
    if not np.abs(x).max() > 1e-4:
        raise ConfigError(f"programme {programme} of {font} makes no sound")
    found = []
    for (pitch, velocity, held, rest), start in zip(wanted, places, strict=True):
        begin = round(start * SAMPLE_RATE)
        part = x[begin : begin + round((held + rest) * SAMPLE_RATE)]
        if np.abs(part).max() > 1e-4:
            found.append(Note(pitch, velocity, part, held))
    return tuple(found)


def _folder(folder: Path, licence: str) -> Source:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    if not files:
        raise ConfigError(f"{folder} holds no recordings ({', '.join(sorted(ENDINGS))})")
    by_pitch: dict[int, Note] = {}
    for file in files:
        pitch = pitch_in(file.stem)
        if pitch is None:
            raise ConfigError(
                f"{file.name}: expected a note in the name, as C#4, Bb3 or a MIDI number (69)"
            )
        by_pitch.setdefault(pitch, Note(pitch, LOUD, _from_onset(decode(file)), None))
    return Source(tuple(by_pitch[p] for p in sorted(by_pitch)), f"{len(by_pitch)} notes", licence)


def pitch_in(name: str) -> int | None:
    """MIDI number that a file's name tells: a note (C4 is 60), else a number of 12 to 120."""
    if found := NAMED.search(name):
        letter, sign, octave = found.groups()
        shift = {"#": 1, "s": 1, "b": -1}.get((sign or "").lower(), 0)
        return 12 * (int(octave) + 1) + LETTERS[letter.lower()] + shift
    numbers = [int(n) for n in NUMBERED.findall(name) if 12 <= int(n) <= 120]
    return numbers[0] if numbers else None


def _from_onset(x: npt.NDArray[np.float32]) -> Floats:
    """A recording without the silence before its note."""
    loud = np.abs(x) > np.abs(x).max() * 10.0 ** (ONSET_DB / 20.0)
    return np.asarray(x[int(np.argmax(loud)) :], dtype=np.float64)
