"""Plain distances to the true target, for which no outside judge is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..data.pairs import PairSet
from ..losses import esr, mel_distance, stft_distance
from ..networks.layers import Streamable
from ..recipes.base import Recipe
from .baselines import matched_eq
from .candidates import Clips, among, clips

JUDGES = 2  # raised when a figure of the same name comes to mean something else
Rows = dict[str, dict[str, float]]


def distances(made: list[Clips]) -> Rows:
    """STFT and mel distance, error-to-signal ratio and level of every candidate, means over
    recordings; all of them aligned in time, so that a wrong note costs.
    """
    rows: Rows = {}
    for name in among(made):
        found = []
        for c in made:
            y, t = (torch.from_numpy(x[None]) for x in (c.sounds[name], c.pair.wet))
            power = float(y.square().mean() / (t.square().mean() + 1e-12))
            found.append(
                (
                    float(stft_distance(y, t)),
                    10 / np.log(10) * float(mel_distance(y, t)),
                    float(esr(y, t)),
                    10 * np.log10(power + 1e-12),
                )
            )
        values = np.mean(found, axis=0)
        rows[name] = dict(
            zip(("stft_distance", "mel_db", "esr", "level_db"), map(float, values), strict=True)
        )
    return rows


def evaluate(recipe: Recipe, network: Streamable, data: PairSet) -> dict[str, Any]:
    """Distances alone, on the held-out test recordings, by torch.

    Returns
    -------
    dict
        ``sets``: for each test set the candidates' rows and the number of recordings; ``kind``;
        ``command``.
    """
    made = clips(recipe, network, data.test, matched_eq(data.train))
    return result(recipe, {"test": distances(made)}, {"test": len(made)})


def rounded(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Figures to four digits, as cards hold them."""
    return {k: {m: float(f"{v:.4g}") for m, v in row.items()} for k, row in rows.items()}


def result(recipe: Recipe, sets: dict[str, Rows], counts: dict[str, int]) -> dict[str, Any]:
    """What goes into the card, figures to four digits."""
    in_digits = {name: rounded(rows) for name, rows in sets.items()}
    return {
        "kind": recipe.kind,
        "judges": JUDGES,
        **({"unpaired": True} if recipe.unpaired else {}),
        "sets": {k: {"recordings": counts[k], "rows": rows} for k, rows in in_digits.items()},
        "command": f"restyle train evaluate {recipe.name}",
    }
