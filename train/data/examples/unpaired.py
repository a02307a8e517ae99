"""Two heaps of recordings of which none belongs to any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..pairs import TAIL, Pair, PairSet, Voice, program_pair, split_seeds
from ..scores.render import SAMPLE_RATE, render
from ..scores.scores import compose, to_midi
from ..sets.recordings import RecordingSet
from .voices import join

Array = npt.NDArray[np.float32]
LEVEL, PIECE, SHORTEST = 0.1, 20.0, 2.0  # RMS; seconds


def unmatched_programs(
    scores: int, seconds: float, voices: Sequence[Voice], target: Voice, seed: int
) -> PairSet:
    """Even scores played by the input voices beside odd ones played by the target.

    No score is heard from both sides in training and validation; the test recordings are true
    pairs, of scores that neither side has heard.
    """
    train, held, test = split_seeds(scores)

    def played(index: int, voice: Voice) -> Array:
        score = compose(seed + index, seconds, 43, 84)
        return levelled(render(to_midi(score, voice.program), score.seconds + TAIL, voice.font))

    def halves(indices: Sequence[int]) -> tuple[Pair, ...]:
        made = []
        for number, (here, there) in enumerate(zip(indices[::2], indices[1::2], strict=False)):
            voice = voices[number % len(voices)]
            dry, wet = same_length(played(here, voice), played(there, target))
            made.append(Pair(f"score{here}-{voice}, score{there}-{target}", dry, wet))
        return tuple(made)

    tests = (
        program_pair(i, compose(seed + i, seconds, 43, 84), voices[i % len(voices)], target)
        for i in test
    )
    return PairSet(halves(train), halves(held), tuple(tests))


def unmatched_sets(inputs: RecordingSet, wanted: RecordingSet) -> PairSet:
    """Recordings of two sets side by side, joined to pieces of 20 s, split by split.

    Raises
    ------
    ConfigError
        A split is empty on one side.
    """
    splits = []
    for split in ("train", "validation", "test"):
        sides = []
        for side in (inputs, wanted):
            pieces = [
                levelled(x)
                for _, x in join(getattr(side, split), PIECE, seed=0)
                if len(x) >= SHORTEST * SAMPLE_RATE
            ]
            if not pieces:
                raise ConfigError(
                    f"'{side.manifest.name}' has less than {SHORTEST:g} s of sound for {split};"
                    " recordings are never cut between splits, so give ten or more of some seconds"
                )
            sides.append(pieces)
        count = max(map(len, sides))
        rows = [same_length(*(side[i % len(side)] for side in sides)) for i in range(count)]
        splits.append(tuple(Pair(f"{split}{i}", *row) for i, row in enumerate(rows)))
    return PairSet(*splits)


def levelled(x: Array) -> Array:
    """`x` at 0.1 RMS."""
    rms = float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) + 1e-9
    return np.asarray(x * np.float32(LEVEL / rms), dtype=np.float32)


def same_length(a: Array, b: Array) -> tuple[Array, Array]:
    """Both, the shorter one repeated to the longer one's length."""
    n = max(len(a), len(b))
    return (np.resize(a, n).astype(np.float32), np.resize(b, n).astype(np.float32))
