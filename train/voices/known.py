"""Scores as an ear would tell them to a voice, and the sound that a voice makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from ..data.pairs import TAIL
from ..data.scores.render import render
from ..data.scores.scores import Note as Written
from ..data.scores.scores import Score, to_midi
from ..networks.voice import HOP, RATE, Voice, controls
from .tables import LOWEST, NOTES, Tables

Array = npt.NDArray[np.float32]
LEVEL = 0.1  # that the ear is to have heard all the time
ONSET, ACTIVE, LEVEL_ROW, BEND = range(4)


def rows_of(
    timed: Sequence[tuple[float, float, int, float]], seconds: float, late: float = 0.0
) -> Array:
    """Notes hop by hop, as an ear that hears everything right, `late` seconds after it.

    Parameters
    ----------
    timed : sequence of (begin, end, pitch, velocity)
        Seconds, MIDI pitch, 0..1; what the ear cannot hear is left out.

    Returns
    -------
    ndarray [shape=(hops, 4, NOTES), float32]
    """
    hops = round(seconds * RATE / HOP)
    rows = np.zeros((hops, 4, NOTES), dtype=np.float32)
    rows[:, LEVEL_ROW] = LEVEL
    for begin, end, pitch, velocity in timed:
        first, last = (int((t + late) * RATE / HOP) for t in (begin, end))
        if 0 <= pitch - LOWEST < NOTES and first < hops:
            rows[first, ONSET, pitch - LOWEST] = velocity
            rows[first : max(last, first + 1), ACTIVE, pitch - LOWEST] = 1.0
    return rows


def timed(score: Score) -> list[tuple[float, float, int, float]]:
    """Begin and end in seconds, pitch, and velocity 0..1 of every note."""
    return [
        (a, b, p, n.velocity / 127.0)
        for (a, b, p), n in zip(score.timed(), score.notes, strict=True)
    ]


def sound_of(
    rows: Array, voices: Sequence[Tables], settings: Mapping[str, float] | None = None
) -> Array:
    """Samples that a voice makes of notes ``[hops, 4, NOTES] -> [hops * HOP]``, by torch.

    Parameters
    ----------
    settings : mapping of control to value
        What differs from the defaults of :func:`~train.networks.voice.controls`.
    """
    voice = Voice(voices).eval()
    values = [(settings or {}).get(p.name, p.default) for p in controls()]
    values += [1.0] * (len(voices) if len(voices) > 1 else 0)
    knobs = torch.tensor([values], dtype=torch.float32)
    states, found = voice.initial_state(1), []
    with torch.no_grad():
        for row in torch.from_numpy(rows):
            y, states = voice(row.unsqueeze(0), knobs, *states)
            found.append(y[0].numpy())
    return np.concatenate(found)


def true_patch(
    notes: Sequence[tuple[float, float, int, float]], seconds: float, programme: int
) -> Array:
    """A programme of FluidR3 playing notes as :func:`rows_of` takes them."""
    written = [Written(2 * a, 2 * (b - a), p, round(127 * v)) for a, b, p, v in notes]
    return render(to_midi(Score(tuple(written), 120.0), programme), seconds + TAIL)
