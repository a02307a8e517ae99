"""Before and after, on the tenth that nothing was learnt from, by the player's own engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..data.manifest import SAMPLE_RATE
from ..data.pairs import Pair, PairSet
from ..judging.baselines import apply_eq, matched_eq
from ..judging.judges import level, musicnn, timbre
from ..judging.judges.packages import require
from ..losses import esr, stft_distance
from ..player import play
from ..recipes.base import Recipe

Array = npt.NDArray[np.float32]
Row = dict[str, float]
REFERENCE = 60.0  # seconds of the target that stand for its sound
NEEDED = ("musicnn", "librosa", "pyloudnorm")
OUTSIDE, PLAIN = "embedding", "stft_distance"  # judges: the outside one, and the plain one


def judges_are_here() -> bool:
    """Whether the outside judges are installed; the plain distances need none."""
    try:
        musicnn.load()
        for name in NEEDED[1:]:
            require(name)
    except Exception:
        return False
    return True


def compare(
    recipe: Recipe,
    data: PairSet,
    files: Mapping[str, Path],
    controls: Mapping[str, Mapping[str, float]] | None = None,
    target: bool = False,
) -> dict[str, Row]:
    """Figures of copy, matched equaliser and every file, on ``data.test``.

    ``loss`` is the recipe's own, ``esr`` and ``stft_distance`` are plain distances; ``embedding``
    (musicnn, distance of means to the target's) and ``loudness_lu`` come from outside judges, where
    they are installed.

    Parameters
    ----------
    files : mapping of name to model file
    controls : mapping of name to what its controls are set to
    target : bool
        Whether the target has a row of its own: whether the outside judge knows it.
    """
    gain, warm_up = matched_eq(data.train), recipe.warm_up
    made: dict[str, list[Array]] = {"copy": [], "matched EQ": []}
    made |= {name: [] for name in files}
    targets = []
    for pair in data.test:
        part = _part(pair, recipe)
        targets.append(part.wet[warm_up:])
        made["copy"].append(part.dry[warm_up:])
        made["matched EQ"].append(apply_eq(part.dry, gain)[warm_up:])
        for name, file in files.items():
            set_to = (controls or {}).get(name, {})
            made[name].append(play(file, part.dry, set_to)[warm_up:])
    if target:
        made["target"] = targets
    reference = _reference(data) if judges_are_here() else None
    return {name: _row(recipe, sounds, targets, reference) for name, sounds in made.items()}


def judge_of(rows: Mapping[str, Row], plain: str = PLAIN) -> str:
    """The judge that has the say: the outside one where it can tell the target from the rest."""
    if any(OUTSIDE not in row for row in rows.values()):
        return plain
    others = min(row[OUTSIDE] for name, row in rows.items() if name != "target")
    return OUTSIDE if rows["target"][OUTSIDE] < others else plain


def _part(pair: Pair, recipe: Recipe) -> Pair:
    n = (len(pair.dry)) // 1024 * 1024
    return Pair(pair.name, pair.dry[:n], pair.wet[:n])


def _reference(data: PairSet) -> npt.NDArray[np.float64]:
    whole = np.concatenate([p.wet for p in data.train])[: round(REFERENCE * SAMPLE_RATE)]
    return np.asarray(timbre.embed([whole]).mean(axis=0))


def _row(
    recipe: Recipe,
    sounds: list[Array],
    targets: list[Array],
    reference: npt.NDArray[np.float64] | None,
) -> Row:
    rows, weights = [], [len(t) for t in targets]
    for y, t in zip(sounds, targets, strict=True):
        a, b = (torch.from_numpy(np.ascontiguousarray(v))[None] for v in (y, t))
        rows.append((float(recipe.loss(a, b)), float(esr(a, b)), float(stft_distance(a, b))))
    means = np.average(rows, axis=0, weights=weights)
    row = dict(zip(("loss", "esr", "stft_distance"), map(float, means), strict=True))
    if reference is not None:
        whole = np.concatenate(sounds)
        found = timbre.embed([whole]).mean(axis=0)
        row["embedding"] = float(np.linalg.norm(found - reference))
        row["loudness_lu"] = level.loudness(whole) - level.loudness(np.concatenate(targets))
    return row
