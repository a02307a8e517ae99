"""A network as a list of layers, and what it computes in float64.

Signals are ``[channels, time]``.  A network hears the sound in channel 0 and its knobs in the
others, adds its input where it has a skip connection, and is between two gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
ACTIVATIONS = ("tanh", "relu", "sigmoid", "softmax", "elu")


@dataclass(frozen=True)
class Conv:
    """Causal convolution; `weight` ``[outputs, inputs / groups, taps]``, newest tap last.

    A dense layer is one of a single tap.
    """

    weight: Float
    bias: Float
    dilation: int = 1
    groups: int = 1

    @property
    def past(self) -> int:
        """Samples of its input it needs before the current one."""
        return (self.weight.shape[2] - 1) * self.dilation


@dataclass(frozen=True)
class Recurrent:
    """One LSTM or GRU layer, laid out as torch has it.

    Attributes
    ----------
    kind : str
        ``lstm``: gates input, forget, cell, output; ``gru``: reset, update, new, the reset gate on
        the product of the recurrent weights (Keras: ``reset_after=True``).
    weight, again : ndarray [shape=(gates * size, inputs)], [shape=(gates * size, size)]
        For the input and for what came before.
    bias, more : ndarray [shape=(gates * size,)]
        Likewise.
    """

    kind: str
    weight: Float
    again: Float
    bias: Float
    more: Float

    @property
    def size(self) -> int:
        """Number of units."""
        return int(self.again.shape[1])


@dataclass(frozen=True)
class Scale:
    """``gain * x + offset`` for each channel: a batch normalisation."""

    gain: Float
    offset: Float


@dataclass(frozen=True)
class Activation:
    """One of :data:`ACTIVATIONS`, or ``prelu`` with a slope for each channel."""

    kind: str
    slopes: Float | None = None


Layer = Conv | Recurrent | Scale | Activation


@dataclass(frozen=True)
class Network:
    """A network of another make.

    Attributes
    ----------
    layers : tuple
    inputs : int
        1 and the number of knobs.
    sample_rate : int [Hz]
    skip : bool
        Whether the input is added to the output, before the output's gain.
    input_db, output_db : float [dB]
    make : str
        Whose format it had.
    metadata : dict
        What the file says of itself.
    """

    layers: tuple[Layer, ...]
    inputs: int
    sample_rate: int
    skip: bool = False
    input_db: float = 0.0
    output_db: float = 0.0
    make: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def run(network: Network, x: Float, knobs: Sequence[float], states: dict[int, Float]) -> Float:
    """Play ``x [n]`` and return ``[n]``.

    Parameters
    ----------
    states : dict of layer number to ndarray
        What convolutions and recurrent layers have held so far, none where they begin from zeros;
        moved on.
    """
    sound = x[None] * 10.0 ** (network.input_db / 20.0)
    signal = np.concatenate([sound, np.repeat(np.reshape(knobs, (-1, 1)), len(x), axis=1)])
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Conv):
            signal = _convolve(layer, signal, i, states)
        elif isinstance(layer, Recurrent):
            signal = _recur(layer, signal, i, states)
        elif isinstance(layer, Scale):
            signal = signal * layer.gain[:, None] + layer.offset[:, None]
        else:
            signal = _activate(layer, signal)
    if network.skip:
        signal = signal + sound
    return np.asarray(signal[0] * 10.0 ** (network.output_db / 20.0))


def _sigmoid(x: Float) -> Float:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def _activate(layer: Activation, x: Float) -> Float:
    if layer.slopes is not None:
        return np.asarray(np.where(x > 0, x, layer.slopes[:, None] * x))
    if layer.kind == "tanh":
        return np.asarray(np.tanh(x))
    if layer.kind == "relu":
        return np.maximum(x, 0.0)
    if layer.kind == "sigmoid":
        return _sigmoid(x)
    if layer.kind == "elu":
        return np.asarray(np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))))
    powers = np.exp(x - x.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0))


def _convolve(layer: Conv, x: Float, i: int, states: dict[int, Float]) -> Float:
    past = states.get(i, np.zeros((len(x), layer.past)))
    full = np.concatenate([past, x], axis=1)
    states[i] = full[:, full.shape[1] - layer.past :]
    outputs, inputs, taps = layer.weight.shape
    each = outputs // layer.groups
    y = np.repeat(layer.bias[:, None], x.shape[1], axis=1)
    for g in range(layer.groups):
        rows, come = slice(g * each, (g + 1) * each), full[g * inputs : (g + 1) * inputs]
        for k in range(taps):
            at = k * layer.dilation
            y[rows] += layer.weight[rows, :, k] @ come[:, at : at + x.shape[1]]
    return y


def _recur(layer: Recurrent, x: Float, i: int, states: dict[int, Float]) -> Float:
    size = layer.size
    hidden, cell = states.get(i, np.zeros((2, size)))
    given = (layer.weight @ x + layer.bias[:, None]).T
    y = np.empty((size, x.shape[1]))
    for t, come in enumerate(given):
        again = layer.again @ hidden + layer.more
        if layer.kind == "lstm":
            gates = (come + again).reshape(4, size)
            enter, forget, leave = _sigmoid(gates[[0, 1, 3]])
            cell = forget * cell + enter * np.tanh(gates[2])
            hidden = leave * np.tanh(cell)
        else:
            reset, update = _sigmoid((come + again)[: 2 * size].reshape(2, size))
            new = np.tanh(come[2 * size :] + reset * again[2 * size :])
            hidden = (1.0 - update) * new + update * hidden
        y[:, t] = hidden
    states[i] = np.stack([hidden, cell])
    return y
