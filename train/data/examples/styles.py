"""One score played by many: by an input voice and by every style, for a network with all of them.

Two kinds of examples come from a score: *twins*, where a voice goes in and the same notes by a
style are wanted, and *selves*, where a style's own sound goes in and is wanted back.  Without the
selves nothing would be a reconstruction; without the twins the network could carry the timbre past
its style and the style would mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..pairs import TAIL, Pair, PairSet, Voice, split_seeds
from ..scores.render import render
from ..scores.scores import Score, compose, to_midi

Array = npt.NDArray[np.float32]
LEVEL = 0.1  # RMS of every recording


def one_hot(index: int, count: int) -> tuple[float, ...]:
    """Blend weights with one style up."""
    return tuple(float(k == index) for k in range(count))


def level(x: Array) -> Array:
    """Scale a recording to :data:`LEVEL`."""
    power = float(np.mean(np.square(x, dtype=np.float64)))
    return np.asarray(x * np.float32(LEVEL / np.sqrt(power + 1e-18)), dtype=np.float32)


def sung(score: Score, voice: Voice) -> Array:
    """A score played by a voice, its tail included."""
    return level(render(to_midi(score, voice.program), score.seconds + TAIL, voice.font))


def examples(
    name: str, score: Score, dry: Array, styles: Sequence[Voice], turn: int, all_of_them: bool
) -> list[Pair]:
    """Twins from a recording and from a style, and selves.

    Parameters
    ----------
    dry : ndarray [shape=(n,)]
        The score played by an input voice.
    turn : int
        Which of the styles goes into another one.
    all_of_them : bool
        False: one twin and one self, so that validation stays short.
    """
    count, notes = len(styles), score.timed()
    wets = [sung(score, s) for s in styles]
    pairs = []
    for k, wet in enumerate(wets):
        if all_of_them or k == turn % count:
            pairs.append(Pair(f"{name}-to{k}", dry, wet, one_hot(k, count), notes))
        if all_of_them or k == (turn + 1) % count:
            pairs.append(Pair(f"{name}-self{k}", wet, wet, one_hot(k, count), notes))
    if all_of_them:
        a, b = turn % count, (turn + 1 + turn // count % (count - 1)) % count
        pairs.append(Pair(f"{name}-{a}to{b}", wets[a], wets[b], one_hot(b, count), notes))
    return pairs


def style_pairs(
    scores: int, seconds: float, voices: Sequence[Voice], styles: Sequence[Voice], seed: int
) -> PairSet:
    """Scores composed by rule, input voices in turn, every style as the target.

    No score is in two splits; validation holds a twin of one score, a self of the next, the test
    set a twin of each.
    """

    def make(index: int, all_of_them: bool) -> list[Pair]:
        score, voice = compose(seed + index, seconds, 43, 84), voices[index % len(voices)]
        name = f"score{index}-{voice}"
        return examples(name, score, sung(score, voice), styles, index, all_of_them)

    return _split(scores, make)


def _split(scores: int, make: Callable[[int, bool], list[Pair]]) -> PairSet:
    first, *held = split_seeds(scores)
    train = tuple(p for i in first for p in make(i, True))
    validation, test = (tuple(p for i in seeds for p in make(i, False)) for seeds in held)
    turns = (k for k in range(len(validation)) if k % 4 in (0, 3))  # a twin, a self, a twin ...
    validation = tuple(validation[k] for k in turns)
    return PairSet(train, validation, tuple(p for p in test if p.dry is not p.wet))
