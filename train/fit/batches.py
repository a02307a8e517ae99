"""Training examples drawn from recordings, the same whatever the number of processes."""

from __future__ import annotations

import numpy as np
import torch

from realtime.errors import ConfigError

from ..data.pairs import Pair, PairSet
from ..recipes.base import Batch, Recipe, Schedule

LONGEST = 12 * 48000  # samples of a held-out recording that validation hears
MULTIPLE = 1024  # every hop divides it
QUIET = 1e-2  # peak below which a segment is drawn again


def segment_length(recipe: Recipe, schedule: Schedule) -> int:
    """Samples of one example: warm-up, what the loss hears, latency, up to a multiple of 1024."""
    n = recipe.warm_up + schedule.segment + recipe.latency
    return n + -n % MULTIPLE


def draw(pairs: tuple[Pair, ...], batch: int, n: int, rng: np.random.Generator) -> Batch:
    """Draw `batch` aligned segments of `n` samples, long recordings more often.

    A segment that is nearly silent is drawn again once.  Everything random comes from `rng`.
    """
    dry, wet = np.zeros((2, batch, n), dtype=np.float32)
    controls = np.zeros((batch, len(pairs[0].controls)), dtype=np.float32)
    lengths = np.array([len(p.dry) for p in pairs], dtype=float)
    for b in range(batch):
        for _ in range(2):
            pair = pairs[int(rng.choice(len(pairs), p=lengths / lengths.sum()))]
            start = int(rng.integers(0, max(1, len(pair.dry) - n)))
            part, target = pair.dry[start : start + n], pair.wet[start : start + n]
            dry[b], wet[b] = 0.0, 0.0
            dry[b, : len(part)], wet[b, : len(target)] = part, target
            controls[b] = pair.controls
            if np.abs(target).max(initial=0.0) > QUIET:
                break
    return Batch(torch.from_numpy(dry), torch.from_numpy(wet), torch.from_numpy(controls))


def whole(pair: Pair, n: int) -> Batch:
    """The first `n` samples of one recording as a batch of one."""
    dry, wet = (torch.from_numpy(a[None, :n]) for a in (pair.dry, pair.wet))
    return Batch(dry, wet, torch.tensor([pair.controls], dtype=torch.float32))


def held_out(pair: Pair) -> Batch:
    """What validation hears of a recording: at most 12 s, a multiple of 1024 samples."""
    return whole(pair, min(len(pair.dry), LONGEST) // MULTIPLE * MULTIPLE)


def share(batch: Batch, rank: int, processes: int) -> Batch:
    """Rows ``rank::processes`` of the batch that one process alone would have taken."""
    if processes == 1:
        return batch
    return Batch(*(part[rank::processes].contiguous() for part in batch))


def check_data(recipe: Recipe, schedule: Schedule, processes: int, data: PairSet) -> None:
    """Refuse empty splits and batches that cannot be split.

    Raises
    ------
    ConfigError
        What is missing, and what to do.
    """
    for name, pairs in (("training", data.train), ("validation", data.validation)):
        if not pairs:
            raise ConfigError(
                f"the {name} set of '{recipe.name}' is empty; it needs one recording at least —"
                " see: restyle train data --help"
            )
    if schedule.batch % processes:
        raise ConfigError(
            f"a batch of {schedule.batch} cannot be split evenly over {processes} processes;"
            f" say batch={processes * max(1, schedule.batch // processes)}"
        )
