"""Graphs of another make as one streaming graph.

The originals stand as they are in the body of a Scan over the axis of channels, so each channel is
an instance of its own, whatever batch they were made for, and every state is taken whole, in
whatever order its axes are.  Frames, windows, the Fourier transform (a matrix product) and the
overlap-add stand around them, with states of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper

from ...errors import CardError, ModelError, nearest
from ...parameters.parameter import Parameter
from ..card import Card, State
from ..nam.limits import shown
from .description import Description, Graph, Transform

OLDEST_OPSET, OLDEST_IR = 11, 8
_NUMBERS = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.INT32: np.int32,
    TensorProto.INT64: np.int64,
    TensorProto.BOOL: np.bool_,
}
_END = 2**62


def windows(transform: Transform, hop: int) -> tuple[npt.NDArray[np.float64], ...]:
    """Windows in and out ``[length]``, and by what is divided where frames overlap ``[hop]``."""
    n = transform.length
    if transform.window == "none":
        return np.ones(n), np.ones(n), np.ones(hop)
    period = n if transform.window == "sqrt_hann" else n - 1
    window = np.sin(np.pi * np.arange(n) / period).clip(0.0)
    square = np.concatenate([window**2, np.zeros(-n % hop)]).reshape(-1, hop)
    return window, window, np.maximum(square.sum(axis=0), 1e-8)


def read_graph(data: bytes, name: str) -> Any:
    """Parse a graph.

    Raises
    ------
    ModelError
    """
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        raise ModelError(f"{name}: the graph cannot be read: it is damaged or not ONNX") from None
    opset = _opset(model)
    if opset < OLDEST_OPSET:
        raise ModelError(
            f"{name} has operator set {opset}; export it again with {OLDEST_OPSET} or newer"
        )
    return model


def _opset(model: Any) -> int:
    return max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)


class _Body:
    """Collects the nodes that one channel runs, and its states."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.states: list[tuple[State, str, str]] = []  # with its input and output in the body
        self.count = 0

    def weight(self, array: Any, kind: Any = np.float32) -> str:
        self.count += 1
        name = f"own_weight_{self.count}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype=kind), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self.count += 1
        output = f"own_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def reshape(self, src: str, *shape: int) -> str:
        return self.node("Reshape", src, self.weight(shape, np.int64))

    def cut(self, src: str, begin: int, end: int) -> str:
        ends = [self.weight([v], np.int64) for v in (begin, end, 0)]
        return self.node("Slice", src, *ends)

    def state(self, name: str, *shape: int) -> str:
        """Input of a state; its output is put in by :meth:`carry`."""
        source = f"own_{name}_in"
        self.states.append((State(name, shape), source, ""))
        return source

    def carry(self, name: str, result: str) -> None:
        at = next(i for i, s in enumerate(self.states) if s[0].name == name)
        state, source, _ = self.states[at]
        self.states[at] = (state, source, result)

    # forms of a sound: samples [hop], frame [length], spectrum [2, bins]

    def frame(self, samples: str, t: Transform, hop: int) -> str:
        """The newest samples, windowed."""
        full = samples
        if t.length > hop:
            full = self.node("Concat", self.state("history", t.length - hop), samples, axis=0)
            self.carry("history", self.cut(full, hop, _END))
        return self.node("Mul", full, self.weight(windows(t, hop)[0]))

    def spectrum(self, frame: str, t: Transform) -> str:
        angle = 2 * np.pi / t.length * np.outer(np.arange(t.length), np.arange(t.length // 2 + 1))
        matrix = np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
        row = self.reshape(frame, 1, t.length)
        return self.reshape(self.node("MatMul", row, self.weight(matrix)), 2, t.length // 2 + 1)

    def inverse(self, spectrum: str, t: Transform) -> str:
        bins = t.length // 2 + 1
        angle = 2 * np.pi / t.length * np.outer(np.arange(bins), np.arange(t.length))
        twice = np.full((bins, 1), 2.0 / t.length)
        twice[[0, -1]] /= 2
        matrix = np.concatenate([twice * np.cos(angle), -twice * np.sin(angle)])
        row = self.reshape(spectrum, 1, 2 * bins)
        return self.reshape(self.node("MatMul", row, self.weight(matrix)), t.length)

    def overlap(self, frame: str, t: Transform, hop: int) -> str:
        _, window, sums = windows(t, hop)
        frame = self.node("Mul", frame, self.weight(window))
        if t.length > hop:
            tail = self.state("tail", t.length - hop)
            padded = self.node("Concat", tail, self.weight(np.zeros(hop)), axis=0)
            frame = self.node("Add", padded, frame)
            self.carry("tail", self.cut(frame, hop, _END))
        return self.node("Div", self.cut(frame, 0, hop), self.weight(sums))

    def magnitude(self, spectrum: str) -> str:
        square = self.node("Mul", spectrum, spectrum)
        both = self.node("Add", self.cut(square, 0, 1), self.cut(square, 1, 2))
        return self.node("Sqrt", both)


def _dims(value: Any) -> list[int]:
    """Shape of a graph's tensor; 0 where it is open."""
    return [int(d.dim_value) for d in value.type.tensor_type.shape.dim]


def _shape(value: Any, size: int | None = None) -> list[int]:
    """A shape of `size` numbers: what is open is 1, but for the last, which has what is left."""
    dims = _dims(value)
    shape = [d or 1 for d in dims]
    known = prod(shape)
    if size is not None and known != size and 0 in dims and size % known == 0:
        shape[len(dims) - 1 - dims[::-1].index(0)] = size // known
        known = size
    if size is not None and known != size:
        raise CardError(
            f"tensor '{value.name}' has shape {dims}, which does not hold {size} numbers"
        )
    return shape


def _parts_last(shape: Sequence[int], bins: int, name: str) -> bool:
    """Whether real and imaginary part lie side by side; the other order is all real, all imag."""
    rest = [d for d in shape if d != 1]
    if sorted(rest) != sorted([2, bins]):
        raise CardError(
            f"tensor '{name}' has shape {list(shape)}; a spectrum has {bins} bins and 2 parts"
        )
    return rest[-1] == 2


def _place(body: _Body, model: Any, d: Graph, number: int, hop: int, t: Transform | None,
           sound: tuple[str, str], knobs: dict[str, str]) -> tuple[str, str]:  # fmt: skip
    """Put one original in; `sound` and what comes back are a form and a value."""
    begin = f"graph{number}_"
    kept = {i.name for i in model.graph.initializer}
    inputs = {i.name: i for i in model.graph.input if i.name not in kept}
    outputs = {o.name: o for o in model.graph.output}

    def known(name: str, table: dict[str, Any], side: str) -> Any:
        if name not in table:
            raise CardError(
                f"[[graph]] {number + 1} has no {side} '{name}'{nearest(name, list(table))}; it"
                f" has {', '.join(table)}"
            )
        return table[name]

    length = t.length if t is not None else 0
    bins = length // 2 + 1
    form, value = sound
    if d.takes in ("spectrum", "magnitude") and form == "frame":
        assert t is not None
        value = body.spectrum(value, t)
    elif d.takes == "frame" and form == "spectrum":
        assert t is not None
        value = body.inverse(value, t)
    spectrum = value
    size = {"samples": hop, "frame": length, "spectrum": 2 * bins, "magnitude": bins}[d.takes]
    source = known(d.input, inputs, "input")
    shape = _shape(source, size)
    if d.takes == "magnitude":
        value = body.magnitude(spectrum)
    elif d.takes == "spectrum" and _parts_last(shape, bins, d.input):
        value = body.node("Transpose", value, perm=[1, 0])
    given = {d.input: body.reshape(value, *shape)}
    carried = []
    for k, (name, result) in enumerate(d.states.items()):
        held = _shape(known(name, inputs, "input"))
        known(result, outputs, "output")
        state = f"{number}_{k}"
        given[name] = body.state(state, *held)
        carried.append((state, begin + result, held))
    for name, number_ in d.constants.items():
        value_info = known(name, inputs, "input")
        kind = _NUMBERS.get(value_info.type.tensor_type.elem_type)
        if kind is None:
            raise CardError(f"the constant '{name}' is of a type that is not supported")
        if np.issubdtype(kind, np.integer) and number_ != int(number_):
            raise CardError(f"the constant '{name}' takes whole numbers, got {number_}")
        given[name] = body.weight(np.full(_shape(value_info), number_), kind)
    for name, source_name in knobs.items():
        if name in inputs:
            given[name] = body.reshape(source_name, *_shape(inputs[name], 1))
    left = [n for n in inputs if n not in given]
    if left:
        raise CardError(
            f"[[graph]] {number + 1} has inputs that the card does not name: {', '.join(left)};"
            " name them as states, constants or controls"
        )
    for name in (d.input, *d.states):
        if inputs[name].type.tensor_type.elem_type != TensorProto.FLOAT:
            raise CardError(f"input '{name}' is not of float32 numbers; export it as such")
    _copy(body, model, begin, given)
    for state, result, held in carried:
        body.carry(state, body.reshape(result, *held))
    return _given(body, d, known(d.output, outputs, "output"), begin + d.output, bins, hop, length,
                  spectrum)  # fmt: skip


def _copy(body: _Body, model: Any, begin: str, given: dict[str, str]) -> None:
    """The original's nodes and weights, under names of their own."""
    _rename(model.graph, begin)
    for name, source in given.items():
        body.nodes.append(helper.make_node("Identity", [source], [begin + name]))
    body.nodes.extend(model.graph.node)
    body.weights.extend(model.graph.initializer)


def _rename(graph: Any, begin: str) -> None:
    """Put `begin` before every name in a graph and in the graphs within its nodes."""
    del graph.value_info[:]
    for one in (*graph.input, *graph.output, *graph.initializer):
        one.name = begin + one.name
    for node in graph.node:
        node.name = begin + node.name if node.name else ""
        for names in (node.input, node.output):
            names[:] = [begin + n if n else n for n in names]
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _rename(inner, begin)


def _given(body: _Body, d: Graph, value: Any, name: str, bins: int, hop: int, length: int,
           spectrum: str) -> tuple[str, str]:  # fmt: skip
    """Form and value of what an original gives."""
    if d.gives == "labels":
        return "labels", name
    if d.gives == "mask":
        return "spectrum", body.node("Mul", spectrum, body.reshape(name, 1, bins))
    if d.gives == "spectrum":
        if _parts_last(_shape(value, 2 * bins), bins, d.output):
            name = body.node("Transpose", body.reshape(name, bins, 2), perm=[1, 0])
        return "spectrum", body.reshape(name, 2, bins)
    return d.gives, body.reshape(name, hop if d.gives == "samples" else length)


def wrap(originals: Sequence[bytes], names: Sequence[str], d: Description) -> tuple[bytes, Card]:
    """Make one streaming graph of the originals; nothing is run.

    Parameters
    ----------
    originals, names : sequence
        Content and name of each file, in the card file's order.

    Raises
    ------
    ModelError, CardError
        A graph cannot be read, or does not fit what the card file says of it.
    """
    if len(originals) != len(d.graph):
        raise CardError(
            f"the card names {len(d.graph)} graph(s), but {len(originals)} file(s) were given"
        )
    try:
        return _wrapped(originals, names, d)
    except (
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ModelError(
            f"{' and '.join(names)}: the graph is malformed ({shown(error)})"
        ) from None


def _wrapped(
    originals: Sequence[bytes], names: Sequence[str], d: Description
) -> tuple[bytes, Card]:
    models = [read_graph(data, name) for data, name in zip(originals, names, strict=True)]
    if len({_opset(m) for m in models}) > 1:
        raise ModelError(
            f"{' and '.join(names)} have operator sets {', '.join(str(_opset(m)) for m in models)};"
            " export them with the same"
        )
    if any(m.graph.sparse_initializer for m in models):
        raise ModelError("a graph with sparse weights is not supported; export it with dense ones")
    if any(m.functions for m in models):
        raise ModelError("a graph with functions of its own is not supported; export it without")
    body, hop, t = _Body(), d.hop_length, d.transform
    knobs = {}
    named = {i.name for m in models for i in m.graph.input}
    for i, c in enumerate(d.control):
        if c.input not in named:
            raise CardError(f"control '{c.name}': no graph has an input '{c.input}'")
        ends = [body.weight([v], np.int64) for v in (i, i + 1, 1)]
        knobs[c.input] = body.node("Slice", "controls", *ends)
    sound = ("samples", body.reshape("own_x", hop))
    if d.graph[0].takes != "samples":
        assert t is not None
        sound = ("frame", body.frame(sound[1], t, hop))
    for number, (model, graph) in enumerate(zip(models, d.graph, strict=True)):
        sound = _place(body, model, graph, number, hop, t, sound, knobs)
    form, value = sound
    if t is not None and form == "spectrum":
        form, value = "frame", body.inverse(value, t)
    if t is not None and form == "frame":
        value = body.overlap(value, t, hop)
    tail = (len(d.labels), 1) if form == "labels" else (1, hop)
    card = Card(
        d.name,
        d.title,
        d.summary,
        "waveform",
        d.sample_rate,
        hop,
        d.delay,
        d.licence,
        states=tuple(s[0] for s in body.states),
        controls=tuple(
            Parameter(c.name, c.minimum, c.maximum, c.default, c.unit, kind=c.kind)
            for c in d.control
        ),
        kind=d.kind,
        labels=d.labels,
    )
    return _scan(body, body.reshape(value, *tail), tail, card, models), card


def _scan(body: _Body, y: str, tail: tuple[int, int], card: Card, models: list[Any]) -> bytes:
    """The body run for every channel."""

    def info(name: str, shape: Sequence[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    held = [(s.name, s.shape, source, result) for s, source, result in body.states]
    body.nodes += [
        helper.make_node("Identity", [v], [f"{n}_out"])
        for v, n in [(y, "own_y"), *((h[3], f"own_{h[0]}_state") for h in held)]
    ]
    inner = helper.make_graph(
        body.nodes,
        "channel",
        [info("own_x", (1, card.hop_length)), *(info(h[2], h[1]) for h in held)],
        [info("own_y_out", tail), *(info(f"own_{h[0]}_state_out", h[1]) for h in held)],
        body.weights,
    )
    ins = ["x", *(f"state_{h[0]}" for h in held)]
    outs = ["y", *(f"state_{h[0]}_out" for h in held)]
    scan = helper.make_node("Scan", ins, outs, body=inner, num_scan_inputs=len(ins))
    shapes = [(1, card.hop_length), *(h[1] for h in held)]
    inputs = [info(n, ("batch", *s)) for n, s in zip(ins, shapes, strict=True)]
    if card.controls:
        inputs.insert(1, info("controls", (1, len(card.controls))))
    shapes[0] = tail
    graph = helper.make_graph(
        [scan],
        "wrapped",
        inputs,
        [info(n, ("batch", *s)) for n, s in zip(outs, shapes, strict=True)],
    )
    opsets = {o.domain: o for m in models for o in m.opset_import}
    version = max(OLDEST_IR, *(m.ir_version for m in models))
    model = helper.make_model(graph, opset_imports=list(opsets.values()), ir_version=version)
    return bytes(model.SerializeToString())
