"""Held-out figures of a style, beside doing nothing, equalisers, a chain by hand, and the truth.

``restyle train evaluate`` exports the best checkpoint, plays that file through the player's engine
and has the outside judges of :mod:`train.judging.judges` listen; the parts are in
:mod:`train.judging`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.models.catalog import read_card

from ..data.pairs import PairSet
from ..data.scores.render import SAMPLE_RATE
from ..export import gate as export
from ..export.listener import reseal
from ..fit.checkpoint import folder_of, load
from ..networks.layers import Streamable
from ..networks.weights import fingerprint
from ..recipes.base import Recipe
from . import verdicts
from .baselines import matched_eq
from .candidates import CANDIDATES, Clips, clips
from .distances import Rows, distances, evaluate, result
from .results import EVALUATION, write
from .spectrograms import spectrograms

__all__ = ["CANDIDATES", "Clips", "clips", "evaluate", "fingerprint", "judged", "run"]

Array = npt.NDArray[np.float32]
SHOWN = 8  # seconds of the picture


def judged(
    recipe: Recipe,
    network: Streamable | None,
    data: PairSet,
    out: Path,
    file: Path | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Distances and outside judges on all test sets, with pictures.

    Parameters
    ----------
    out : Path
        Folder of the pictures.
    network : Streamable or None
        None only where there is a file.
    file : Path or None
        The network exported, to be judged through the player's engine; None: torch runs it.

    Raises
    ------
    ConfigError
        A judge's package is missing.
    """
    gain, judges = matched_eq(data.train), verdicts.for_recipe(recipe, data)
    sets: dict[str, Rows] = {}
    counts = {}
    for name, pairs in {"test": data.test, **recipe.outside()}.items():
        made = clips(recipe, network, pairs, gain, file)
        rows = distances(made)
        for candidate in rows:
            for judge in judges:
                rows[candidate].update(judge(made, candidate))
        sets[name], counts[name] = rows, len(made)
        _picture(recipe, made[0], out / f"{name}.png", name)
        log(f"{recipe.name}: {name}, {len(made)} recordings")
    return result(recipe, sets, counts)


def _picture(recipe: Recipe, made: Clips, path: Path, name: str) -> None:
    """Input, output and target of one recording side by side."""
    part = slice(0, SHOWN * SAMPLE_RATE)
    sounds = {
        title: made.sounds[key][part]
        for title, key in (("input", "copy"), ("model", "model"), ("target", "oracle"))
    }
    spectrograms(sounds, SAMPLE_RATE, path, f"{recipe.name}, {name}: {made.pair.name}")


def run(
    recipe: Recipe,
    out: Path | None = None,
    log: Callable[[str], None] = print,
    bundled: Path | None = None,
) -> Path:
    """Judge the best checkpoint; write ``result.json``, ``result.md`` and spectrograms.

    Parameters
    ----------
    bundled : Path or None
        A model file to judge in the checkpoint's place; its card takes the figures.

    Returns
    -------
    Path
        The folder, ``.runs/NAME/evaluation`` by default.
    """
    folder = out or folder_of(recipe) / EVALUATION
    if bundled is not None:
        found = _found(recipe, None, bundled, folder, log)
        reseal(bundled, replace(read_card(bundled), metrics=found))
    else:
        network = load(recipe)[0]
        with tempfile.TemporaryDirectory() as place:
            file = export.trial(recipe, network, Path(place))
            found = _found(recipe, network, file, folder, log)
        found["weights"] = fingerprint(network)
    log(write(recipe, found, folder))
    log(f"wrote {folder}")
    return folder


def _found(
    recipe: Recipe, network: Streamable | None, file: Path, out: Path, log: Callable[[str], None]
) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    data = recipe.data()
    if recipe.kind == "tagger":
        from .tagging import judged_tags

        return judged_tags(file, data, recipe.outside(), log)
    if recipe.kind == "ear":
        from .hearing import judged_ear

        return judged_ear(file, log)
    if recipe.kind == "generator":
        from .generating import judged_generator

        return judged_generator(file, data, log)
    return judged(recipe, network, data, out, file, log) | recipe.further(data, file)
