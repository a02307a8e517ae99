"""Sample-aligned pairs of recordings: dry and styled, split by score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .scores.render import SAMPLE_RATE, render
from .scores.scores import Score, compose, to_midi

Array = npt.NDArray[np.float32]
Teacher = Callable[[Array], Array]
TAIL = 1.0  # seconds heard after the last note


@dataclass(frozen=True)
class Pair:
    """One recording twice: ``dry`` and ``wet [shape=(n,), float32]`` at 48 kHz.

    `controls` are the values of the controls at which `wet` was made; `notes` what is played
    (begin and end in seconds, MIDI pitch) and `text` what is said, where that is known.
    """

    name: str
    dry: Array
    wet: Array
    controls: tuple[float, ...] = ()
    notes: tuple[tuple[float, float, int], ...] = ()
    text: str = ""


@dataclass(frozen=True)
class PairSet:
    """Pairs by split; no score appears in two splits."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]

    def manifest(self) -> list[dict[str, object]]:
        """Name, split, seconds and content hash of every pair."""
        return [
            {
                "name": p.name,
                "split": split,
                "seconds": round(len(p.dry) / SAMPLE_RATE, 2),
                "sha256": hashlib.sha256(p.dry.tobytes() + p.wet.tobytes()).hexdigest()[:16],
            }
            for split in ("train", "validation", "test")
            for p in getattr(self, split)
        ]


def split_seeds(count: int) -> tuple[range, range, range]:
    """Split score seeds 0..count-1 into train, validation and test (80/10/10, at least one)."""
    held = max(1, count // 10)
    return (
        range(count - 2 * held),
        range(count - 2 * held, count - held),
        range(count - held, count),
    )


def _level(signal: Array) -> float:
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))) + 1e-9)


@dataclass(frozen=True)
class Voice:
    """What plays a score: a General MIDI program (0..127) of a soundfont."""

    program: int
    font: str = "fluidr3"

    def __str__(self) -> str:
        return f"{self.font}-{self.program}"


def paired(name: str, score: Score, dry: Array, target: Voice) -> Pair:
    """A score somehow played, and the same score played by `target`, aligned by sample.

    Both have a level of 0.1 RMS.
    """
    wet = render(to_midi(score, target.program), score.seconds + TAIL, target.font)
    dry, wet = (x * np.float32(0.1 / _level(x)) for x in (dry, wet))
    return Pair(name, dry, wet, notes=score.timed())


def program_pair(index: int, score: Score, voice: Voice, target: Voice) -> Pair:
    """The same score played by an input voice and by `target`."""
    dry = render(to_midi(score, voice.program), score.seconds + TAIL, voice.font)
    return paired(f"score{index}-{voice}", score, dry, target)


def program_pairs(
    scores: int, seconds: float, voices: Sequence[Voice], target: Voice, seed: int
) -> PairSet:
    """Scores composed by rule, input voices in turn, one target voice."""

    def make(index: int) -> Pair:
        score = compose(seed + index, seconds, 43, 84)
        return program_pair(index, score, voices[index % len(voices)], target)

    return _collect(scores, make)


def teacher_pairs(
    scores: int, seconds: float, voices: Sequence[Voice], teacher: Teacher, seed: int
) -> PairSet:
    """Scores played by guitars and keys, and the same sound through a teacher."""

    def make(index: int) -> Pair:
        voice = voices[index % len(voices)]
        dry = played(seed + index, seconds, voice)
        return Pair(f"score{index}-{voice}", dry, teacher(dry))

    return _collect(scores, make)


def blend_pairs(
    scores: int, seconds: float, voices: Sequence[Voice], teachers: Sequence[Teacher], seed: int
) -> PairSet:
    """Scores through several teachers; each recording with two of them alone and one mix of all.

    The controls are the weights; the wet sound of a mix is the weighted sum of the teachers'.
    """

    def make(index: int) -> tuple[Pair, ...]:
        voice, rng = voices[index % len(voices)], np.random.default_rng(seed + index)
        dry = played(seed + index, seconds, voice)
        wets = [teacher(dry) for teacher in teachers]
        single = np.eye(len(teachers))
        mixes = [single[index % len(teachers)], single[(index + 1) % len(teachers)]]
        mixes.append(rng.dirichlet(np.full(len(teachers), 0.7)))
        return tuple(
            Pair(
                f"score{index}-{voice}-mix{k}",
                dry,
                np.asarray(sum(w * y for w, y in zip(mix, wets, strict=True)), dtype=np.float32),
                tuple(float(w) for w in mix),
            )
            for k, mix in enumerate(mixes)
        )

    splits = (tuple(p for i in seeds for p in make(i)) for seeds in split_seeds(scores))
    return PairSet(*splits)


def played(seed: int, seconds: float, voice: Voice) -> Array:
    """A score in guitar range, its peak somewhere between 0.12 and 1.0 (a player's levels)."""
    score = compose(seed, seconds, 40, 76)
    dry = render(to_midi(score, voice.program), score.seconds + TAIL, voice.font)
    level = 10 ** np.random.default_rng(seed).uniform(-0.9, 0.0)
    return np.asarray(dry / np.abs(dry).max() * level, dtype=np.float32)


def _collect(scores: int, make: Callable[[int], Pair]) -> PairSet:
    return PairSet(*(tuple(make(i) for i in seeds) for seeds in split_seeds(scores)))
