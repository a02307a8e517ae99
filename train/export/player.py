"""From an ear's weights and voice files to one model file that proves itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..fit.checkpoint import folder_of, load
from ..judging.results import EVALUATION, write
from ..judging.run import judged
from ..networks.layers import Streamable
from ..recipes import get_recipe
from ..recipes.player import Played
from . import gate

EAR = "ear"  # the recipe


def trained_ear() -> tuple[Streamable, dict[str, Any], list[dict[str, Any]]]:
    """The best ear of the recipe, its checkpoint, and what it learnt from.

    Raises
    ------
    ConfigError
        There is none.
    """
    recipe = get_recipe(EAR)
    return *load(recipe), recipe.sources()


def assemble(
    recipe: Played,
    target: Path,
    judge: bool = True,
    log: Callable[[str], None] = print,
) -> Path:
    """Write a player through the gate: it proves itself, or nothing is written.

    Parameters
    ----------
    judge : bool
        Whether it is judged on recordings that no training heard; the figures go into the card.

    Raises
    ------
    ConfigError
        No trained ear, or a voice that cannot be read.
    ModelError
        A check failed.
    """
    recipe.ear, trained, heard = trained_ear()
    network = recipe.network().eval()
    graph = gate.to_onnx(recipe, network)
    metrics = _judged(recipe, network, graph, log) if judge else {}
    provenance = {
        "data": [*heard, *recipe.sources()],
        "limits": recipe.limits,
        "recordings": 0,
        "recipe": "train/recipes/player.py",
        "seed": trained.get("schedule", {}).get("seed", 0),
        "steps": trained.get("step", 0),
        "cpu_minutes": round(trained.get("cpu_minutes", 0.0), 1),
        "revision": gate.revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tools": gate.tools(),
    }
    card = recipe.card(network, metrics, provenance)
    return gate.export(recipe, network, card, target, graph=graph)


def evaluate(recipe: Played, out: Path | None = None, log: Callable[[str], None] = print) -> Path:
    """Judge a player without exporting it; the folder with tables and pictures, by default that
    of its run.

    Raises
    ------
    ConfigError
        No trained ear, or a voice that cannot be read.
    """
    recipe.ear, *_ = trained_ear()
    network = recipe.network().eval()
    found = _judged(recipe, network, gate.to_onnx(recipe, network), log)
    folder = out or _folder(recipe)
    log(write(recipe, found, folder))
    return folder


def _folder(recipe: Played) -> Path:
    return folder_of(recipe) / EVALUATION


def _judged(
    recipe: Played, network: Streamable, graph: bytes, log: Callable[[str], None]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        file = gate.trial(recipe, network, Path(place), graph)
        _folder(recipe).mkdir(parents=True, exist_ok=True)
        return judged(recipe, network, recipe.data(), _folder(recipe), file, log)
