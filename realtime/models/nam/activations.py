"""Activation functions of captures: parsing, and the exact function in float64.

Names, defaults and priorities are those of the C++ core; Softsigmoid and Identity are names only
the trainer knows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ModelError
from .limits import MAX_FLOAT, shown
from .program import Activate, Float, Program

# kind -> parameter names with their defaults, in the order they are stored
KINDS: dict[str, dict[str, float]] = {
    "Tanh": {},
    "Sigmoid": {},
    "ReLU": {},
    "LeakyReLU": {"negative_slope": 0.01},
    "PReLU": {"negative_slope": 0.01},
    "Hardtanh": {},
    "LeakyHardtanh": {"min_val": -1.0, "max_val": 1.0, "min_slope": 0.01, "max_slope": 0.01},
    "SiLU": {},
    "Hardswish": {},
    "Softsign": {},
    "Softsigmoid": {},
    "Identity": {},
    "Fasttanh": {},
}
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_OTHER_NAMES = {"HardTanh": "Hardtanh", "LeakyHardTanh": "LeakyHardtanh", "HardSwish": "Hardswish"}

# Fasttanh(t) = t (A + A |t| + (B + C |t|) t^2) / (D + (D + t^2) |t + E t |t||): an approximation of
# tanh with an error of 2e-3 that a capture may name, and then means
FAST_A, FAST_B, FAST_C = 2.45550750702956, 0.893229853513558, 0.821226666969744
FAST_D, FAST_E = 2.44506634652299, 0.814642734961073


def activate(program: Program, src: int, config: Any) -> int:
    """Append the activation that `config` (a name or an object with ``type``) describes.

    Raises
    ------
    ModelError
        Unknown activation, or slopes that do not fit the channels.
    """
    data = {"type": config} if isinstance(config, str) else config
    if not isinstance(data, dict):
        raise ModelError(f"activation {shown(config)} is neither a name nor an object")
    name = data.get("type", data.get("name"))
    kind = _OTHER_NAMES.get(name, name) if isinstance(name, str) else None
    if kind is None or kind not in KINDS:
        raise ModelError(
            f"activation '{shown(name)}' is not supported; supported are {', '.join(KINDS)}"
        )
    parameters = tuple(_number(data.get(k, v), kind) for k, v in KINDS[kind].items())
    slopes = None
    if kind == "PReLU" and "negative_slope" not in data and "negative_slopes" in data:
        slopes = _slopes(data["negative_slopes"], program.channels[src])
    dst = program.value(program.channels[src])
    program.operations.append(Activate(src, dst, kind, parameters, slopes))
    return dst


def _number(value: Any, kind: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_FLOAT:
        raise ModelError(f"activation '{kind}' has a parameter that is no number: {shown(value)}")
    return float(value)


def _slopes(value: Any, channels: int) -> Float:
    """A slope for each channel; a shorter list is repeated, as the core does."""
    if not isinstance(value, list) or not value or channels % len(value):
        found = len(value) if isinstance(value, list) else shown(value)
        raise ModelError(
            f"PReLU needs one finite slope for each of {channels} channels, got {found}"
        )
    return np.resize([_number(v, "PReLU") for v in value], channels)


def apply(op: Activate, x: Float) -> Float:
    """The function of `op` on ``x [channels, time]``."""
    p = op.parameters
    if op.kind == "Tanh":
        return np.asarray(np.tanh(x))
    if op.kind == "Fasttanh":
        size, square = np.abs(x), x * x
        top = FAST_A + FAST_A * size + (FAST_B + FAST_C * size) * square
        return np.asarray(x * top / (FAST_D + (FAST_D + square) * np.abs(x + FAST_E * x * size)))
    if op.kind == "Sigmoid":
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))
    if op.kind == "ReLU":
        return np.maximum(x, 0.0)
    if op.kind in ("LeakyReLU", "PReLU"):
        slope = op.slopes[:, None] if op.slopes is not None else p[0]
        return np.asarray(np.where(x > 0, x, slope * x))
    if op.kind == "Hardtanh":
        return np.clip(x, -1.0, 1.0)
    if op.kind == "LeakyHardtanh":
        above = np.where(x > p[1], (x - p[1]) * p[3] + p[1], x)
        return np.asarray(np.where(x < p[0], (x - p[0]) * p[2] + p[0], above))
    if op.kind == "SiLU":
        return np.asarray(x * (0.5 + 0.5 * np.tanh(0.5 * x)))
    if op.kind == "Hardswish":
        return np.asarray(x * np.clip(x + 3.0, 0.0, 6.0) / 6.0)
    if op.kind == "Softsign":
        return np.asarray(x / (1.0 + np.abs(x)))
    if op.kind == "Softsigmoid":
        return np.asarray(0.5 * (1.0 + x / (1.0 + np.abs(x))))
    return x
