"""Pieces whose notes are known, played by soundfonts and by recorded notes, to judge an ear by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..scores.render import render
from ..scores.scores import Note, Score, compose, to_midi
from . import patches

Array = npt.NDArray[np.float32]
Onsets = Sequence[tuple[float, int]]  # seconds, MIDI pitch
TOLERANCE = 0.05
FONT, CHECKED = "timgm6mb", "csound"  # nobody learns from the first; thresholds: the second
RANGES = {
    "single lines": (45, 84),
    "repeated notes": (45, 76),
    "chords": (45, 84),
    "low lines": (28, 46),
}
PIECES, SECONDS, SEED = 2, 12.0, 41_000
LEVEL = 0.08  # RMS


@dataclass(frozen=True)
class Piece:
    """A recording whose notes are known."""

    kind: str
    samples: Array
    onsets: tuple[tuple[float, int], ...]


def single(score: Score) -> Score:
    """One note at a time: each ends where the next begins; of a chord the highest is kept."""
    tops: dict[float, Note] = {}
    for n in score.notes:
        if n.start not in tops or n.pitch > tops[n.start].pitch:
            tops[n.start] = n
    line = [tops[t] for t in sorted(tops)]
    line = [
        a
        for a, b in zip(line, [*line[1:], None], strict=True)
        if b is None or b.start - a.start > 0.1
    ]
    cut = [
        Note(
            a.start,
            min(a.length, (b.start - a.start) * 0.97) if b else a.length,
            a.pitch,
            a.velocity,
        )
        for a, b in zip(line, [*line[1:], None], strict=True)
    ]
    return Score(tuple(cut), score.tempo)


def repeated(seed: int, seconds: float, low: int, high: int) -> Score:
    """Runs of one note, 3.3 to 8 strokes a second, each on another pitch; a beat is a second."""
    rng, notes, at = np.random.default_rng(seed), [], 0.5
    while at < seconds:
        pitch, step = int(rng.integers(low, high + 1)), float(rng.uniform(0.125, 0.3))
        for _ in range(8):
            notes.append(Note(at, 0.9 * step, pitch, int(rng.integers(60, 100))))
            at += step
    return Score(tuple(notes), 60.0)


def pieces(
    player: int | str,
    font: str = FONT,
    count: int = PIECES,
    kinds: Sequence[str] = tuple(RANGES),
    seed: int = SEED,
) -> list[Piece]:
    """Scores composed by rule, played by a programme of a soundfont or by a recorded instrument.

    Parameters
    ----------
    player : int or str
        General MIDI programme, or the name of a patch (:mod:`train.data.notes.patches`).
    kinds : sequence of str
        Of :data:`RANGES`.

    Raises
    ------
    ConfigError
        FluidSynth, the soundfont or the patch is missing.
    """
    own = patches.instrument(player) if isinstance(player, str) else []
    made = []
    for kind in kinds:
        low, high = RANGES[kind]
        for k in range(count):
            if kind == "repeated notes":
                score = repeated(seed + k, SECONDS, low, high)
            else:
                score = compose(seed + 100 * low + k, SECONDS, low, high)
            if kind.endswith("lines"):
                score = single(score)
            if isinstance(player, str):
                x = patches.perform(score, own)
            else:
                x = render(to_midi(score, player), score.seconds + 1.0, font)
            x = x * np.float32(LEVEL / (np.sqrt(np.square(x).mean()) + 1e-9))
            onsets = tuple((begin, pitch) for begin, _, pitch in score.timed())
            made.append(Piece(kind, np.clip(x, -1, 1), onsets))
    return made


def matched(found: Onsets, truth: Onsets) -> list[tuple[int, int]]:
    """Pairs of places in both, each used once, as many as there can be."""
    pairs = []
    for pitch in {p for _, p in truth}:
        mine = sorted((t, k) for k, (t, p) in enumerate(found) if p == pitch)
        other = sorted((t, k) for k, (t, p) in enumerate(truth) if p == pitch)
        i = j = 0
        while i < len(mine) and j < len(other):
            late = mine[i][0] - other[j][0]
            if abs(late) <= TOLERANCE:
                pairs.append((mine[i][1], other[j][1]))
                i, j = i + 1, j + 1
            elif late > 0:
                j += 1
            else:
                i += 1
    return pairs
