"""The program in float64 on a whole signal: what the kernel and the ONNX file are held against."""

from __future__ import annotations

import numpy as np

from .activations import apply
from .program import Activate, Combine, Conv, Float, Operation, Part, Program, Scale
from .recurrent import run_layer

Values = dict[int, Float]


def run(program: Program, x: Float, controls: tuple[float, ...] | None = None) -> Float:
    """Play ``x [n]`` after silence that has settled; return ``[n]``."""
    controls = program.defaults if controls is None else controls
    signal = np.asarray(x, dtype=np.float64)[None]
    return _walk(program, signal, controls, silence(program))[program.output][0]


def silence(program: Program) -> Values:
    """Every value ``[channels, 1]`` after endless silence (recurrent layers: as they start)."""
    return _walk(program, np.zeros((1, 1)), program.defaults, {})


def settled_states(program: Program) -> list[Float]:
    """What each convolution has in its past after endless silence ``[inputs, past]``, in order."""
    rest = silence(program)
    return [
        np.repeat(rest[op.src], op.past, axis=1)
        for op in program.operations
        if isinstance(op, Conv) and op.past
    ]


def _walk(program: Program, x: Float, controls: tuple[float, ...], rest: Values) -> Values:
    """All values ``[channels, n]``, preceded by `rest`; by themselves where that is empty."""
    values: Values = {0: x}
    for op in program.operations:
        values[op.dst] = _apply(op, values, controls, rest or values)
    return values


def _apply(op: Operation, values: Values, controls: tuple[float, ...], rest: Values) -> Float:
    if isinstance(op, Conv):
        return _conv(op, values, rest[op.src])
    if isinstance(op, Activate):
        return apply(op, values[op.src])
    if isinstance(op, Combine):
        a, b = values[op.a], values[op.b]
        if op.kind == "blend":
            return a + values[op.c] * (b - a)
        return a + b if op.kind == "add" else a * b
    if isinstance(op, Part):
        return values[op.src][op.low : op.high]
    if isinstance(op, Scale):
        gain = 10.0 ** (controls[op.control] * op.db / 20.0) if op.control >= 0 else 1.0
        return values[op.src] * (op.factor * gain)
    x = np.ascontiguousarray(values[op.src])
    played: Float = run_layer(op.weight, op.bias, op.hidden.copy(), op.cell.copy(), x)
    return played


def _conv(op: Conv, values: Values, rest: Float) -> Float:
    x = values[op.src]
    n = x.shape[1]
    padded = np.concatenate([np.repeat(rest, op.past, axis=1), x], axis=1)
    y = np.zeros((op.weight.shape[0], n))
    for k in range(op.weight.shape[2]):
        y += op.weight[:, :, k] @ padded[:, k * op.dilation : k * op.dilation + n]
    if op.bias is not None:
        y += op.bias[:, None]
    return y if op.init is None else y + values[op.init]
