"""A plug-in's parameters, as pedalboard works them out from the plug-in's own texts."""

from __future__ import annotations

from typing import Any

from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter


def read_parameters(plugin: Any) -> list[Parameter]:
    """List a plug-in's parameters; asks for a thousand texts each, so once, when it is loaded."""
    return [_parameter(name, found) for name, found in plugin.parameters.items()]


def _parameter(name: str, found: Any) -> Parameter:
    unit = str(found.label or "")
    default = _value_at(found, float(found.default_raw_value))
    if found.type is not bool and found.type is not float:
        choices = tuple(dict.fromkeys(str(v) for v in found.valid_values))
        place = float(choices.index(str(default))) if str(default) in choices else 0.0
        return Parameter(
            name, 0.0, len(choices) - 1.0, place, unit, CATEGORICAL, choices, 1.0, value=place
        )
    low, high, step = 0.0, 1.0, 1.0
    if found.type is float:
        low, high = float(found.min_value), float(found.max_value)
        step = float(found.step_size or 0.0)
    number = float(default)
    if (low, high, step) == (0.0, 1.0, 1.0) and (found.type is bool or not unit):
        return Parameter(name, low, high, number, unit, SWITCH, step=1.0, value=number)
    return Parameter(name, low, high, number, unit, step=step or None, value=number)


def _value_at(found: Any, raw: float) -> Any:
    """The value shown at a raw position 0..1; ranges come in rising order."""
    shown = [value for (low, _), value in found.ranges.items() if low <= raw + 1e-6]
    return shown[-1]


def get_value(plugin: Any, parameter: Parameter) -> float:
    """Return the value in force, as a number."""
    if parameter.kind == SWITCH:
        return float(plugin.parameters[parameter.name].raw_value >= 0.5)
    value = getattr(plugin, parameter.name)
    if parameter.kind == CATEGORICAL:
        known = parameter.choices
        return float(known.index(str(value))) if str(value) in known else 0.0
    return float(value)


def set_value(plugin: Any, parameter: Parameter, value: float) -> None:
    """Set a checked value; the plug-in learns it with its next block."""
    if parameter.kind == SWITCH:
        plugin.parameters[parameter.name].raw_value = 1.0 if value >= 0.5 else 0.0
    else:
        found = plugin.parameters[parameter.name]
        choice = parameter.kind == CATEGORICAL
        given = parameter.choices[round(value)] if choice else value
        found.raw_value = found.get_raw_value_for(given)
