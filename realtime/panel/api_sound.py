"""Requests about what sounds: state, models, knobs, chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ControlError, nearest
from ..models.catalog import Entry, list_models
from ..parameters.surface import Surface
from ..parameters.values import check_value, find_parameter, with_share
from ..presets.preset import PLACES
from .console_protocol import Console
from .fields import NotFound

Body = Mapping[str, Any]
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
    """Answer GET /api/models."""
    playable = (e for e in list_models() if e.plays)
    return [_model(e, console) for e in playable]


def _model(entry: Entry, console: Console) -> dict[str, Any]:
    card = entry.card
    assert card is not None
    costs: Mapping[str, float] = getattr(console, "costs", {})
    rows = {
        name: one.get("rows", {}).get("model", {})
        for name, one in card.metrics.get("sets", {}).items()
        if isinstance(one, dict)
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
        "controls": [
            {
                "name": c.name,
                "unit": c.unit,
                "minimum": c.minimum,
                "maximum": c.maximum,
                "default": c.default,
                "kind": c.kind,
            }
            for c in card.controls
        ],
        "sample": f"/api/models/{card.name}/sample" if _sample(entry) else None,
        "bundled": entry.source == "bundled",
        "metrics": {"command": card.metrics.get("command"), "sets": rows},
    }


def _sample(entry: Entry) -> Path | None:
    path = entry.path.with_suffix(".flac")
    return path if path.is_file() else None


def sample(console: Console, names: Names, body: Body) -> File:
    """Answer GET /api/models/{name}/sample: before and after, in one file."""
    path = _sample(_find(names["name"], NotFound))
    if path is None:
        raise NotFound(f"the model '{names['name']}' comes without a sample")
    return File(path, "audio/flac")


def _find(name: str, kind: type[ControlError] = ControlError) -> Entry:
    """A model of the list by its name; a path is none."""
    listed = {e.name: e for e in list_models() if e.plays}
    if name not in listed:
        raise kind(f"there is no model '{name[:80]}'{nearest(name, listed)}")
    return listed[name]


def model(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/model."""
    name = body["name"]
    console.surface.style(None if name is None else _find(name).name)
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
        target = weights if parameter.kind == "blend" else plain
        target[name] = check_value(parameter, value)
    if len(weights) == 1:
        weights = with_share(listed, *next(iter(weights.items())))
    elif weights:
        weights = {p.name: p.value for p in listed if p.kind == "blend"} | weights
    if weights:
        surface.blend(weights)
    for name, value in plain.items():
        surface.set(name, value)
    return [*weights, *plain]


def parameters(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/parameters."""
    names_set = set_values(console.surface, body["values"])
    now = {p.name: p.value for p in console.surface.parameters()}
    return {"values": {n: now[n] for n in names_set if n in now}}


def blend(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/blend."""
    console.surface.blend(body["weights"])
    now = console.surface.parameters()
    return {"values": {p.name: p.value for p in now if p.kind == "blend"}}


def bypass(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/bypass."""
    console.surface.bypass(body["on"])
    return {"bypass": bool(body["on"])}


def effects(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer GET /api/effects."""
    return console.effects()


def insert(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/chain/{place}."""
    identity = console.insert(_place(names), body["entry"], body["index"])
    return {**console.state(), "id": identity}


def move(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/chain/{place}/{id}."""
    console.move(_place(names), _identity(names), body["index"])
    return console.state()


def remove(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/chain/{place}/{id}."""
    console.remove(_place(names), _identity(names))
    return console.state()


def cancel(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/pending/{id}."""
    console.cancel(_identity(names, "a pending change"))
    return console.state()


def _place(names: Names) -> str:
    if names["place"] not in PLACES:
        raise NotFound(f"a chain is pre or post, got '{names['place'][:80]}'")
    return names["place"]


def _identity(names: Names, whose: str = "a stage") -> int:
    text = names["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"{whose}'s id is a number, got '{text[:80]}'")
    return int(text)
