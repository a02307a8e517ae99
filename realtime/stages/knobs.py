"""A plug-in's parameters, as pedalboard works them out from the plug-in's own texts."""

from __future__ import annotations

from typing import Any

from .parameters import Parameter, Value


def read_parameters(plugin: Any) -> list[Parameter]:
    """List a plug-in's parameters; asks for a thousand texts each, so once, when it is loaded."""
    return [_parameter(name, found) for name, found in plugin.parameters.items()]


def _parameter(name: str, found: Any) -> Parameter:
    unit = str(found.label or "")
    default = _value_at(found, float(found.default_raw_value))
    if found.type is bool:
        return Parameter(name, 0.0, 1.0, bool(default), unit, "bool", 1.0)
    if found.type is not float:
        choices = tuple(dict.fromkeys(str(v) for v in found.valid_values))
        return Parameter(name, 0.0, len(choices) - 1.0, str(default), unit, "choice", 1.0, choices)
    low, high, step = float(found.min_value), float(found.max_value), found.step_size
    if (low, high, step) == (0.0, 1.0, 1.0) and not unit:
        return Parameter(name, low, high, bool(default), unit, "bool", 1.0)
    return Parameter(name, low, high, float(default), unit, step=float(step) if step else None)


def _value_at(found: Any, raw: float) -> Any:
    """The value shown at a raw position 0..1; ranges come in rising order."""
    shown = [value for (low, _), value in found.ranges.items() if low <= raw + 1e-6]
    return shown[-1]


def get_value(plugin: Any, parameter: Parameter) -> Value:
    """Return the value in force in the parameter's own type."""
    if parameter.kind == "bool":
        return bool(plugin.parameters[parameter.name].raw_value >= 0.5)
    value = getattr(plugin, parameter.name)
    return str(value) if parameter.kind == "choice" else float(value)


def set_value(plugin: Any, parameter: Parameter, value: Value) -> None:
    """Set a checked value; the plug-in learns it with its next block."""
    if parameter.kind == "bool":
        plugin.parameters[parameter.name].raw_value = 1.0 if value else 0.0
    else:
        setattr(plugin, parameter.name, value)
