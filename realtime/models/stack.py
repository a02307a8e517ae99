"""A small causal network, read out of its graph to run in the kernel of captures.

Networks such as tube-amp are a few dilated convolutions with a state each, tanh, sums, and a head
of one tap; every node of such a graph costs ONNX Runtime more than its arithmetic.  What the graph
holds besides is left to ONNX Runtime, and so is a file whose states are not those that silence
leaves behind.  The file's own test vector says whether the kernel plays what the graph does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .card import STATE_KEY, Card
from .lag import Lag
from .metadata import Node, read_graph, unpack_array
from .nam.activations import activate
from .nam.player import CapturePlayer
from .nam.program import Program
from .nam.reference import silence
from .streaming import TEST_TOLERANCE, answers, read_test_vector, relative_error

Float = npt.NDArray[np.float64]
SETTLED = 1e-4  # a state may differ from silence's by that much of a tanh


class _Past(NamedTuple):
    """A value behind the state that holds its past."""

    value: int
    state: str
    length: int


class _Reader:
    """Turns nodes into operations; what it does not know raises LookupError or ValueError."""

    def __init__(self, model: bytes, card: Card) -> None:
        graph = read_graph(model)
        self.weights = graph.weights
        self.program = Program()
        self.values: dict[str, int] = {"x": 0}
        self.pasts: dict[str, _Past] = {}
        self.groups: dict[str, list[int]] = {}
        self.lengths = {f"state_{s.name}": s.shape[-1] for s in card.states}
        self.kept: set[str] = set()  # states that are carried on
        for node in graph.nodes:
            {"Concat": self.concat, "Conv": self.conv, "Slice": self.slice, "Tanh": self.tanh,
             "Add": self.add}[node.kind](node)  # fmt: skip
        if self.kept != set(self.lengths):
            raise ValueError("a state is not carried on")
        self.program.output = self.values["y"]
        if self.program.channels[self.program.output] != 1:
            raise ValueError("not one output")

    def concat(self, node: Node) -> None:
        """A state before its value, in time, or the values that the head hears."""
        if node.number("axis") in (2, -1):
            state, value = node.inputs
            past = _Past(self.values[value], state, self.lengths[state])
            self.pasts[node.output] = past
        elif node.number("axis") == 1:
            self.groups[node.output] = [self.values[i] for i in node.inputs]
        else:
            raise ValueError("another axis")

    def conv(self, node: Node) -> None:
        """A dilated convolution of a past, or one tap of one value or several."""
        source, name, *rest = node.inputs
        if self.weights[name].dtype != np.float32:
            raise ValueError("weights of another kind")
        weight = self.weights[name].astype(np.float64)
        bias = self.weights[rest[0]].astype(np.float64) if rest else None
        dilation = node.number("dilations", 1)
        plain = node.number("group", 1) == node.number("strides", 1) == 1
        if not plain or any(node.numbers("pads")) or weight.ndim != 3:
            raise ValueError("another convolution")
        if bias is not None and bias.shape != weight.shape[:1]:
            raise ValueError("another number of biases")
        if source in self.pasts:
            past = self.pasts[source]
            if (weight.shape[2] - 1) * dilation != past.length:
                raise ValueError("more past than it needs")
            self.values[node.output] = self.program.conv(past.value, weight, bias, dilation)
        elif weight.shape[2] == 1:
            group = self.groups[source] if source in self.groups else [self.values[source]]
            self.values[node.output] = self._head(group, weight, bias)
        else:
            raise ValueError("a convolution without its past")

    def _head(self, group: list[int], weight: Float, bias: Float | None) -> int:
        """The sum of one tap of each value, formed as soon as each is there."""
        program, total, low = self.program, None, 0
        for value in group:
            high = low + program.channels[value]
            total = program.conv(value, weight[:, low:high], bias, init=total)
            bias, low = None, high
            added = program.operations.pop()
            made = next((k for k, op in enumerate(program.operations) if op.dst == value), -1)
            program.operations.insert(made + 1, added)
        if total is None or low != weight.shape[1]:
            raise ValueError("a head of another width")
        return total

    def slice(self, node: Node) -> None:
        """The newest samples of a past, kept for the next step."""
        past = self.pasts[node.inputs[0]]
        start, end, axis, *step = (int(self.weights[n].ravel()[0]) for n in node.inputs[1:])
        good = start == -past.length and end >= 1 << 31 and axis in (2, -1)
        if not good or step not in ([], [1]) or node.output != f"{past.state}_out":
            raise ValueError("another slice")
        self.kept.add(past.state)

    def tanh(self, node: Node) -> None:
        """An activation."""
        self.values[node.output] = activate(self.program, self.values[node.inputs[0]], "Tanh")

    def add(self, node: Node) -> None:
        """A sum."""
        a, b = (self.values[i] for i in node.inputs)
        self.values[node.output] = self.program.combine("add", a, b)


def read_program(model: bytes, card: Card, metadata: Mapping[str, str]) -> Program | None:
    """The network's program; None where only ONNX Runtime can play the file.

    Parameters
    ----------
    model : bytes
        A whole ``.onnx`` file that was admitted.
    """
    if card.kind != "converter" or card.domain != "waveform" or card.controls or not card.states:
        return None
    try:
        reader = _Reader(model, card)
        rest = silence(reader.program)
        for past in reader.pasts.values():
            name = past.state.removeprefix("state_")
            shape = (reader.program.channels[past.value], past.length)
            packed = metadata.get(STATE_KEY + name)
            stated = 0.0 if packed is None else unpack_array(packed, shape)
            if not np.abs(stated - rest[past.value]).max() <= SETTLED:
                return None
        reader.program.check_size()
    except (LookupError, ValueError, TypeError, ArithmeticError, ModelError):
        return None
    return reader.program


class StackPlayer(CapturePlayer):
    """Such a network in the kernel; its card declares all of its latency."""

    _lag: Lag | None = Lag()


def open_stack(
    model: bytes, card: Card, metadata: Mapping[str, Any], channels: int
) -> StackPlayer | None:
    """The file in the kernel, where it gives there what its test vector says; else None."""
    program = read_program(model, card, metadata)
    if program is None:
        return None
    player = StackPlayer(program, card, channels)
    x, expected = read_test_vector(metadata, card)
    error = relative_error(answers(player, x), expected)
    player.reset()
    return player if error <= TEST_TOLERANCE else None
