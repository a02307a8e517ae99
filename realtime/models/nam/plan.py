"""What the kernel does at once: a convolution and what follows it while it is in registers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from .program import Activate, Combine, Conv, Operation, Program, Recur, sources
from .tile import ROWS

INLINE = ("Tanh", "ReLU", "LeakyReLU", "PReLU")  # activations of the tiles


@dataclass(frozen=True)
class Layer:
    """``dst = activation(conv + mixer)``; also ``total = head + dst`` where `head` is there.

    `second`, where it is there, is a convolution of one tap of `dst`.  `dst` is not written where
    nothing else reads it.
    """

    conv: Conv
    dst: int
    mixer: Conv | None = None
    activation: Activate | None = None
    head: int | None = None
    total: int | None = None
    second: Conv | None = None
    written: bool = True


@dataclass(frozen=True)
class Stack:
    """LSTM layers on top of each other: what each but the last gives is read by the next alone."""

    layers: tuple[Recur, ...]

    @property
    def src(self) -> int:
        """What the first one reads."""
        return self.layers[0].src

    @property
    def dst(self) -> int:
        """What the last one writes."""
        return self.layers[-1].dst


Step = Operation | Layer | Stack


def plan(program: Program) -> list[Step]:
    """The operations of a program in their order, those joined that the kernel does at once."""
    readers: dict[int, list[int]] = {}
    for i, op in enumerate(program.operations):
        for value in set(sources(op)):
            readers.setdefault(value, []).append(i)
    uses = Counter({value: len(found) for value, found in readers.items()})
    uses[program.output] += 1
    made = {op.dst: i for i, op in enumerate(program.operations)}
    taken: set[int] = set()
    steps: list[Step] = []

    def only_reader(value: int) -> tuple[int, Operation | None]:
        if uses[value] != 1 or value == program.output:
            return -1, None
        return readers[value][0], program.operations[readers[value][0]]

    for i, op in enumerate(program.operations):
        if i in taken:
            continue
        if isinstance(op, Recur):
            stack, (at, reader) = [op], only_reader(op.dst)
            while isinstance(reader, Recur):
                stack.append(reader)
                taken.add(at)
                at, reader = only_reader(reader.dst)
            steps.append(Stack(tuple(stack)))
            continue
        if not isinstance(op, Conv):
            steps.append(op)
            continue
        layer = Layer(op, op.dst)
        at, reader = only_reader(layer.dst)
        if (
            isinstance(reader, Conv)
            and reader.init == layer.dst != reader.src
            and not reader.past
            and reader.bias is None
            and made.get(reader.src, -1) < i
        ):
            taken.add(at)
            layer = replace(layer, mixer=reader, dst=reader.dst)
            at, reader = only_reader(layer.dst)
        if isinstance(reader, Activate) and reader.kind in INLINE:
            taken.add(at)
            layer = replace(layer, activation=reader, dst=reader.dst)
        for at in readers.get(layer.dst, []):
            reader = program.operations[at]
            if not isinstance(reader, Combine) or reader.kind != "add":
                continue
            other = reader.b if reader.a == layer.dst else reader.a
            if other != layer.dst and made.get(other, -1) < i:
                taken.add(at)
                layer = replace(layer, head=other, total=reader.dst)
                break
        if layer.conv.weight.shape[0] in ROWS:  # all of them are in one tile
            for at in readers.get(layer.dst, []):
                reader = program.operations[at]
                if (
                    isinstance(reader, Conv)
                    and reader.src == layer.dst != reader.init
                    and not reader.past
                    and at not in taken
                    and (reader.init is None or made.get(reader.init, -1) < i)
                ):
                    taken.add(at)
                    layer = replace(layer, second=reader)
                    break
        done = (layer.head is not None) + (layer.second is not None)
        steps.append(replace(layer, written=uses[layer.dst] > done))
    return steps
