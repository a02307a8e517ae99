"""LSTM captures, as a program that starts from the state the C++ core starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ModelError
from ...native.late_numba import njit
from .file import Weights
from .limits import MAX_LAYERS, whole
from .program import Float, Program, Recur

SETTLING = 0.5  # seconds of silence that the core plays first; one block if the rate is unknown
BLOCK = 64


@njit(nogil=True, error_model="numpy", cache=True)
def run_layer(weight, bias, hidden, cell, x):  # type: ignore[no-untyped-def]
    """One layer in float64 over ``x [inputs, n]``; moves the state on, returns ``[hidden, n]``."""
    size, inputs = hidden.shape[0], x.shape[0]
    out = np.empty((size, x.shape[1]))
    gates = np.empty(4 * size)
    for t in range(x.shape[1]):
        for g in range(4 * size):
            total = bias[g]
            for i in range(inputs):
                total += weight[g, i] * x[i, t]
            for i in range(size):
                total += weight[g, inputs + i] * hidden[i]
            gates[g] = total
        for j in range(size):
            gate_in = 0.5 + 0.5 * np.tanh(0.5 * gates[j])
            forget = 0.5 + 0.5 * np.tanh(0.5 * gates[size + j])
            gate_out = 0.5 + 0.5 * np.tanh(0.5 * gates[3 * size + j])
            cell[j] = forget * cell[j] + gate_in * np.tanh(gates[2 * size + j])
            hidden[j] = gate_out * np.tanh(cell[j])
            out[j, t] = hidden[j]
    return out


def build_lstm(
    program: Program, config: dict[str, Any], weights: Weights, x: int, rate: int | None
) -> int:
    """Append an LSTM that reads value `x`; return its output value.

    Raises
    ------
    ModelError
        A configuration that contradicts itself or the weights.
    """
    size = whole(config["hidden_size"], "hidden_size")
    outputs = whole(config.get("out_channels", 1), "out_channels")
    if config.get("input_size", 1) != 1:
        raise ModelError("an LSTM with more than one input is not supported")
    samples = round(SETTLING * rate) if rate else BLOCK
    silence: Float = np.zeros((1, -(-samples // BLOCK) * BLOCK))
    layers = whole(config.get("num_layers", 1), "num_layers", 0, MAX_LAYERS)
    source = x
    for _ in range(layers):
        weight = weights.take(4 * size, program.channels[x] + size)
        bias, hidden, cell = weights.take(4 * size), *(weights.take(size).copy() for _ in range(2))
        silence = run_layer(weight, bias, hidden, cell, silence)
        if not np.isfinite(silence).all():
            raise ModelError("an LSTM gives values that are not finite")
        dst = program.value(size)
        program.operations.append(Recur(x, dst, weight, bias, hidden, cell))
        x = dst
    head, bias = weights.take(outputs, size, 1), weights.take(outputs)
    return program.conv(x, head, bias) if layers else source
