"""From an ear's weights and voice files to one model file that proves itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from realtime.errors import ConfigError

from ..fit.checkpoint import BEST, folder_of, load
from ..judging.run import judged
from ..networks.ear import Ear
from ..networks.layers import Streamable
from ..own.rebuild import begin_with
from ..recipes import RECIPES, get_recipe
from ..recipes.player import Played
from . import gate

EAR = "ear"  # the recipe


class _Heard(torch.nn.Module):
    """A place for an ear's weights under the names that they have in a player."""

    def __init__(self, ear: Streamable) -> None:
        super().__init__()
        self.ear = ear


def ear_of(file: Path | None) -> tuple[Streamable, dict[str, Any], list[dict[str, Any]]]:
    """An ear with weights, what its training says of itself, and its sources.

    Parameters
    ----------
    file : Path or None
        A player's or an ear's .onnx file; None: the best checkpoint of the recipe.

    Raises
    ------
    ConfigError
        There is no trained ear.
    """
    recipe = get_recipe(EAR) if EAR in RECIPES else None
    if file is None:
        if recipe is None or not (folder_of(recipe) / BEST).exists():
            raise ConfigError(
                "there is no trained ear; run: restyle train fit ear, or name a player's file"
                " with --ear"
            )
        network, content = load(recipe)
        return network, content, recipe.sources()
    ear = Ear()
    try:
        begin_with(_Heard(ear), file)  # type: ignore[arg-type]
    except Exception:
        begin_with(ear, file)
    return ear.eval(), {}, recipe.sources() if recipe is not None else []


def assemble(
    recipe: Played,
    target: Path,
    ear: Path | None = None,
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
    recipe.ear, trained, heard = ear_of(ear)
    network = recipe.network().eval()
    metrics: dict[str, Any] = {}
    if judge:
        with tempfile.TemporaryDirectory() as place:
            file = gate.trial(recipe, network, Path(place))
            folder = Path(".runs") / recipe.name / "evaluation"
            folder.mkdir(parents=True, exist_ok=True)
            metrics = judged(recipe, network, recipe.data(), folder, file, log)
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
    return gate.export(recipe, network, card, target)
