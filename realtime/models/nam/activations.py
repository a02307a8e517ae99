"""Activation functions of captures: parsing, and the exact function in float64."""

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
    "PReLU": {"negative_slope": 0.25},
    "Hardtanh": {"min_val": -1.0, "max_val": 1.0},
    "LeakyHardtanh": {"min_val": -1.0, "max_val": 1.0, "min_slope": 0.01, "max_slope": 0.01},
    "SiLU": {},
    "Hardswish": {},
    "Softsign": {},
    "Softsigmoid": {},
    "Identity": {},
}
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_OTHER_NAMES = {"HardTanh": "Hardtanh", "LeakyHardTanh": "LeakyHardtanh", "HardSwish": "Hardswish"}


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
    name = str(data.get("type", data.get("name")))
    kind = _OTHER_NAMES.get(name, name)
    if kind not in KINDS:
        raise ModelError(
            f"activation '{shown(name)}' is not supported; supported are {', '.join(KINDS)}"
        )
    try:
        parameters = tuple(float(data.get(k, v)) for k, v in KINDS[kind].items())
        if not all(abs(p) <= MAX_FLOAT for p in parameters):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"activation '{name}' has a parameter that is no number") from None
    slopes = None
    if kind == "PReLU" and data.get("negative_slopes") is not None:
        slopes = np.asarray(data["negative_slopes"], dtype=np.float64)
        if slopes.shape != (program.channels[src],) or not np.all(np.abs(slopes) <= MAX_FLOAT):
            raise ModelError(
                f"PReLU needs one finite slope for each of {program.channels[src]} channels,"
                f" got {slopes.size}"
            )
    dst = program.value(program.channels[src])
    program.operations.append(Activate(src, dst, kind, parameters, slopes))
    return dst


def apply(op: Activate, x: Float) -> Float:
    """The function of `op` on ``x [channels, time]``."""
    p = op.parameters
    if op.kind == "Tanh":
        return np.asarray(np.tanh(x))
    if op.kind == "Sigmoid":
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))
    if op.kind == "ReLU":
        return np.maximum(x, 0.0)
    if op.kind in ("LeakyReLU", "PReLU"):
        slope = op.slopes[:, None] if op.slopes is not None else p[0]
        return np.asarray(np.where(x < 0, slope * x, x))
    if op.kind == "Hardtanh":
        return np.clip(x, p[0], p[1])
    if op.kind == "LeakyHardtanh":
        below = p[2] * np.minimum(x - p[0], 0.0)
        return np.asarray(np.clip(x, p[0], p[1]) + below + p[3] * np.maximum(x - p[1], 0.0))
    if op.kind == "SiLU":
        return np.asarray(x * (0.5 + 0.5 * np.tanh(0.5 * x)))
    if op.kind == "Hardswish":
        return np.asarray(x * np.clip(x + 3.0, 0.0, 6.0) / 6.0)
    if op.kind == "Softsign":
        return np.asarray(x / (1.0 + np.abs(x)))
    if op.kind == "Softsigmoid":
        return np.asarray(0.5 * (1.0 + x / (1.0 + np.abs(x))))
    return x
