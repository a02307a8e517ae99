"""What the listener's judges are told of a player's voice, and what they say of the true patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from realtime.proof.listener import clips
from realtime.proof.listener.harmonics import harmonics_to_noise
from realtime.proof.listener.levels import rise, sustain
from realtime.proof.listener.lines import off_grid
from realtime.proof.listener.material import BASS_LOWEST, PITCHES, RUN_LOWEST, SETTLE, STEADY
from realtime.proof.listener.onsets import events, judge
from realtime.proof.listener.own import Own
from realtime.proof.listener.pitch import share_right
from realtime.proof.listener.sounds import Note, hertz

from ..data.scores.render import SAMPLE_RATE
from .known import true_patch
from .tables import LOWEST, PARTIALS, Tables, knots

FAINTEST_DB = -60.0  # of a note's power: a component that counts
AGE = 0.8  # seconds after the onset that steady tones are judged at, about
VELOCITY, REST = 0.6, 1.5  # of all notes; seconds between phrases
Array = npt.NDArray[np.float32]
Phrase = tuple[Sequence[Note], int]  # its notes, its length in samples
TONES: list[Phrase] = [  # for each of the proof's pitches
    ([Note(0.0, SETTLE + STEADY, hertz(key))], round((SETTLE + STEADY) * SAMPLE_RATE))
    for key in PITCHES
]


def spectrum(tables: Tables, key: int) -> list[list[float]]:
    """A note's partials, each with what is beside it and around it: Hz, dB, width in Hz."""
    every, row = tables.every(), key - LOWEST
    level = every.course[row, int(np.argmin(np.abs(knots() - AGE))), :PARTIALS].astype(np.float64)
    power = np.where(every.ratio[row] > 0.0, np.exp(2.0 * level), 0.0)
    power /= power.sum() + 1e-30
    hz = every.ratio[row] * hertz(key)
    parts = [
        (hz, power * every.steady[row] ** 2, np.zeros(PARTIALS)),
        (hz + every.beat[row], power * every.second[row] ** 2, np.zeros(PARTIALS)),
        (hz, power * every.random[row] ** 2, every.width[row]),
    ]
    rows = np.concatenate([np.stack(p, axis=1) for p in parts])
    rows = rows[rows[:, 1] > 10.0 ** (FAINTEST_DB / 10.0)]
    rows[:, 1] = 10.0 * np.log10(rows[:, 1])
    return [[round(float(v), 1) for v in row] for row in rows]


def spectra(voices: Mapping[str, Tables]) -> dict[str, dict[str, list[list[float]]]]:
    """Partials of every voice at the keys of the proof's tones, as cards keep them."""
    return {
        name: {str(key): spectrum(tables, key) for key in PITCHES}
        for name, tables in voices.items()
    }


def figures(programme: int, own: Mapping[int, Own]) -> dict[str, float]:
    """The listener's figures of a programme of FluidR3, given the notes of the proof.

    Parameters
    ----------
    own : mapping of key to Own
        Of the voice learnt from it.
    """
    rate, begun = SAMPLE_RATE, events(SAMPLE_RATE)
    phrases = {
        c.name: c
        for c in (
            clips.line("bass", clips.BASS, 0.3, rate, 4.0),
            clips.line("run", clips.RUN, 0.1, rate, 3.0),
            clips.chords(rate),
            clips.repeated(rate),
            clips.held(rate, None),
        )
    }
    wanted: list[Phrase] = [(c.notes, len(c.samples)) for c in phrases.values()]
    wanted += TONES
    wanted += [(notes, begun.samples.shape[1]) for notes in begun.notes]
    sounds = _together(wanted, programme)
    out = dict(zip(phrases, sounds, strict=False))
    first = len(phrases)
    lines = _lines(sounds[first : first + len(TONES)], own)
    onsets = judge(np.stack(sounds[first + len(TONES) :]), begun)
    found = {
        "line_partials": max(lines),
        "held_4": sustain(out["held"], rate, phrases["held"].notes[0], (4.0,))[0],
        "pitch_bass": share_right(out["bass"], rate, phrases["bass"].notes, BASS_LOWEST),
        "pitch_run": share_right(out["run"], rate, phrases["run"].notes, RUN_LOWEST),
        "hnr_run": harmonics_to_noise(out["run"], rate, phrases["run"].notes),
        "hnr_chords": harmonics_to_noise(out["chords"], rate, phrases["chords"].notes),
        "onset_late": onsets.late_ms,
        "onset_jitter": onsets.jitter_ms,
        "onset_missed": onsets.missed,
        "repeat_rise": rise(out["repeated"], rate, phrases["repeated"].notes),
    }
    return {name: round(value, 3) for name, value in found.items()}


def worst_line(programme: int, own: Mapping[int, Own]) -> float:
    """Of a programme's tones, as :func:`figures` has it, in dB."""
    return round(max(_lines(_together(TONES, programme), own)), 3)


def _lines(tones: Sequence[Array], own: Mapping[int, Own]) -> list[float]:
    last = round(STEADY * SAMPLE_RATE)
    return [
        off_grid(y[-last:], SAMPLE_RATE, [hertz(key)], own=own[key]).line_db
        for key, y in zip(PITCHES, tones, strict=True)
    ]


def _together(wanted: Sequence[Phrase], programme: int) -> list[Array]:
    """Phrases ``(notes, samples)`` from one rendering, with time to die away between them."""
    rest, at, written, places = round(REST * SAMPLE_RATE), 0, [], []
    for notes, length in wanted:
        begin = at / SAMPLE_RATE
        for n in notes:
            key = round(69.0 + 12.0 * np.log2(n.hz / 440.0))
            written.append((begin + n.begin, begin + n.end, key, VELOCITY))
        places.append(slice(at, at + length))
        at += length + rest
    y = true_patch(written, at / SAMPLE_RATE, programme)
    return [y[place] for place in places]
