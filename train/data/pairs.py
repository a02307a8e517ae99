"""Sample-aligned pairs of recordings: dry and styled, split by score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .render import SAMPLE_RATE, render
from .scores import compose, to_midi

Array = npt.NDArray[np.float32]
Teacher = Callable[[Array], Array]
TAIL = 1.0  # seconds heard after the last note


@dataclass(frozen=True)
class Pair:
    """One recording twice: ``dry`` and ``wet [shape=(n,), float32]`` at 48 kHz."""

    name: str
    dry: Array
    wet: Array


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


def program_pairs(
    scores: int, seconds: float, programs: Sequence[int], target: int, seed: int
) -> PairSet:
    """The same score played by an input program and by `target` (General MIDI numbers).

    The target is scaled so that its mean power is that of the input, score by score.
    """

    def make(index: int) -> Pair:
        score = compose(seed + index, seconds, 43, 84)
        length = score.seconds + TAIL
        program = programs[index % len(programs)]
        dry, wet = (render(to_midi(score, p), length) for p in (program, target))
        gain = 0.1 / _level(dry)
        wet = wet * (_level(dry) / _level(wet) * gain)
        return Pair(
            f"score{index}-program{program}", dry * np.float32(gain), wet.astype(np.float32)
        )

    return _collect(scores, make)


def teacher_pairs(
    scores: int, seconds: float, programs: Sequence[int], teacher: Teacher, seed: int
) -> PairSet:
    """Scores played by guitars, and the same sound through a teacher chain."""

    def make(index: int) -> Pair:
        score = compose(seed + index, seconds, 40, 76)
        program = programs[index % len(programs)]
        dry = render(to_midi(score, program), score.seconds + TAIL)
        rng = np.random.default_rng(seed + index)
        dry = (dry / np.abs(dry).max() * 10 ** rng.uniform(-0.9, 0.0)).astype(np.float32)
        return Pair(f"score{index}-program{program}", dry, teacher(dry))

    return _collect(scores, make)


def _collect(scores: int, make: Callable[[int], Pair]) -> PairSet:
    return PairSet(*(tuple(make(i) for i in seeds) for seeds in split_seeds(scores)))
