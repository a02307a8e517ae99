"""What the bundled ear hears of instruments that are no piano, and of a voice that hums."""

from __future__ import annotations

import shutil
from functools import cache

import numpy as np
import pytest
from scipy.signal import lfilter

from realtime.models.catalog import find_model
from realtime.models.ear import Ear
from train.data.notes.pieces import matched
from train.data.scores.render import render
from train.data.scores.scores import Note, Score, to_midi

RATE = 48_000
LINE = (57, 60, 64, 67, 69, 65, 62, 60, 64, 57)
SCORE = Score(tuple(Note(0.5 + 0.8 * k, 0.7, pitch, 90) for k, pitch in enumerate(LINE)), 120.0)
SECONDS = SCORE.seconds + 0.5
PIECE = np.ndarray

needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None, reason="fluidsynth is not installed"
)


@cache
def ear() -> Ear:
    return Ear(find_model("ear"), RATE)


def f1(x: PIECE, octave: int = 0) -> float:
    """Of the line's notes, each with its pitch within 50 ms."""
    sound = (0.2 * x / np.abs(x).max()).astype(np.float32)
    found = [(n.begin, n.pitch) for n in ear().notes(sound)]
    truth = [(begin, pitch + 12 * octave) for begin, _, pitch in SCORE.timed()]
    return 2 * len(matched(found, truth)) / (len(found) + len(truth))


def played(program: int) -> PIECE:
    return render(to_midi(SCORE, program), SECONDS, "timgm6mb")


GUITARS, KEYS, BARS = (25, 26, 27), (4, 5, 7), (11, 12)  # of General MIDI


@needs_fluidsynth
@pytest.mark.parametrize(
    ("program", "least"), [*((p, 0.9) for p in GUITARS + KEYS), *((p, 0.75) for p in BARS)]
)
def test_instruments_that_are_no_piano_are_heard(program: int, least: float) -> None:
    """On a soundfont that no training heard."""
    assert f1(played(program)) >= least


@needs_fluidsynth
@pytest.mark.parametrize("drive_db", [6, 12, 18, 24])
def test_a_guitar_is_heard_through_a_driven_amplifier(drive_db: int) -> None:
    x = played(27)
    assert f1(np.tanh(10 ** (drive_db / 20) * x / np.abs(x).max())) >= 0.9


def hummed(vibrato_cents: float) -> PIECE:
    """A voice's harmonics through two formants, with breath, an octave below the line."""
    n = round(SECONDS * RATE)
    pitch, level = np.full(n, LINE[0] - 12.0), np.zeros(n)
    for begin, end, key in SCORE.timed():
        i, j = round(begin * RATE), round(end * RATE)
        pitch[i:] = key - 12
        rise, fall = np.arange(j - i) / (0.04 * RATE), np.arange(j - i)[::-1] / (0.05 * RATE)
        level[i:j] = np.minimum(1, np.minimum(rise, fall))
    corner = 1 / (0.005 * RATE)  # from one pitch to the next in 5 ms
    pitch = pitch[0] + lfilter([corner], [1, corner - 1], pitch - pitch[0])
    pitch = pitch + vibrato_cents / 100 * np.sin(2 * np.pi * 5.5 * np.arange(n) / RATE)
    hz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    voice = np.zeros(n)
    for k in range(1, 25):
        first, second = ((k * hz - f) / w for f, w in ((250, 150), (1200, 200)))
        strength = 1 / (1 + first**2) + 0.15 / (1 + second**2) + 0.02 / k
        voice += strength * np.sin(k * phase)
    return (voice + 0.01 * np.random.default_rng(0).standard_normal(n)) * level


@pytest.mark.parametrize(("vibrato_cents", "least"), [(0, 0.9), (20, 0.8), (50, 0.65)])
def test_a_hummed_line_is_heard_where_it_steps_from_note_to_note(
    vibrato_cents: float, least: float
) -> None:
    assert f1(hummed(vibrato_cents), octave=-1) >= least
