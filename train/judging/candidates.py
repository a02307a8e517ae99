"""Every way to get from the dry recordings to the style, side by side.

``copy`` does nothing, ``matched_eq`` is one static equaliser fitted on the training set, ``own_eq``
one fitted on the very recording it is judged on, ``hand_made`` a chain of effects, ``no_adversary``
the same recipe trained without its discriminators (where there are such), ``model`` the style,
``oracle`` the true target.  A recipe may have others of its own to be compared with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE
from ..fit.batches import whole
from ..fit.checkpoint import BEST, folder_of, load
from ..networks.layers import Streamable
from ..player import play
from ..recipes import get_recipe
from ..recipes.base import JUDGED_SECONDS, Recipe
from .baselines import apply_eq, hand_made, matched_eq

Array = npt.NDArray[np.float32]
CANDIDATES = ("copy", "matched_eq", "own_eq", "hand_made", "model", "oracle")
SECONDS = JUDGED_SECONDS
SHORTEST_NOTE = 0.05  # seconds of it inside the part


@dataclass(frozen=True)
class Clips:
    """All candidates for one test recording, aligned and of one length."""

    pair: Pair  # cut to the same part; its notes shifted along
    sounds: dict[str, Array]


def among(made: list[Clips]) -> tuple[str, ...]:
    """The candidates that all recordings have, in their order."""
    shared = set.intersection(*(set(c.sounds) for c in made))
    return tuple(in_order(shared))


def _ablations(recipe: Recipe) -> dict[str, Streamable]:
    """Networks of the recipe's ablations, of those that were trained."""
    known = {k: get_recipe(name) for k, name in recipe.ablations.items()}
    return {k: load(r)[0] for k, r in known.items() if (folder_of(r) / BEST).exists()}


def in_torch(recipe: Recipe, network: Streamable, pair: Pair) -> Array:
    """The network's output, aligned to the input, without what the warm-up makes."""
    n = len(pair.dry) // 1024 * 1024
    with torch.no_grad():
        y, _ = recipe.aligned(network.eval(), whole(pair, n))
    return np.asarray(y[0].numpy()[: round(SECONDS * SAMPLE_RATE)])


def in_player(recipe: Recipe, file: Path, pair: Pair) -> Array:
    """The exported file's output through the player's engine, the same part."""
    n = (len(pair.dry) - recipe.latency) // 1024 * 1024
    n = min(n, recipe.warm_up + round(SECONDS * SAMPLE_RATE))
    return play(file, pair.dry[: n + recipe.latency], pair.controls)[recipe.warm_up : n]


def clips(
    recipe: Recipe,
    network: Streamable | None,
    pairs: tuple[Pair, ...],
    gain: torch.Tensor,
    file: Path | None = None,
) -> list[Clips]:
    """Run every candidate over some recordings.

    Parameters
    ----------
    gain : Tensor
        The matched equaliser, fitted on the training set.
    network : Streamable or None
        None only where there is a file.
    file : Path or None
        The network exported: the player's engine runs it; None: torch runs the network.
    """
    made, ablations = [], _ablations(recipe)
    for pair in pairs:
        if file is None:
            assert network is not None
            y = in_torch(recipe, network, pair)
        else:
            y = in_player(recipe, file, pair)
        begin = recipe.warm_up
        cut = slice(begin, begin + len(y))
        own = matched_eq((pair,))
        sounds = {
            "copy": pair.dry[cut],
            "matched_eq": apply_eq(pair.dry, gain)[cut],
            "own_eq": apply_eq(pair.dry, own)[cut],
            "hand_made": hand_made(recipe.name, pair.dry, pair.wet)[cut],
            **{k: in_torch(recipe, other, pair)[: len(y)] for k, other in ablations.items()},
            "model": y,
            "oracle": pair.wet[cut],
        }
        sounds |= {name: x[cut] for name, x in recipe.rivals(pair).items()}
        notes = shifted(pair.notes, begin / SAMPLE_RATE, len(y) / SAMPLE_RATE)
        part = Pair(pair.name, pair.dry[cut], pair.wet[cut], pair.controls, notes, pair.text)
        made.append(Clips(part, {k: np.ascontiguousarray(v) for k, v in sounds.items()}))
    return made


def shifted(
    notes: tuple[tuple[float, float, int], ...], late: float, seconds: float
) -> tuple[tuple[float, float, int], ...]:
    """Notes of a part that begins `late` seconds into the recording; what sounds on stays."""
    moved = ((a - late, b - late, p) for a, b, p in notes)
    return tuple(
        (max(0.0, a), min(b, seconds), p)
        for a, b, p in moved
        if min(b, seconds) - max(0.0, a) >= SHORTEST_NOTE
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Candidates as tables show them: baselines, a recipe's own rivals, the model, the truth."""
    names = list(names)
    first, last = CANDIDATES[:-2], CANDIDATES[-2:]
    own = [n for n in names if n not in CANDIDATES]
    return [n for n in (*first, *own, *last) if n in names]
