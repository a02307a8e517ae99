"""Scores as rolls: which notes begin on every quarter of a beat, relative to the key's root."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ..data.scores.scores import SCALES, Score, compose, key_of

LOW, HIGH = 48, 84  # MIDI pitches that are composed with
BELOW = 11  # semitones below the root that may sound: it lies up to so many above LOW
SLOTS = HIGH - LOW + BELOW  # relative pitches
PER_BEAT = 4
AHEAD = 16  # ticks over which density is meant
SCALE_NAMES = tuple(SCALES)
Roll = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """One score for the composer.

    Attributes
    ----------
    onsets : ndarray [shape=(ticks, SLOTS), bool]
        Slot ``pitch - root + BELOW``.
    density : ndarray [shape=(ticks,), float32]
        Share of the next :data:`AHEAD` ticks on which anything begins, this one included.
    scale : int
        Index into :data:`SCALE_NAMES`.
    """

    onsets: Roll
    density: npt.NDArray[np.float32]
    scale: int


def roll(score: Score, root: int) -> Roll:
    """Onsets of a score, each moved to the nearest tick ``[ticks, SLOTS]``."""
    at = [round(n.start * PER_BEAT) for n in score.notes]
    onsets = np.zeros((max(at) + 1, SLOTS), dtype=bool)
    for tick, note in zip(at, score.notes, strict=True):
        slot = note.pitch - root + BELOW
        if 0 <= slot < SLOTS:
            onsets[tick, slot] = True
    return onsets


def density(onsets: Roll) -> npt.NDArray[np.float32]:
    """How full the coming ticks are ``[ticks]``, see :class:`Piece`."""
    busy = np.r_[onsets.any(axis=1), np.zeros(AHEAD - 1, dtype=bool)].astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(busy, AHEAD)
    return np.asarray(windows.mean(axis=1), dtype=np.float32)


@cache
def piece(seed: int, seconds: float) -> Piece:
    """What :func:`train.data.scores.scores.compose` makes of a seed."""
    scale, root = key_of(seed, LOW)
    onsets = roll(compose(seed, seconds, LOW, HIGH), root)
    return Piece(onsets, density(onsets), SCALE_NAMES.index(scale))
