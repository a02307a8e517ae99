"""A bank of single notes: every keyed and plucked programme of several soundfonts.

FluidSynth plays one MIDI file a programme with its notes well apart; each is cut where it begins,
brought to one loudness, and kept at 24 kHz, since the ear hears nothing above 9 kHz.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
from scipy import signal

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

from ..scores import render as synth

Array = npt.NDArray[np.float32]
RATE = 24_000
FONTS = ("fluidr3", "musescore")
CHECKED = "csound"  # plays the validation: thresholds are set on it
PROGRAMMES = (
    *range(9), 10, 11, 12, 13, 15,  # pianos, electric pianos, harpsichord, clavi, mallets
    16, 17, 18, 80, 81,  # organs, square and saw leads: what does not decay
    *range(24, 31), *range(32, 38), 45, 46, 104, 105, 106, 107, 108,  # plucked
)  # fmt: skip
CHECKED_PROGRAMMES = (0, 4, 24, 25, 27, 33)
BASSES = range(32, 38)
LOW, HIGH, BASS_HIGH, EVERY = 27, 98, 67, 4  # MIDI pitches; semitones between two notes
VELOCITIES = ((40, 80), (80, 127))
HELD, SLOT = 1.6, 2.6  # seconds that a key is held, and between two notes
LENGTH, BEFORE = 1.5, 0.002  # seconds of a note that are kept, and before its beginning
LOUDNESS = 0.1  # RMS over the first 0.2 s
QUIET, BEGUN = 10 ** (-50 / 20), 10 ** (-34 / 20)  # of a note's peak: its end, its beginning
KEPT = Path(".data") / "notes"


@dataclass(frozen=True)
class Bank:
    """Notes end to end.

    Attributes
    ----------
    samples : ndarray [n], int16
        At :data:`RATE`; full scale is 4 (notes have an RMS of 0.1).
    starts, lengths : ndarray [notes], int64 [samples]
    pitches : ndarray [notes], float32
        MIDI pitch.
    programmes : ndarray [notes], int64
        General MIDI programme, plus 1000 for each soundfont before its own.
    """

    samples: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    pitches: Array
    programmes: npt.NDArray[np.int64]


FIELDS = ("samples", "starts", "lengths", "pitches", "programmes")


def programme(font: str, number: int, place: int = 0) -> Bank:
    """Render and cut the notes of one programme of one soundfont.

    Raises
    ------
    ConfigError
        FluidSynth or the soundfont is missing.
    """
    rng = np.random.default_rng([number, place])
    top = BASS_HIGH if number in BASSES else HIGH
    pitches = [
        int(p) for k in range(2) for p in range(LOW + int(rng.integers(EVERY)), top + 1, EVERY)
    ]
    half = len(pitches) // 2
    velocities = [int(rng.integers(*VELOCITIES[(k + k // half) % 2])) for k in range(len(pitches))]
    midi = _midi(number, pitches, velocities)
    x = synth.render(midi, SLOT * len(pitches) + 0.1, font)
    synth.forget(midi, font)
    x = signal.resample_poly(x, 1, 2).astype(np.float32)
    cut = [
        _note(x[round(SLOT * k * RATE) : round(SLOT * (k + 1) * RATE)]) for k in range(len(pitches))
    ]
    found = [(p, c) for p, c in zip(pitches, cut, strict=True) if c is not None]
    lengths = np.array([len(c) for _, c in found], dtype=np.int64)
    return Bank(
        np.concatenate([c for _, c in found]) if found else np.zeros(0, np.int16),
        np.cumsum(lengths) - lengths,
        lengths,
        np.array([p for p, _ in found], dtype=np.float32),
        np.full(len(found), number + 1000 * place, dtype=np.int64),
    )


def _midi(number: int, pitches: list[int], velocities: list[int]) -> bytes:
    """Notes apart by :data:`SLOT`, in a MIDI file of 1000 ticks a second."""
    file = mido.MidiFile(ticks_per_beat=500)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.Message("program_change", program=number))
    wait = 20
    for pitch, velocity in zip(pitches, velocities, strict=True):
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=wait))
        track.append(mido.Message("note_off", note=pitch, time=round(1000 * HELD)))
        wait = round(1000 * (SLOT - HELD))
    track.append(mido.MetaMessage("end_of_track", time=500))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _note(x: Array) -> npt.NDArray[np.int16] | None:
    """From 2 ms before its beginning until it is silent; None where nothing is heard."""
    peak = float(np.abs(x).max(initial=0.0))
    if peak < 1e-4:
        return None
    begin = int(np.argmax(np.abs(x) > BEGUN * np.abs(x[: round(0.12 * RATE)]).max()))
    x = x[max(0, begin - round(BEFORE * RATE)) :][: round(LENGTH * RATE)]
    loud = np.flatnonzero(np.abs(x) > QUIET * peak)
    x = x[: loud[-1] + 1]
    gain = LOUDNESS / (float(np.sqrt(np.square(x[: RATE // 5]).mean())) + 1e-9)
    return np.asarray(np.clip(np.rint(x * (gain * 8192)), -32768, 32767), dtype=np.int16)


def joined(banks: list[Bank]) -> Bank:
    """Several banks as one."""
    shift = np.cumsum([0] + [len(b.samples) for b in banks[:-1]])
    parts = {f: np.concatenate([getattr(b, f) for b in banks]) for f in FIELDS}
    parts["starts"] = np.concatenate([b.starts + s for b, s in zip(banks, shift, strict=True)])
    return Bank(**parts)


def make(fonts: tuple[str, ...], programmes: tuple[int, ...]) -> Bank:
    """Every programme of every soundfont."""
    return joined([programme(f, n, k) for k, f in enumerate(fonts) for n in programmes])


def load(name: str) -> Bank:
    """The bank ``train`` or ``validation``, from ``.data/notes`` or made now (some minutes).

    Raises
    ------
    ConfigError
        FluidSynth or a soundfont is missing, or no such bank.
    """
    kinds = {"train": (FONTS, PROGRAMMES), "validation": ((CHECKED,), CHECKED_PROGRAMMES)}
    if name not in kinds:
        raise ConfigError(f"no bank '{name}' of notes; there are {', '.join(kinds)}")
    file = KEPT / f"{name}.npz"
    try:
        with np.load(file) as kept:
            return Bank(**{f: kept[f] for f in FIELDS})
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        bank = make(*kinds[name])
    KEPT.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as partial, partial.open("wb") as stream:
        np.savez(stream, **{f: getattr(bank, f) for f in FIELDS})
    return bank
