"""Parameters of effects and plug-ins: what they are called and which values they take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ChainError, nearest

Value = float | bool | str
_SHOWN = 40  # names listed in a message


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    name : str
        As in chain files, with its unit where pedalboard's own name has it.
    minimum, maximum : float
        Both included; 0 and the last index for choices.
    default : float, bool or str
    unit : str
        Empty where there is none.
    kind : str
        ``float``, ``bool`` or ``choice``.
    step : float or None
        Distance of neighbouring values where it is constant.
    choices : tuple of str
        The values of a choice.
    live : bool
        Whether it can be set while the sound runs; the others change the latency.
    """

    name: str
    minimum: float
    maximum: float
    default: Value
    unit: str = ""
    kind: str = "float"
    step: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = True


def find_parameter(owner: str, parameters: Sequence[Parameter], name: str) -> Parameter:
    """Return the parameter called `name`.

    Raises
    ------
    ChainError
        There is none; the nearest name is suggested.
    """
    for parameter in parameters:
        if parameter.name == name:
            return parameter
    names = [p.name for p in parameters]
    listed = ", ".join(names[:_SHOWN]) or "none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise ChainError(
        f"{owner} has no parameter '{name}'{nearest(name, names)}; it has {listed}{more}"
    )


def check_value(owner: str, parameter: Parameter, value: Any) -> Value:
    """Return `value` in the parameter's own type.

    Raises
    ------
    ChainError
        Wrong type, outside the range, or no such choice.
    """
    begin = f"{owner}: {parameter.name}"
    if parameter.kind == "choice":
        if value not in parameter.choices:
            known = parameter.choices
            raise ChainError(
                f"{begin} must be one of {', '.join(known[:_SHOWN])}, got {value!r}"
                f"{nearest(str(value), known)}"
            )
        return str(value)
    if parameter.kind == "bool":
        if value not in (False, True):
            raise ChainError(f"{begin} must be true or false, got {value!r}")
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ChainError(f"{begin} must be a number, got {value!r}")
    if not parameter.minimum <= value <= parameter.maximum:
        unit = f" {parameter.unit}" if parameter.unit else ""
        raise ChainError(
            f"{begin} must be within {parameter.minimum:g}..{parameter.maximum:g}{unit},"
            f" got {value:g}"
        )
    return float(value)
