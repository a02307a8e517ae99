"""Requests about what sounds: state, models, knobs, the path of stages."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ChainError, ModelError, printable
from ..models.catalog import Entry, list_models
from ..parameters.parameter import BLEND, find_parameter
from ..parameters.surface import Surface, with_share
from ..session.operations import OWN, Insert, Move, Operation, Remove, Swap
from ..session.sound import Stage
from . import stages
from .console_protocol import Console
from .fields import (
    Body,
    Flag,
    Gain,
    Insertion,
    Model,
    NotFound,
    Place,
    Replacement,
    Values,
    Weights,
)

Names = Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file as an answer."""

    path: Path
    kind: str


def state(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer GET /api/state."""
    return console.state()


def models(console: Console, names: Names, body: Body) -> list[dict[str, Any]]:
    """Answer GET /api/models: what plays, and files that cannot be read, each with its problem."""
    costs = console.costs()
    return [
        _model(e, costs) if e.plays else _broken(e)
        for e in list_models()
        if e.plays or e.card is None
    ]


def _broken(entry: Entry) -> dict[str, Any]:
    return {
        **dict.fromkeys(("summary", "kind", "domain", "licence"), ""),
        **dict.fromkeys(("sample_rate", "latency_samples", "latency_ms"), 0),
        "name": entry.name,
        "title": entry.name,
        "cpu_percent": None,
        "controls": [],
        "sample": None,
        "bundled": entry.source == "bundled",
        "metrics": {},
        "problem": printable(entry.problem or "it cannot be read"),
    }


def _model(entry: Entry, costs: Mapping[str, float]) -> dict[str, Any]:
    card = entry.card
    assert card is not None
    rows = {
        name: rows.get("model", {})
        for name, one in card.metrics.get("sets", {}).items()
        if isinstance(one, dict) and isinstance(rows := one.get("rows", {}), dict)
    }
    return {
        "name": card.name,
        "title": card.title,
        "summary": card.summary,
        "kind": card.kind,
        "domain": card.domain,
        "sample_rate": card.sample_rate,
        "latency_samples": card.latency,
        "latency_ms": round(1000 * card.latency / card.sample_rate, 4),
        "cpu_percent": costs.get(card.name),
        "licence": card.licence,
        "controls": [stages.plain(c) for c in card.controls],
        "sample": f"/api/models/{card.name}/sample" if _sample(entry) else None,
        "bundled": entry.source == "bundled",
        "metrics": {"command": card.metrics.get("command"), "sets": rows},
        "problem": None,
    }


def _sample(entry: Entry) -> Path | None:
    path = entry.path.with_suffix(".flac")
    return path if os.path.isfile(path) else None


def sample(console: Console, names: Names, body: Body) -> File:
    """Answer GET /api/models/{name}/sample: before and after, in one file."""
    path = _sample(_named(names))
    if path is None:
        raise NotFound(f"the model '{names['name']}' comes without a sample")
    return File(path, "audio/flac")


def _named(names: Names) -> Entry:
    try:
        return stages.find_model(names["name"])
    except ModelError as error:
        raise NotFound(str(error)) from None


def model(console: Console, names: Names, body: Model) -> dict[str, Any]:
    """Answer PUT /api/model: the first model of the path becomes another, or goes."""
    console.surface.style(None if body.name is None else stages.find_model(body.name).name)
    return console.state()


def set_values(surface: Surface, values: Mapping[str, float]) -> list[str]:
    """Set parameters, all or none; return the names of those that may have changed.

    Weights of a blend that come together are scaled, the others stay as they are; one that comes
    alone makes the others share the rest.

    Raises
    ------
    ConfigError
        An unknown name or a value outside its range.
    """
    listed = list(surface.parameters())
    plain: dict[str, float] = {}
    weights: dict[str, float] = {}
    for name, value in values.items():
        parameter = find_parameter(listed, name)
        target = weights if parameter.kind == BLEND else plain
        target[parameter.name] = parameter.number(value)
    if len(weights) == 1:
        weights = with_share(listed, *next(iter(weights.items())))
    elif weights:
        place = find_parameter(listed, next(iter(weights))).place
        mine = [p for p in listed if p.kind == BLEND and p.place == place]
        weights = {p.name: p.value for p in mine} | weights
    if weights:
        surface.blend(weights)
    for name, value in plain.items():
        surface.set(name, value)
    return [*weights, *plain]


def parameters(console: Console, names: Names, body: Values) -> dict[str, Any]:
    """Answer PUT /api/parameters."""
    names_set = set_values(console.surface, body.values)
    now = {p.name: p.value for p in console.surface.parameters()}
    return {"values": {n: now[n] for n in names_set if n in now}}


def blend(console: Console, names: Names, body: Weights) -> dict[str, Any]:
    """Answer PUT /api/blend."""
    console.surface.blend(body.weights)
    now = [p for p in console.surface.parameters() if p.kind == BLEND]
    place = find_parameter(now, next(iter(body.weights))).place
    return {"values": {p.name: p.value for p in now if p.place == place}}


def bypass(console: Console, names: Names, body: Flag) -> dict[str, Any]:
    """Answer PUT /api/bypass."""
    console.surface.bypass(body.on)
    return {"bypass": body.on}


def monitor(console: Console, names: Names, body: Gain) -> dict[str, Any]:
    """Answer PUT /api/monitor."""
    console.turn_monitor(body.gain_db)
    return {"gain_db": body.gain_db}


def effects(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer GET /api/effects."""
    return stages.listing()


# -- the path --------------------------------------------------------------------------------


def path(console: Console, names: Names, body: Body) -> list[dict[str, Any]]:
    """Answer GET /api/path."""
    found: list[dict[str, Any]] = console.state()["path"]
    return found


def insert(console: Console, names: Names, body: Insertion) -> dict[str, Any]:
    """Answer POST /api/path."""
    sound = console.setup().sound
    inside = sound.stages
    if body.group != OWN:
        group = _find(console, body.group).group or ()
        if not 1 <= body.branch <= len(group):
            raise ChainError(
                f"branch must be within 1..{len(group)}, got {body.branch}"
                if group
                else f"stage {body.group} is no group"
            )
        inside = group[body.branch - 1].stages
    index = len(inside) if body.index is None else body.index
    _check_index(index, len(inside))
    stage = stages.checked(body.stage, _identities(console))
    return {**_do(console, Insert(stage, index, body.group, body.branch - 1)), "id": stage.identity}


def move(console: Console, names: Names, body: Place) -> dict[str, Any]:
    """Answer PUT /api/path/{id}."""
    stage = _find(console, _identity(names))
    lists = [console.setup().sound.stages]
    lists += [b.stages for s in console.setup().sound.walk() for b in s.group or ()]
    many = next(len(one) for one in lists if any(s.identity == stage.identity for s in one))
    _check_index(body.index, many - 1)
    return _do(console, Move(stage.identity, body.index))


def swap(console: Console, names: Names, body: Replacement) -> dict[str, Any]:
    """Answer PUT /api/path/{id}/stage."""
    old = _find(console, _identity(names))
    stage = stages.checked(body.stage, _identities(console))
    return {**_do(console, Swap(old.identity, stage)), "id": stage.identity}


def remove(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/path/{id}."""
    return _do(console, Remove(_find(console, _identity(names)).identity))


def _do(console: Console, operation: Operation) -> dict[str, Any]:
    console.do(operation)
    return console.state()


def _identities(console: Console) -> Iterator[int]:
    while True:
        yield console.new_identity()


def _check_index(index: int, last: int) -> None:
    if not 0 <= index <= last:
        raise ChainError(f"index must be within 0..{last}, got {index}")


def _find(console: Console, identity: int) -> Stage:
    sound = console.setup().sound
    stage = sound.find(identity) if identity != OWN else None
    if stage is None:
        listed = ", ".join(str(s.identity) for s in sound.walk()) or "none"
        raise NotFound(f"there is no stage {identity}; there are {listed}")
    return stage


def undo(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/undo."""
    console.edits.step(-1)
    return console.state()


def redo(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/redo."""
    console.edits.step(1)
    return console.state()


def cancel(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/pending/{id}."""
    console.cancel(_identity(names, "a pending change"))
    return console.state()


def _identity(names: Names, whose: str = "a stage") -> int:
    text = names["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"{whose}'s id is a number, got '{text[:80]}'")
    return int(text)
