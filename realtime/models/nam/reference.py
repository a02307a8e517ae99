"""The program in float64 on a whole signal: what the kernel and the ONNX file are held against."""

from __future__ import annotations

import numpy as np

from .activations import apply
from .program import Activate, Combine, Conv, Float, Part, Program, Recur, Scale

States = dict[int, Float]


def run(program: Program, x: Float, controls: tuple[float, ...] = (0.0, 0.0)) -> Float:
    """Play ``x [n]`` after silence that has settled; return ``[n]``."""
    settle = program.receptive_field - 1
    if any(isinstance(op, Recur) for op in program.operations):
        settle = 0  # recurrent captures carry their settled state themselves
    padded = np.concatenate([np.zeros(settle), np.asarray(x, dtype=np.float64)])
    return evaluate(program, padded, controls)[program.output][0, settle:]


def settled_states(program: Program) -> list[Float]:
    """What each convolution has in its past after endless silence ``[inputs, past]``, in order."""
    n = program.receptive_field + 1
    values = evaluate(program, np.zeros(n), (0.0, 0.0))
    return [
        np.repeat(values[op.src][:, -1:], op.past, axis=1)
        for op in program.operations
        if isinstance(op, Conv) and op.past
    ]


def evaluate(program: Program, x: Float, controls: tuple[float, ...]) -> dict[int, Float]:
    """All values ``[channels, n]`` for input ``x [n]``, starting from zeros."""
    values: dict[int, Float] = {0: x[None]}
    for op in program.operations:
        if isinstance(op, Conv):
            values[op.dst] = _conv(op, values)
        elif isinstance(op, Activate):
            values[op.dst] = apply(op, values[op.src])
        elif isinstance(op, Combine):
            a, b = values[op.a], values[op.b]
            if op.kind == "blend":
                values[op.dst] = a + values[op.c] * (b - a)
            else:
                values[op.dst] = a + b if op.kind == "add" else a * b
        elif isinstance(op, Part):
            values[op.dst] = values[op.src][op.low : op.high]
        elif isinstance(op, Scale):
            gain = 10.0 ** (controls[op.control] * op.db / 20.0) if op.control >= 0 else 1.0
            values[op.dst] = values[op.src] * (op.factor * gain)
        else:
            values[op.dst] = _recur(op, values[op.src])
    return values


def _conv(op: Conv, values: dict[int, Float]) -> Float:
    x = values[op.src]
    n = x.shape[1]
    padded = np.concatenate([np.zeros((x.shape[0], op.past)), x], axis=1)
    y = np.zeros((op.weight.shape[0], n))
    for k in range(op.weight.shape[2]):
        y += op.weight[:, :, k] @ padded[:, k * op.dilation : k * op.dilation + n]
    if op.bias is not None:
        y += op.bias[:, None]
    return y if op.init is None else y + values[op.init]


def _recur(op: Recur, x: Float) -> Float:
    size = len(op.hidden)
    h, c = op.hidden.copy(), op.cell.copy()
    out = np.empty((size, x.shape[1]))

    def sigmoid(z: Float) -> Float:
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))

    for t in range(x.shape[1]):
        z = op.weight @ np.concatenate([x[:, t], h]) + op.bias
        i, f = sigmoid(z[:size]), sigmoid(z[size : 2 * size])
        g, o = np.tanh(z[2 * size : 3 * size]), sigmoid(z[3 * size :])
        c = f * c + i * g
        h = o * np.tanh(c)
        out[:, t] = h
    return out
