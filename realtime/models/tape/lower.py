"""From a graph's operations to a tape's instructions, for arrays of fixed shape.

What only looks at an array another way (reshape, transpose, slice, expand …) costs nothing when the
tape plays: it is a view.  What depends on constants alone is worked out here.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..metadata import Graph, Node
from .axes import REDUCTIONS
from .builder import KINDS
from .layout import (
    Map,
    Reduce,
)
from .memory import (
    Array,
    Buffer,
    Unsupported,
    View,
    plain_steps,
)
from .products import Products

OLDEST = 11  # set of operations whose attributes mean what they do here
MOST_NODES = 20_000
MOST_FOLDING = 1 << 26  # elements that are read and made of constants

UNARY = {
    "Neg": Map.NEGATE, "Abs": Map.ABS, "Sqrt": Map.SQRT, "Exp": Map.EXP, "Log": Map.LOG,
    "Sin": Map.SIN, "Cos": Map.COS, "Tanh": Map.TANH, "Sigmoid": Map.SIGMOID, "Relu": Map.RELU,
    "Floor": Map.FLOOR, "Ceil": Map.CEIL, "Round": Map.ROUND, "Reciprocal": Map.RECIPROCAL,
    "Not": Map.NOT, "Sign": Map.SIGN,
}  # fmt: skip
BINARY = {
    "Add": Map.ADD, "Sub": Map.SUBTRACT, "Mul": Map.MULTIPLY, "Div": Map.DIVIDE,
    "Max": Map.MAXIMUM, "Min": Map.MINIMUM, "Less": Map.LESS, "LessOrEqual": Map.LESS_EQUAL,
    "Greater": Map.GREATER, "GreaterOrEqual": Map.GREATER_EQUAL, "Equal": Map.EQUAL,
    "And": Map.AND, "Or": Map.OR, "PRelu": Map.SLOPE,
}  # fmt: skip
TRUTHS = {"Not", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "And", "Or"}
FOLDED: dict[str, Callable[..., Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Neg": operator.neg,
    "Equal": np.equal, "Less": np.less,
    "Greater": np.greater, "And": np.logical_and, "Or": np.logical_or, "Not": np.logical_not,
    "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Reciprocal": np.reciprocal, "Abs": np.abs,
    "Where": np.where, "Pow": np.power, "Floor": np.floor, "MatMul": np.matmul, "Sin": np.sin,
    "Cos": np.cos,
}  # fmt: skip


class Lowering(Products):
    """Reads a graph node by node; what it does not know raises :class:`Unsupported`.

    Parameters
    ----------
    graph : Graph
    ends : mapping of name to (base, offset, shape)
        Where the graph's inputs lie.
    outputs : mapping of name to (base, offset, shape)
        Where its outputs are wanted.
    """

    def __init__(
        self,
        graph: Graph,
        ends: Mapping[str, tuple[int, int, tuple[int, ...]]],
        outputs: Mapping[str, tuple[int, int, tuple[int, ...]]],
    ) -> None:
        super().__init__()
        if graph.opset < OLDEST:
            raise Unsupported("an older set of operations")
        graph, ends, outputs = _for_one_channel(graph, ends, outputs)
        if len(graph.nodes) > MOST_NODES:
            raise Unsupported("too many operations")
        self._folding, self.opset = 0, graph.opset
        self.constants |= {k: v for k, v in graph.weights.items() if k not in ends}
        made = [o for node in graph.nodes for o in node.outputs if o]
        names = [*self.constants, *ends, *made]
        if len(set(names)) < len(names):
            raise Unsupported("a name that means two things")
        for name, (base, at, shape) in ends.items():
            buffer = Buffer(math.prod(shape), base, at)
            self.values[name] = View(buffer, 0, shape, plain_steps(shape))
        for node in graph.nodes:
            self._node(node)
        for name, (base, at, shape) in outputs.items():
            self._output(name, base, at, shape)

    # nodes

    def _node(self, node: Node) -> None:
        if all(i in self.constants for i in node.inputs if i) and self._fold(node):
            return
        made: Any
        if node.kind in UNARY:
            given = self.get(node.inputs[0])
            kind = "b" if node.kind in TRUTHS else given.kind
            made = self.map(UNARY[node.kind], self.fresh(given.shape, kind), given)
        elif node.kind in BINARY:
            made = self._binary(node)
        elif node.kind in REDUCTIONS:
            made = self._reduction(node)
        elif (method := getattr(self, f"op_{node.kind.lower()}", None)) is not None:
            made = method(node)
        else:
            raise Unsupported(f"operation {node.kind}")
        for name, value in zip(node.outputs, made if isinstance(made, tuple) else (made,),
                               strict=False):  # fmt: skip
            if value is not None and name:
                self.values[name] = value

    def _fold(self, node: Node) -> bool:
        """Work out a constant; False where that is left to the tape."""
        given: list[Any] = [self.constants[i] if i else None for i in node.inputs]
        made: Any = None
        kind = node.kind
        self._spend_folding(node, given)
        if kind == "Constant":
            made = node.tensors.get("value")
            if made is None and node.attributes:
                name, numbers = next(iter(node.attributes.items()))
                whole = name in ("value_int", "value_ints")
                made = np.array(numbers, dtype=np.int64 if whole else np.float32)
                made = made[0] if name in ("value_int", "value_float") else made
        elif kind in ("Max", "Min"):
            made = functools.reduce(np.maximum if kind == "Max" else np.minimum, given)
        elif kind in FOLDED:
            with np.errstate(all="ignore"):
                made = FOLDED[kind](*given)
        elif kind == "Div":
            first, second = given
            if first.dtype.kind == "f":
                made = first / second
            elif np.all(second):
                down = first // second
                made = down + ((first % second != 0) & ((first < 0) != (second < 0)))
        elif kind == "Cast":
            made = _cast(given[0], node.number("to"))
        elif kind == "Concat":
            made = np.concatenate(given, node.number("axis"))
        elif kind == "Gather":
            made = np.take(given[0], given[1], node.number("axis"))
        elif kind == "GatherND" and not node.number("batch_dims"):
            places = given[1]
            made = given[0][tuple(np.moveaxis(places, -1, 0))]
        elif kind == "ConstantOfShape":
            value = node.tensors.get("value", np.zeros(1, np.float32))
            made = np.full(given[0].astype(int), value.ravel()[0])
        elif kind == "Range":
            first, end, step = (v.item() for v in given)
            if not step or abs((end - first) / step) > MOST_FOLDING // 16:
                raise Unsupported("a range too long")
            self._count(int(abs((end - first) / step)) + 1)
            made = np.arange(first, end, step)
            made = made.astype(given[0].dtype)
        elif kind in ("Reshape", "Transpose", "Unsqueeze", "Squeeze", "Slice", "Expand", "Flatten",
                      "Split", "Tile"):  # fmt: skip
            return self._fold_view(node, given)
        if made is None:
            return False
        self.constants[node.output] = np.asarray(made)
        self._count(np.asarray(made).size)
        return True

    def _count(self, elements: int) -> None:
        self._folding += elements
        if self._folding > MOST_FOLDING:
            raise Unsupported("constants too large")

    def _spend_folding(self, node: Node, given: list[Any]) -> None:
        """Refuse what would be too much to work out."""
        arrays = [g for g in given if g is not None]
        size = sum(g.size for g in arrays)
        if node.kind in BINARY or node.kind in FOLDED and node.kind != "MatMul":
            size += math.prod(np.broadcast_shapes(*(g.shape for g in arrays)))
        elif node.kind == "MatMul":
            size += given[0].size * given[1].size
        elif node.kind in ("Gather", "GatherND"):
            size += given[0].size * given[1].size
        elif node.kind == "Tile":
            size += math.prod(self.few(node.inputs[1])) * given[0].size
        elif node.kind == "ConstantOfShape":
            size += math.prod(self.few(node.inputs[0]))
        self._count(size)

    def _fold_view(self, node: Node, given: list[Any]) -> bool:
        """Another look at a constant."""
        source = np.asarray(given[0], order="C")
        if node.kind == "Tile":
            self.constants[node.output] = np.tile(source, given[1].astype(int))
            return True
        view = View(Buffer(source.size, data=source.ravel()), 0, source.shape,
                    plain_steps(source.shape), KINDS.get(source.dtype.kind, ""))  # fmt: skip
        before = self.values.get(node.inputs[0])
        self.values[node.inputs[0]] = view
        made = getattr(self, f"op_{node.kind.lower()}")(node)
        if before is None:
            del self.values[node.inputs[0]]
        else:
            self.values[node.inputs[0]] = before
        for name, out in zip(node.outputs, made if isinstance(made, tuple) else (made,),
                             strict=False):  # fmt: skip
            steps = [s * source.itemsize for s in out.steps]
            flat = source.ravel()[out.at :] if out.buffer is view.buffer else None
            if flat is None:
                raise Unsupported("a constant out of order")
            self._count(out.size)
            strided = np.lib.stride_tricks.as_strided(flat, out.shape, steps, writeable=False)
            self.constants[name] = strided.copy()
        return True

    def _binary(self, node: Node) -> View:
        views = [self.get(i) for i in node.inputs]
        kind = BINARY[node.kind]
        y = views[0]
        for other in views[1:]:
            shape = np.broadcast_shapes(y.shape, other.shape)
            both = "i" if y.kind == other.kind == "i" else "f"
            whole = "b" if node.kind in TRUTHS else both
            y = self.map(kind, self.fresh(shape, whole), y, other)
            if node.kind == "Div" and both == "i":
                y = self.map(Map.TRUNCATE, self.fresh(shape, "i"), y)
        return y

    def op_identity(self, node: Node) -> View:
        """The same."""
        return self.get(node.inputs[0])

    def op_pow(self, node: Node) -> View:
        """Whole powers by multiplication where they are small."""
        base, exponent = self.get(node.inputs[0]), self.known(node.inputs[1])
        power = self.get(node.inputs[1])
        shape = np.broadcast_shapes(base.shape, power.shape)
        number = None if exponent is None or exponent.size > 1 else float(exponent.ravel()[0])
        if number == 2.0 or (number == 0.5 and base.kind == "f"):
            kind = Map.SQUARE if number == 2.0 else Map.SQRT
            return self.map(kind, self.fresh(shape, base.kind), base)
        if base.kind != "f":
            raise Unsupported("a power of whole numbers")
        return self.map(Map.POWER, self.fresh(shape), base, power)

    def op_mod(self, node: Node) -> View:
        """Of truncated division; whole numbers otherwise are left to ONNX Runtime."""
        if node.number("fmod") != 1:
            raise Unsupported("another remainder")
        a, b = (self.get(i) for i in node.inputs)
        shape = np.broadcast_shapes(a.shape, b.shape)
        return self.map(Map.REMAINDER, self.fresh(shape, a.kind), a, b)

    def op_clip(self, node: Node) -> View:
        """Not below, not above."""
        y = self.get(node.inputs[0])
        for name, kind in zip(node.inputs[1:], (Map.MAXIMUM, Map.MINIMUM), strict=False):
            if name:
                y = self.map(kind, self.fresh(y.shape, y.kind), y, self.get(name))
        return y

    def op_where(self, node: Node) -> View:
        """Of two, by a third."""
        truth, a, b = (self.get(i) for i in node.inputs)
        shape = np.broadcast_shapes(truth.shape, a.shape, b.shape)
        return self.map(Map.WHERE, self.fresh(shape, a.kind), truth, a, b)

    def op_leakyrelu(self, node: Node) -> View:
        """A slope below zero."""
        a = self.get(node.inputs[0])
        slope = self.constant(np.array(node.real("alpha", 0.01), np.float32))
        return self.map(Map.SLOPE, self.fresh(a.shape), a, slope)

    def op_softmax(self, node: Node) -> View:
        """Along one axis."""
        a = self.get(node.inputs[0])
        axis = self.axis(node.number("axis", -1 if self.opset >= 13 else 1), len(a.shape))
        if self.opset < 13 and math.prod(a.shape[axis + 1 :]) != 1:
            raise Unsupported("a softmax of several axes")
        top = self.reduce(Reduce.MAXIMUM, a, (axis,), True)
        e = self.map(Map.SUBTRACT, self.fresh(a.shape), a, top)
        e = self.map(Map.EXP, self.fresh(a.shape), e)
        total = self.reduce(Reduce.SUM, e, (axis,), True)
        return self.map(Map.DIVIDE, self.fresh(a.shape), e, total)

    def op_cast(self, node: Node) -> View:
        """Between floats, whole numbers and truths."""
        a, to = self.get(node.inputs[0]), node.number("to")
        if to in (6, 7):
            if a.kind != "f":
                return View(a.buffer, a.at, a.shape, a.steps, "i")
            return self.map(Map.TRUNCATE, self.fresh(a.shape, "i"), a)
        if to == 9:
            if a.kind == "b":
                return a
            return self.map(Map.TRUTH, self.fresh(a.shape, "b"), a)
        if to != 1:
            raise Unsupported("numbers of another kind")
        return View(a.buffer, a.at, a.shape, a.steps)

    def _output(self, name: str, base: int, at: int, shape: tuple[int, ...]) -> None:
        view = self.get(name)
        if view.shape != shape:
            raise Unsupported("an output of another shape")
        buffer = Buffer(view.size, base, at)
        self.place(view, View(buffer, 0, shape, plain_steps(shape)))


Ends = Mapping[str, tuple[int, int, tuple[int, ...]]]


def _for_one_channel(graph: Graph, ends: Ends, outputs: Ends) -> tuple[Graph, Ends, Ends]:
    """The body of a graph that only runs it for every channel, without their axis."""
    node = graph.nodes[0]
    if (
        len(graph.nodes) != 1
        or node.kind != "Scan"
        or node.number("num_scan_inputs") != len(node.inputs)
    ):
        return graph, ends, outputs
    body = node.graphs["body"]
    if set(node.attributes) - {"body", "num_scan_inputs"} or len(body.inputs) != len(node.inputs):
        raise Unsupported("another scan")
    names = [e.name for e in body.inputs], [e.name for e in body.outputs]
    if set(node.outputs) != set(outputs) or any(len(set(n)) < len(n) for n in names):
        raise Unsupported("another scan")
    if set(names[0]) & (set(ends) | set(body.weights)):
        raise Unsupported("another scan")
    inside = dict(ends)
    for name, end in zip(node.inputs, body.inputs, strict=True):
        base, at, shape = inside.pop(name)
        inside[end.name] = base, at, shape[1:]
    wanted = {}
    for name, end in zip(node.outputs, body.outputs, strict=True):
        base, at, shape = outputs[name]
        wanted[end.name] = base, at, shape[1:]
    weights = {**graph.weights, **body.weights}
    return body._replace(weights=weights), inside, wanted


def _cast(array: Any, to: int) -> Array | None:
    kinds: dict[int, Any] = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_}
    return array.astype(kinds[to]) if to in kinds else None
