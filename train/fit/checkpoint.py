"""Checkpoints: written whole or not at all, read without running code from them.

``.runs/<recipe>/best.pt`` holds what evaluation and export need: ``weights, recipe, schedule,
config, step, cpu_minutes, history``.  ``last.pt`` holds besides all that :mod:`train.fit.state`
needs to go on as if nothing had happened.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from realtime.errors import ConfigError

from ..networks.layers import Streamable
from ..recipes.base import Recipe, Schedule

RUNS = Path(".runs")
BEST, LAST = "best.pt", "last.pt"


def folder_of(recipe: Recipe) -> Path:
    """``.runs/<recipe>``, or in the recipe's own folder of runs."""
    return (recipe.runs or RUNS) / recipe.name


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint to the disk itself, then give it its name.

    Raises
    ------
    ConfigError
        The disk is full or refuses; the file that had this name before is intact.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "; the previous one is intact" if path.exists() else ""
        raise ConfigError(
            f"cannot write {path}: {error.strerror or error}{kept} — free some space, then run the"
            " same command again to go on"
        ) from None


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    ConfigError
        It is damaged, or not a checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"weights", "recipe", "schedule", "step"} - set(content)
    except Exception as error:  # torch raises whatever its readers raise
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ConfigError(f"{path} is not a readable checkpoint ({reason})") from None
    if missing:
        raise ConfigError(f"{path} is not a checkpoint of restyle: no {', '.join(sorted(missing))}")
    return dict(content)


def config_of(recipe: Recipe) -> dict[str, Any]:
    """The recipe's own settings, for recipes that have a dataclass ``config``; else empty."""
    config = getattr(recipe, "config", None)
    return asdict(config) if is_dataclass(config) and not isinstance(config, type) else {}


def apply_config(recipe: Recipe, content: Mapping[str, Any]) -> None:
    """Give `recipe` the settings that a checkpoint was trained with."""
    saved, now = content.get("config") or {}, config_of(recipe)
    if any(saved.get(key, value) != value for key, value in now.items()):
        known = {key: value for key, value in saved.items() if key in now}
        recipe.config = replace(recipe.config, **known)  # type: ignore[attr-defined]


def describe(recipe: Recipe, schedule: Schedule) -> dict[str, Any]:
    """What every checkpoint says about its run."""
    return {"recipe": recipe.name, "schedule": asdict(schedule), "config": config_of(recipe)}


def other_settings(content: Mapping[str, Any], recipe: Recipe, schedule: Schedule) -> str:
    """First difference between a checkpoint's settings and these, as words; empty if none."""
    if content["recipe"] != recipe.name:
        return f"it belongs to recipe '{content['recipe']}'"
    defaults = {f.name: f.default for f in fields(Schedule)}
    before = {**defaults, **content["schedule"]}
    now: dict[str, Any] = asdict(schedule)
    if content.get("config"):
        before, now = before | content["config"], now | config_of(recipe)
    for key, value in now.items():
        if key in before and _plain(before[key]) != _plain(value):
            return f"{key} was {before[key]} and is now {value}"
    return ""


def _plain(value: Any) -> Any:
    return list(map(_plain, value)) if isinstance(value, (tuple, list)) else value


def other_architecture(weights: Mapping[str, Tensor], network: torch.nn.Module) -> str:
    """First difference between saved weights and a network's, as words; empty if none."""
    own = network.state_dict()
    for key in [*own, *weights]:
        shapes = [list(w[key].shape) if key in w else "missing" for w in (weights, own)]
        if shapes[0] != shapes[1]:
            return f"{key} is {shapes[0]} in the file and {shapes[1]} in the recipe"
    return ""


def load(recipe: Recipe) -> tuple[Streamable, dict[str, Any]]:
    """Read the best checkpoint of a recipe; the recipe takes on the settings saved in it.

    Raises
    ------
    ConfigError
        There is none, or it belongs to another network.
    """
    path = folder_of(recipe) / BEST
    if not path.exists():
        raise ConfigError(f"no checkpoint {path}; run: restyle train fit {recipe.name}")
    content = read(path)
    apply_config(recipe, content)
    network = recipe.network().eval()
    difference = other_architecture(content["weights"], network)
    if difference:
        raise ConfigError(
            f"{path} was trained with another network ({difference});"
            f" run: restyle train fit {recipe.name} --fresh"
        )
    network.load_state_dict(content["weights"])
    recipe.tune(network, folder_of(recipe))
    return network, content


def set_aside(folder: Path) -> Path | None:
    """Rename a run's folder to the next free ``<name>.old<k>``; nothing is ever deleted."""
    if not folder.exists() or not any(folder.iterdir()):
        return None
    k = 1
    while (aside := folder.with_name(f"{folder.name}.old{k}")).exists():
        k += 1
    folder.rename(aside)
    return aside
