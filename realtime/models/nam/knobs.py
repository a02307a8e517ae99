"""Knobs inside a capture: what a model made of several takes has, and a plain ``.nam`` has not.

The layers of a WaveNet hear the input and, beside it, one channel for every knob: ``2 ** t - 1``
with `t` 0..1 over the knob's range.  The files that carry them are restyle's own models.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import ModelError
from ...parameters.parameter import Parameter
from .limits import listed, section, shown
from .program import Program

KNOBS = "restyle_knobs"  # key of a capture's configuration
MOST = 8
TAKEN = ("input_db", "match", "oversampling", "mix", "bypass")
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def check_name(name: Any) -> str:
    """A name that a knob can have.

    Raises
    ------
    ModelError
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in TAKEN:
        raise ModelError(
            f"'{shown(name)}' cannot be a knob's name; use small letters, digits and '_', and none"
            f" of {', '.join(TAKEN)}"
        )
    return name


def read_knobs(config: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The knobs of a configuration; none where it has no such key.

    Raises
    ------
    ModelError
        They contradict themselves.
    """
    if KNOBS not in config:
        return ()
    entries = listed(dict(config), KNOBS)
    if not 0 < len(entries) <= MOST:
        raise ModelError(f"a capture has 1..{MOST} knobs, got {len(entries)}")
    found = []
    for entry in entries:
        entry = section(entry, "knob")
        numbers = [entry.get(key) for key in ("low", "high", "default")]
        if not all(isinstance(v, int | float) and abs(v) < 1e6 for v in numbers):
            raise ModelError("a knob needs the numbers 'low', 'high' and 'default'")
        low, high, default = (float(v) for v in numbers if v is not None)
        if not low < high or not low <= default <= high:
            raise ModelError(
                f"a knob needs low < high and a default between them, got {low:g}, {high:g} and"
                f" {default:g}"
            )
        found.append(Parameter(check_name(entry.get("name")), low, high, default))
    if len({knob.name for knob in found}) < len(found):
        raise ModelError("two knobs of the capture have one name")
    return tuple(found)


def turned(knob: Parameter, value: float) -> float:
    """What the network hears of a knob at `value`: 0..1."""
    return float(2.0 ** ((value - knob.minimum) / (knob.maximum - knob.minimum)) - 1.0)


def with_knobs(program: Program, source: int, knobs: Sequence[Parameter], first: int) -> int:
    """Append a value ``[1 + knobs]``: `source`, then every knob; `first` is their first control."""
    width = 1 + len(knobs)
    unit = np.eye(width)[:, :, None]
    out = program.conv(source, unit[:, :1])
    for k, knob in enumerate(knobs):
        one = program.conv(source, np.zeros((1, 1, 1)), np.ones(1))
        span = knob.maximum - knob.minimum
        db = 20 * math.log10(2.0) / span
        level = program.scale(one, 2.0 ** (-knob.minimum / span), first + k, db)
        column = unit[:, k + 1 : k + 2]
        out = program.conv(level, column, -column[:, 0, 0], 1, out)
    return out
