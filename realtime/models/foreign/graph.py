"""Layers as an ONNX graph with explicit states."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..card import State
from ..nam.graph import IR_VERSION, OPSET
from .layers import Activation, Conv, Network, Recurrent, Scale

_NODES = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "elu": "Elu"}
_ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}  # torch's gates in ONNX's order


class _Writer:
    """Collects nodes, weights and states."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.states: list[State] = []

    def weight(self, name: str, array: Any, kind: Any = np.float32) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype=kind), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def gain(self, src: str, decibels: float, output: str) -> str:
        factor = self.weight(f"{output}_factor", 10.0 ** (decibels / 20.0))
        return self.node("Mul", [src, factor], output)

    def knobs(self, sound: str, count: int) -> str:
        """The sound and, as further channels, the knobs."""
        column = self.weight("knobs_column", [1, count, 1], np.int64)
        knobs = self.node("Reshape", ["controls", column], "knobs_given")
        shape = self.node("Shape", [sound], "sound_shape")
        held = self.node("Expand", [knobs, shape], "knobs")
        return self.node("Concat", [sound, held], "heard", axis=1)

    def conv(self, src: str, layer: Conv, name: str) -> str:
        if layer.past:
            inputs = layer.weight.shape[1] * layer.groups
            self.states.append(State(name, (inputs, layer.past)))
            src = self.node("Concat", [f"state_{name}", src], f"{name}_full", axis=2)
            window = [
                self.weight(f"{name}_{k}", [v], np.int64)
                for k, v in (("from", -layer.past), ("to", 2**62), ("axis", 2))
            ]
            self.node("Slice", [src, *window], f"state_{name}_out")
        weights = [self.weight(f"{name}_w", layer.weight), self.weight(f"{name}_b", layer.bias)]
        settings: dict[str, Any] = {"dilations": [layer.dilation], "group": layer.groups}
        return self.node("Conv", [src, *weights], f"{name}_y", **settings)

    def recur(self, src: str, layer: Recurrent, name: str) -> str:
        size, kind = layer.size, layer.kind
        order = np.concatenate([np.arange(size) + g * size for g in _ORDER[kind]])
        names = [f"{name}_hidden", f"{name}_cell"][: 2 if kind == "lstm" else 1]
        self.states += [State(n, (size,)) for n in names]
        axis = self.weight(f"{name}_axis", [0], np.int64)
        begin = [self.node("Unsqueeze", [f"state_{n}", axis], f"{n}_in") for n in names]
        given = [
            self.node("Transpose", [src], f"{name}_x", perm=[2, 0, 1]),
            self.weight(f"{name}_w", layer.weight[None, order]),
            self.weight(f"{name}_r", layer.again[None, order]),
            self.weight(f"{name}_b", np.concatenate([layer.bias[order], layer.more[order]])[None]),
            "",
            *begin,
        ]
        last = [f"{n}_last" for n in names]
        settings: dict[str, Any] = {"linear_before_reset": 1} if kind == "gru" else {}
        self.nodes.append(
            helper.make_node(
                kind.upper(), given, [f"{name}_all", *last], hidden_size=size, **settings
            )
        )
        one = self.weight(f"{name}_one", [1], np.int64)
        flat = self.node("Squeeze", [f"{name}_all", one], f"{name}_flat")
        for n, found in zip(names, last, strict=True):
            self.node("Squeeze", [found, axis], f"state_{n}_out")
        return self.node("Transpose", [flat], f"{name}_y", perm=[1, 2, 0])

    def activate(self, src: str, layer: Activation, name: str) -> str:
        if layer.slopes is not None:
            slopes = self.weight(f"{name}_slopes", layer.slopes[:, None])
            return self.node("PRelu", [src, slopes], f"{name}_y")
        if layer.kind == "softmax":
            return self.node("Softmax", [src], f"{name}_y", axis=1)
        return self.node(_NODES[layer.kind], [src], f"{name}_y")

    def scale(self, src: str, layer: Scale, name: str) -> str:
        gain = self.weight(f"{name}_gain", layer.gain[:, None])
        offset = self.weight(f"{name}_offset", layer.offset[:, None])
        return self.node("Add", [self.node("Mul", [src, gain], f"{name}_m"), offset], f"{name}_y")


def write_graph(network: Network) -> tuple[bytes, tuple[State, ...]]:
    """Write a network as a streaming graph without card.

    Returns
    -------
    model : bytes
    states : tuple of State
        All zero where the network begins.
    """
    w, knobs = _Writer(), network.inputs - 1
    sound = w.gain("x", network.input_db, "sound")
    signal = w.knobs(sound, knobs) if knobs else sound
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Conv):
            signal = w.conv(signal, layer, f"conv{i}")
        elif isinstance(layer, Recurrent):
            signal = w.recur(signal, layer, f"{layer.kind}{i}")
        elif isinstance(layer, Scale):
            signal = w.scale(signal, layer, f"scale{i}")
        else:
            signal = w.activate(signal, layer, f"active{i}")
    if network.skip:
        signal = w.node("Add", [signal, sound], "skipped")
    w.gain(signal, network.output_db, "y")

    def info(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    sides = [info(n, ["batch", 1, "time"]) for n in ("x", "y")]
    held = {f"state_{s.name}": ["batch", *s.shape] for s in w.states}
    inputs = [sides[0], *([info("controls", [1, knobs])] if knobs else [])]
    inputs += [info(k, v) for k, v in held.items()]
    outputs = [sides[1]] + [info(f"{k}_out", v) for k, v in held.items()]
    graph = helper.make_graph(w.nodes, "network", inputs, outputs, w.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString()), tuple(w.states)
