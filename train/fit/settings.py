"""``key=value`` words of the command line become typed settings of a recipe.

Keys are the fields of :class:`train.recipes.base.Schedule` and, for a recipe with a dataclass
called ``config``, the fields of that; ``schedule.key`` and ``config.key`` tell equal names apart.
"""

from __future__ import annotations

import typing
from dataclasses import fields, is_dataclass, replace
from typing import Any

import msgspec
from msgspec import inspect

from realtime.errors import ConfigError, nearest
from realtime.schema import described

from ..recipes.base import OPTIMISERS, Recipe, Schedule

_WORDS = {"none": None, "yes": True, "true": True, "no": False, "false": False}


def convert(text: str, kind: Any, key: str) -> Any:
    """Turn `text` into a value of type `kind`.

    int, float, bool, str, tuples of them written with commas, and ``none`` where the field may be
    None.

    Raises
    ------
    ConfigError
        The text is no such value.
    """
    info = inspect.type_info(kind)
    kinds = info.types if isinstance(info, inspect.UnionType) else (info,)
    if any(isinstance(k, inspect.DictType) for k in kinds):
        raise ConfigError(f"{key} cannot be set from the command line")
    data: Any = text
    if any(isinstance(k, inspect.VarTupleType) for k in kinds):
        data = [part.strip() for part in text.strip("()").split(",") if part.strip()]
    elif not any(isinstance(k, inspect.StrType) for k in kinds) or text.lower() == "none":
        data = _WORDS.get(text.lower(), text)
    try:
        return msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError:
        raise ConfigError(f"{key}={text[:80]}: expected {described(info)}") from None


def _known(recipe: Recipe) -> dict[str, tuple[Any, str, Any]]:
    """Settable keys: what they belong to, the field's name and its type."""
    known: dict[str, tuple[Any, str, Any]] = {}
    config = getattr(recipe, "config", None)
    owners = [("config", config)] if is_dataclass(config) else []
    for owner, value in [*owners, ("schedule", recipe.schedule)]:
        kinds = typing.get_type_hints(type(value))
        for f in fields(value):  # type: ignore[arg-type]
            known[f"{owner}.{f.name}"] = known[f.name] = (owner, f.name, kinds[f.name])
    return known


def apply(recipe: Recipe, words: list[str]) -> tuple[Schedule, dict[str, Any]]:
    """Change the recipe's ``config`` in place and return the changed schedule.

    Returns
    -------
    schedule : Schedule
    changed : dict
        What was set, for printing.

    Raises
    ------
    ConfigError
        A word is not ``key=value``, the key unknown (the nearest is suggested) or the value wrong.
    """
    known = _known(recipe)
    changes: dict[str, dict[str, Any]] = {"schedule": {}, "config": {}}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"expected key=value, got '{word}'")
        if key not in known:
            names = ", ".join(k for k in known if "." not in k)
            raise ConfigError(f"no setting '{key}'{nearest(key, known)}; there are {names}")
        owner, name, kind = known[key]
        changes[owner][name] = convert(text, kind, key)
    try:
        if changes["config"]:
            recipe.config = replace(recipe.config, **changes["config"])  # type: ignore[attr-defined]
        schedule = replace(recipe.schedule, **changes["schedule"])
    except (ValueError, TypeError) as error:
        raise ConfigError(f"these settings do not fit together: {error}") from None
    _sensible(schedule)
    if schedule.segment < recipe.shortest:
        raise ConfigError(
            f"segment={schedule.segment}: {recipe.shortest} samples are the least of this recipe"
        )
    return schedule, {**changes["config"], **changes["schedule"]}


def _sensible(schedule: Schedule) -> None:
    for name in ("batch", "segment", "learning_rate", "minutes"):
        if not getattr(schedule, name) > 0:
            raise ConfigError(f"{name}={getattr(schedule, name)}: must be above 0")
    if schedule.steps is not None and schedule.steps < 1:
        raise ConfigError(f"steps={schedule.steps}: one is the least, or none for minutes")
    if not 0 <= schedule.average < 1:
        raise ConfigError(f"average={schedule.average}: a decay from 0 to below 1")
    if schedule.optimiser not in OPTIMISERS:
        raise ConfigError(f"optimiser={schedule.optimiser}: one of {', '.join(OPTIMISERS)}")
