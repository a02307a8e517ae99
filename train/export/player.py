"""From an ear's weights and voice files to one model file that proves itself."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realtime.errors import ConfigError
from realtime.models.catalog import read_entry

from ..fit.checkpoint import BEST, folder_of, load
from ..judging.results import EVALUATION, kept, write
from ..judging.run import judged
from ..networks.layers import Streamable
from ..networks.weights import fingerprint
from ..recipes import get_recipe
from ..recipes.player import VOICES, Played
from . import gate

EAR = "ear"  # the recipe
WEIGHTS = VOICES.parent / "ear.npz"  # of the bundled ear, by the names of its network
MODEL = WEIGHTS.with_suffix(".onnx")


def trained_ear() -> tuple[Streamable, dict[str, Any], list[dict[str, Any]]]:
    """The ear of one's own run where there is one, else the bundled one; of its training
    ``seed, steps, cpu_minutes``, and what it learnt from.

    Raises
    ------
    ConfigError
        One's own is damaged, or of another network.
    """
    recipe = get_recipe(EAR)
    if (folder_of(recipe) / BEST).exists():
        network, content = load(recipe)
        told = {"seed": content["schedule"].get("seed", 0), "steps": content["step"]}
        told["cpu_minutes"] = content.get("cpu_minutes", 0.0)
        return network, told, recipe.sources()
    network = recipe.network().eval()
    with np.load(WEIGHTS) as weights:
        network.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})
    card = read_entry(MODEL).card
    assert card is not None
    return network, card.provenance, card.provenance["data"]


def keep_ear(target: Path = WEIGHTS) -> None:
    """Write the weights of one's own trained ear to the file that is bundled.

    Raises
    ------
    ConfigError
        No trained ear.
    """
    network, _ = load(get_recipe(EAR))
    np.savez(target, **{name: value.numpy() for name, value in network.state_dict().items()})


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
        Whether the card has figures on recordings that no training heard: those of
        :func:`evaluate` for the same ear and voices where it was run, else they are found now.

    Raises
    ------
    ConfigError
        An ear of one's own or a voice that cannot be read.
    ModelError
        A check failed.
    """
    recipe.ear, trained, heard = trained_ear()
    network = recipe.network().eval()
    graph = gate.to_onnx(recipe, network)
    metrics = _metrics(recipe, network, graph, log) if judge else {}
    provenance = {
        "data": [*heard, *recipe.sources()],
        "limits": recipe.limits,
        "recordings": 0,
        "recipe": "train/recipes/player.py",
        "seed": trained.get("seed", 0),
        "steps": trained.get("steps", 0),
        "cpu_minutes": round(trained.get("cpu_minutes", 0.0), 1),
        "revision": gate.revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tools": gate.tools(),
    }
    card = replace(recipe.card(network, metrics, provenance), proof=recipe.of_the_voice())
    return gate.export(recipe, network, card, target, graph=graph)


def evaluate(recipe: Played, out: Path | None = None, log: Callable[[str], None] = print) -> Path:
    """Judge a player without exporting it; the folder with tables and pictures, by default that
    of its run.

    Raises
    ------
    ConfigError
        An ear of one's own or a voice that cannot be read.
    """
    recipe.ear, *_ = trained_ear()
    network = recipe.network().eval()
    found = _judged(recipe, network, gate.to_onnx(recipe, network), log)
    folder = out or _folder(recipe)
    log(write(recipe, found, folder))
    return folder


def weights_of(network: Streamable) -> str:
    """Fingerprint of the ear and of the voices' tables."""
    digest = hashlib.sha256(fingerprint(network).encode())
    for _, table in sorted(network.named_buffers()):
        digest.update(table.numpy().tobytes())
    return digest.hexdigest()[:16]


def _metrics(
    recipe: Played, network: Streamable, graph: bytes, log: Callable[[str], None]
) -> dict[str, Any]:
    try:
        return kept(recipe, weights_of(network))
    except ConfigError:
        found = _judged(recipe, network, graph, log)
        write(recipe, found, _folder(recipe))
        return found


def _folder(recipe: Played) -> Path:
    return folder_of(recipe) / EVALUATION


def _judged(
    recipe: Played, network: Streamable, graph: bytes, log: Callable[[str], None]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        file = gate.trial(recipe, network, Path(place), graph)
        _folder(recipe).mkdir(parents=True, exist_ok=True)
        found = judged(recipe, network, recipe.data(), _folder(recipe), file, log)
    return found | {"weights": weights_of(network)}
