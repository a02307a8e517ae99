"""Finding parameters by name, checking values, sharing weights: the same for every surface."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ..errors import ConfigError, nearest
from .surface import Parameter, Surface

_SHOWN = 40  # names listed in a message


def find_parameter(parameters: Iterable[Parameter], name: str) -> Parameter:
    """Return the parameter called `name`.

    Raises
    ------
    ConfigError
        There is none; the nearest name is suggested.
    """
    known = {p.name: p for p in parameters}
    if name in known:
        return known[name]
    listed = ", ".join(list(known)[:_SHOWN]) or "none"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    raise ConfigError(f"unknown parameter '{name}'{nearest(name, known)}; there are {listed}{more}")


def check_value(parameter: Parameter, value: float) -> float:
    """Return `value` as a float the parameter can take.

    Raises
    ------
    ConfigError
        Not a finite number within the range, or not a whole one where only those are possible.
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{parameter.name} must be a number, got {value!r}")
    if not parameter.minimum <= value <= parameter.maximum:
        unit = f" {parameter.unit}" if parameter.unit else ""
        raise ConfigError(
            f"{parameter.name} must be within {parameter.minimum:g}..{parameter.maximum:g}{unit},"
            f" got {value:g}"
        )
    if parameter.kind in ("categorical", "switch") and value != int(value):
        raise ConfigError(f"{parameter.name} takes whole numbers, got {value:g}")
    return float(value)


def shares(parameters: Sequence[Parameter], weights: Mapping[str, float]) -> dict[str, float]:
    """Scale weights to sum to 1 and name every blend parameter, the others with 0.

    Raises
    ------
    ConfigError
        No model that blends, an unknown name, a negative weight, or nothing but zeros.
    """
    blends = [p for p in parameters if p.kind == "blend"]
    if not blends:
        raise ConfigError("this model has no styles to blend; choose one such as amp-blend")
    for name, weight in weights.items():
        find_parameter(blends, name)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ConfigError(f"the weight of {name} must be a number, got {weight!r}")
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigError(f"the weight of {name} must be 0 or more, got {weight:g}")
    highest = max(weights.values(), default=0.0)
    if highest <= 0:
        raise ConfigError(
            f"a blend needs a weight above 0 for one of {', '.join(p.name for p in blends)}"
        )
    scaled = {p.name: float(weights.get(p.name, 0.0)) / highest for p in blends}  # cannot overflow
    total = math.fsum(scaled.values())
    return {name: weight / total for name, weight in scaled.items()}


def with_share(parameters: Sequence[Parameter], name: str, weight: float) -> dict[str, float]:
    """Weights where `name` has `weight` (0..1) and the others share the rest as they did before.

    Where the others were all 0 they share it evenly.
    """
    blends = [p for p in parameters if p.kind == "blend"]
    check_value(find_parameter(blends, name), weight)
    others = {p.name: p.value for p in blends if p.name != name}
    total = math.fsum(others.values())
    rest = 1.0 - weight
    if not others:
        return {name: 1.0}
    even = {n: rest / len(others) for n in others}
    shared = {n: rest * (v / total) for n, v in others.items()} if total > 0 else even
    return {name: float(weight), **shared}


def turn(surface: Surface, name: str, value: float) -> None:
    """Set any parameter, a blend's weight with its neighbours.

    Raises
    ------
    RestyleError
        Unknown name or a value that is not possible; nothing has changed then.
    """
    parameters = surface.parameters()
    parameter = find_parameter(parameters, name)
    value = check_value(parameter, value)
    if parameter.kind == "blend":
        surface.blend(with_share(parameters, name, value))
    else:
        surface.set(name, value)
