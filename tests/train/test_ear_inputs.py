"""What the bundled ear hears of instruments that are no piano, and of a voice that hums."""

from __future__ import annotations

import shutil
from functools import cache

import numpy as np
import pytest

from realtime.models.catalog import find_model
from realtime.models.ear import Ear
from train.data.notes import hummed
from train.data.notes.pieces import Piece, matched
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
def ear(gliding: float = 0.0) -> Ear:
    return Ear(find_model("ear"), RATE, gliding)


def f1(x: PIECE) -> float:
    """Of the line's notes, each with its pitch within 50 ms."""
    sound = (0.2 * x / np.abs(x).max()).astype(np.float32)
    return heard(Piece("", sound, tuple((begin, pitch) for begin, _, pitch in SCORE.timed())))


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


def heard(piece: Piece, gliding: float = 0.0) -> float:
    found = [(n.begin, n.pitch) for n in ear(gliding).notes(piece.samples)]
    return 2 * len(matched(found, piece.onsets)) / (len(found) + len(piece.onsets))


@pytest.mark.parametrize("up", sorted(hummed.VOWELS))
@pytest.mark.parametrize(("cents", "least"), [(0, 0.9), (20, 0.8), (50, 0.65)])
def test_a_hummed_line_is_heard_where_it_steps_from_note_to_note(
    up: int, cents: float, least: float
) -> None:
    assert heard(hummed.hummed("", hummed.STEP, cents, up, bound=False)) >= least


@pytest.mark.parametrize("up", sorted(hummed.VOWELS))
@pytest.mark.parametrize(
    ("glide", "cents", "least"),
    [(0.06, 0, 0.8), (0.06, 20, 0.8), (0.1, 0, 0.6), (0.1, 20, 0.6), (0.15, 0, 0.2)],
)
def test_a_voice_that_glides_is_heard_where_it_arrives(
    up: int, glide: float, cents: float, least: float
) -> None:
    piece = hummed.hummed("", glide, cents, up)
    assert heard(piece, gliding=1.0) >= max(least, 1.5 * heard(piece))
