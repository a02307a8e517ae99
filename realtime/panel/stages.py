"""Stages asked for from outside: names are looked up, paths are never followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ChainError, nearest
from ..stages.parameters import Parameter, check_value, find_parameter
from ..stages.ranges import RANGES
from ..stages.records import Record, Records

NEEDS_A_FILE = ("Convolution",)
_HIGHEST = 1e12
_STAGE_KEYS = ("bypass", "stage_mix")
_PLUGIN_KEYS = ("plugin", "plugin_name", "state", "parameters")


def effect_names() -> list[str]:
    """Effects that can be asked for: those whose parameters have ranges and that need no file."""
    return [n for n in RANGES if n not in NEEDS_A_FILE]


def listing() -> dict[str, Any]:
    """Effects with their parameters, and the plug-ins a scan has seen, as plain data."""
    return {
        "effects": [
            {"name": name, "parameters": [_plain(p) for p in RANGES[name]]}
            for name in effect_names()
        ],
        "plugins": [p for record in Records().all() for p in _plugins(record)],
    }


def _plain(p: Parameter) -> dict[str, Any]:
    default = p.choices.index(str(p.default)) if p.kind == "choice" else float(p.default)
    kind = {"float": "continuous", "bool": "switch", "choice": "categorical"}[p.kind]
    return {
        "name": p.name,
        "unit": p.unit,
        "minimum": p.minimum,
        "maximum": p.maximum,
        "default": default,
        "kind": kind,
        "choices": list(p.choices),
        "live": p.live,
    }


def _plugins(record: Record) -> list[dict[str, Any]]:
    if not record.plugins:
        status = f"{record.status}: {record.reason}" if record.reason else record.status
        return [{"name": record.path, "path": record.path, "status": status}]
    return [
        {
            "name": p.name,
            "path": record.path,
            "status": record.status if p.is_effect else "an instrument",
        }
        for p in record.plugins
    ]


def checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's table with its values checked, ready for :meth:`realtime.host.host.Host.insert`.

    Raises
    ------
    ChainError
        What it names is not listed, or a value is of another kind or outside its range.
    """
    effect, plugin = entry.get("effect"), entry.get("plugin")
    if isinstance(effect, str) and plugin is None:
        found = {"effect": effect, **_effect(effect, entry)}
    elif isinstance(plugin, str) and effect is None:
        found = _plugin(plugin, entry)
    else:
        raise ChainError('a stage needs either "effect" or "plugin", a name of GET /api/effects')
    if "bypass" in entry:
        if not isinstance(entry["bypass"], bool):
            raise ChainError("a stage's bypass is true or false")
        found["bypass"] = entry["bypass"]
    if "stage_mix" in entry:
        found["stage_mix"] = check_value(
            "a stage", Parameter("stage_mix", 0.0, 1.0, 1.0), entry["stage_mix"]
        )
    return found


def _effect(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    names = effect_names()
    if name not in names:
        raise ChainError(f"unknown effect '{name[:80]}'{nearest(name, names)}")
    owner, found = f"effect {name}", {}
    for key, value in entry.items():
        if key == "effect" or key in _STAGE_KEYS:
            continue
        parameter = find_parameter(owner, RANGES[name], key)
        found[key] = check_value(owner, parameter, _own(parameter, value))
    return found


def _own(parameter: Parameter, value: Any) -> Any:
    """A number as the parameter's own kind of value, as knobs send them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) > _HIGHEST:  # more than a float holds, perhaps
        raise ChainError(
            f"{parameter.name} must be within {parameter.minimum:g}..{parameter.maximum:g}"
        )
    if parameter.kind == "choice" and 0 <= value < len(parameter.choices):
        return parameter.choices[round(min(value, len(parameter.choices) - 1))]
    return value >= 0.5 if parameter.kind == "bool" else value


def _plugin(wanted: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    records = Records().all()
    listed = {p.name for r in records for p in r.plugins} | {r.path for r in records}
    if wanted not in listed:
        raise ChainError(
            f"there is no plug-in '{wanted[:80]}'{nearest(wanted, listed)}; 'restyle scan' looks"
            " for installed ones"
        )
    for key in entry:
        if key not in (*_PLUGIN_KEYS, *_STAGE_KEYS):
            raise ChainError(
                f"a plug-in's stage takes {', '.join((*_PLUGIN_KEYS, *_STAGE_KEYS))}, got"
                f" '{key[:80]}'; its parameters go into \"parameters\""
            )
    return {k: entry[k] for k in _PLUGIN_KEYS if k in entry}
