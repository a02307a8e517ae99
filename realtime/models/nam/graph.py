"""The program as an ONNX graph with explicit states (the only importer of onnx)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..card import State
from .activations import FAST_A, FAST_B, FAST_C, FAST_D, FAST_E
from .program import Activate, Combine, Conv, Float, Part, Program, Recur, Scale

OPSET, IR_VERSION = 20, 10
_SIMPLE = {
    "Tanh": "Tanh",
    "Sigmoid": "Sigmoid",
    "ReLU": "Relu",
    "Hardswish": "HardSwish",
    "Softsign": "Softsign",
    "Identity": "Identity",
}


class _Writer:
    """Collects nodes, weights and states."""

    def __init__(self, program: Program, n_controls: int) -> None:
        self.program, self.n_controls = program, n_controls
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.states: list[State] = []
        self.initial: dict[str, Float] = {}

    def weight(self, name: str, array: Any, integer: bool = False) -> str:
        kind = np.int64 if integer else np.float32
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype=kind), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def window(self, src: str, low: int, high: int, axis: int, output: str) -> str:
        parts = [self.weight(f"{output}_{k}", [v], True) for k, v in enumerate((low, high, axis))]
        return self.node("Slice", [src, *parts], output)

    def conv(self, i: int, op: Conv, settled: list[Float]) -> None:
        src, name = f"v{op.src}", f"conv{i}"
        if op.past:
            self.states.append(State(name, (op.weight.shape[1], op.past)))
            self.initial[name] = settled.pop(0)
            src = self.node("Concat", [f"state_{name}", src], f"{name}_full", axis=2)
            self.window(src, -op.past, 2**62, 2, f"state_{name}_out")
        inputs = [src, self.weight(f"{name}_w", op.weight)]
        if op.bias is not None:
            inputs.append(self.weight(f"{name}_b", op.bias))
        out = f"v{op.dst}" if op.init is None else f"{name}_sum"
        self.node("Conv", inputs, out, dilations=[op.dilation])
        if op.init is not None:
            self.node("Add", [out, f"v{op.init}"], f"v{op.dst}")

    def activate(self, i: int, op: Activate) -> None:
        x, y, p = f"v{op.src}", f"v{op.dst}", op.parameters
        if op.kind in _SIMPLE:
            self.node(_SIMPLE[op.kind], [x], y)
        elif op.kind == "LeakyReLU":
            self.node("LeakyRelu", [x], y, alpha=p[0])
        elif op.kind == "PReLU":
            slopes = op.slopes if op.slopes is not None else np.array([p[0]])
            self.node("PRelu", [x, self.weight(f"act{i}", slopes.reshape(-1, 1))], y)
        elif op.kind == "SiLU":
            self.node("Mul", [x, self.node("Sigmoid", [x], f"act{i}")], y)
        elif op.kind == "Softsigmoid":
            half = self.weight(f"act{i}_half", 0.5)
            soft = self.node("Softsign", [x], f"act{i}")
            scaled = self.node("Mul", [soft, half], f"act{i}_scaled")
            self.node("Add", [scaled, half], y)
        elif op.kind == "Hardtanh":
            low, high = self.weight(f"act{i}_low", -1.0), self.weight(f"act{i}_high", 1.0)
            self.node("Clip", [x, low, high], y)
        elif op.kind == "LeakyHardtanh":
            below = self.line(f"act{i}_below", x, p[0], p[2])
            above = self.line(f"act{i}_above", x, p[1], p[3])
            high = self.node("Greater", [x, f"act{i}_above_edge"], f"act{i}_high")
            low = self.node("Less", [x, f"act{i}_below_edge"], f"act{i}_low")
            rest = self.node("Where", [high, above, x], f"act{i}_rest")
            self.node("Where", [low, below, rest], y)
        else:
            self.fast_tanh(f"act{i}", x, y)

    def line(self, name: str, x: str, edge: float, slope: float) -> str:
        """``(x - edge) * slope + edge``."""
        at = self.weight(f"{name}_edge", edge)
        apart = self.node("Sub", [x, at], f"{name}_apart")
        leans = self.node("Mul", [apart, self.weight(f"{name}_slope", slope)], f"{name}_leans")
        return self.node("Add", [leans, at], name)

    def fast_tanh(self, name: str, x: str, y: str) -> None:
        """The rational function of :func:`.activations.apply`."""
        parts = 0

        def do(kind: str, *inputs: str | float) -> str:
            nonlocal parts
            parts += 1
            names = [
                v if isinstance(v, str) else self.weight(f"{name}_{parts}_{k}", v)
                for k, v in enumerate(inputs)
            ]
            return self.node(kind, names, f"{name}_{parts}")

        size, square = do("Abs", x), do("Mul", x, x)
        near = do("Add", do("Mul", size, FAST_A), FAST_A)
        far = do("Mul", do("Add", do("Mul", size, FAST_C), FAST_B), square)
        bent = do("Abs", do("Add", x, do("Mul", do("Mul", x, size), FAST_E)))
        under = do("Add", do("Mul", do("Add", square, FAST_D), bent), FAST_D)
        self.node("Div", [do("Mul", x, do("Add", near, far)), under], y)

    def combine(self, i: int, op: Combine) -> None:
        a, b, y = f"v{op.a}", f"v{op.b}", f"v{op.dst}"
        if op.kind == "blend":
            apart = self.node("Sub", [b, a], f"mix{i}_apart")
            share = self.node("Mul", [apart, f"v{op.c}"], f"mix{i}_share")
            self.node("Add", [a, share], y)
        else:
            self.node("Add" if op.kind == "add" else "Mul", [a, b], y)

    def scale(self, i: int, op: Scale) -> None:
        factor = self.weight(f"scale{i}", op.factor)
        if op.control >= 0:
            control = self.window("controls", op.control, op.control + 1, 1, f"scale{i}_control")
            nepers = self.weight(f"scale{i}_nepers", op.db * math.log(10.0) / 20.0)
            power = self.node("Mul", [control, nepers], f"scale{i}_power")
            gain = self.node("Exp", [power], f"scale{i}_gain")
            factor = self.node("Mul", [gain, factor], f"scale{i}_both")
        self.node("Mul", [f"v{op.src}", factor], f"v{op.dst}")

    def recur(self, i: int, op: Recur) -> None:
        size, inputs = len(op.hidden), self.program.channels[op.src]
        for name, value in ((f"hidden{i}", op.hidden), (f"cell{i}", op.cell)):
            self.states.append(State(name, (size,)))
            self.initial[name] = value
        order = np.r_[0:size, 3 * size : 4 * size, size : 2 * size, 2 * size : 3 * size]
        weight, bias = op.weight[order], op.bias[order]
        axis = self.weight(f"lstm{i}_axis", [0], True)
        begin = [
            self.node("Unsqueeze", [f"state_{n}{i}", axis], f"lstm{i}_{n}_in")
            for n in ("hidden", "cell")
        ]
        x = self.node("Transpose", [f"v{op.src}"], f"lstm{i}_x", perm=[2, 0, 1])
        given = [
            x,
            self.weight(f"lstm{i}_w", weight[None, :, :inputs]),
            self.weight(f"lstm{i}_r", weight[None, :, inputs:]),
            self.weight(f"lstm{i}_b", np.concatenate([bias, np.zeros(4 * size)])[None]),
            "",
            *begin,
        ]
        outputs = [f"lstm{i}_y", f"lstm{i}_h", f"lstm{i}_c"]
        self.nodes.append(helper.make_node("LSTM", given, outputs, hidden_size=size))
        one = self.weight(f"lstm{i}_one", [1], True)
        flat = self.node("Squeeze", [outputs[0], one], f"lstm{i}_flat")
        self.node("Transpose", [flat], f"v{op.dst}", perm=[1, 2, 0])
        for name, last in (("hidden", outputs[1]), ("cell", outputs[2])):
            self.node("Squeeze", [last, axis], f"state_{name}{i}_out")


def write_graph(
    program: Program, n_controls: int, settled: list[Float]
) -> tuple[bytes, tuple[State, ...], dict[str, Float]]:
    """Write the graph.

    Parameters
    ----------
    program : Program
    n_controls : int
    settled : list of ndarray
        :func:`.reference.settled_states`.

    Returns
    -------
    model : bytes
        Without card; `x`, `controls`, states in, `y`, states out.
    states : tuple of State
    initial : dict of name to array
        Settled state of one channel.
    """
    w, settled = _Writer(program, n_controls), list(settled)
    w.node("Identity", ["x"], "v0")
    for i, op in enumerate(program.operations):
        if isinstance(op, Conv):
            w.conv(i, op, settled)
        elif isinstance(op, Activate):
            w.activate(i, op)
        elif isinstance(op, Combine):
            w.combine(i, op)
        elif isinstance(op, Part):
            w.window(f"v{op.src}", op.low, op.high, 1, f"v{op.dst}")
        elif isinstance(op, Scale):
            w.scale(i, op)
        else:
            w.recur(i, op)
    w.node("Identity", [f"v{program.output}"], "y")

    def info(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    signal = ["batch", 1, "time"]
    held = {f"state_{s.name}": ["batch", *s.shape] for s in w.states}
    inputs = [info("x", signal), info("controls", [1, n_controls])]
    inputs += [info(k, v) for k, v in held.items()]
    outputs = [info("y", signal)] + [info(f"{k}_out", v) for k, v in held.items()]
    graph = helper.make_graph(w.nodes, "capture", inputs, outputs, w.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString()), tuple(w.states), w.initial
