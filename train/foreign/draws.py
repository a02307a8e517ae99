"""Random numbers of a script, as a function of a seed and a place.

A script draws from torch's generator; what is drawn instead is SplitMix64 at the place of its hop
(:mod:`realtime.models.noise`), which a graph computes as well: the same sound at every run, never
repeated within a day, and no state but the number of the hop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from realtime.errors import ModelError
from realtime.models.noise import GAMMA, fill, mixed

SEED = 18
HOPS = 1 << 24  # what a float32 counts to
UNIFORM, NORMAL = "uniform", "normal"
_SHAPED = {"aten::rand": UNIFORM, "aten::randn": NORMAL}
_LIKE = {"aten::rand_like": UNIFORM, "aten::randn_like": NORMAL}
_FILLED = {"aten::uniform_": (UNIFORM, 0.0, 1.0), "aten::normal_": (NORMAL, 0.0, 1.0)}
Draw = tuple[str, tuple[int, ...]]  # a kind and a shape


class Draws(TorchDispatchMode):
    """Answers every operator that draws, in the order in which they are called.

    Parameters
    ----------
    give : callable
        Takes a :data:`Draw`, returns a float32 tensor of that shape.

    Attributes
    ----------
    problem : ModelError or None
        What an operator inside the script failed of; the interpreter hides the class of an error.
    """

    def __init__(self, give: Callable[[Draw], Tensor]) -> None:
        super().__init__()
        self._give = give
        self.problem: ModelError | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Draw, or do what is asked."""
        kwargs = dict(kwargs or {})
        if func is torch.ops.aten.mean.out:
            # Neutone's mean of a parameter goes into the first of the numbers it is of; torch
            # empties that before it adds, which a graph that writes nothing over would not know
            target = kwargs.pop("out").zero_()
            return target.copy_(torch.ops.aten.mean.dim(*args, **kwargs))
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        name = func._schema.name
        if name in _SHAPED:
            shape, kind = tuple(int(n) for n in args[0]), kwargs.get("dtype") or torch.float32
            return self._give((_SHAPED[name], shape)).to(kind)
        if name in _LIKE:
            kind = kwargs.get("dtype") or args[0].dtype
            return self._give((_LIKE[name], tuple(args[0].shape))).to(kind)
        if name in _FILLED:
            kind, *usual = _FILLED[name]
            first, second = [*args[1:], *usual[len(args) - 1 :]]
            first, second = kwargs.get("mean", first), kwargs.get("std", second)
            first, second = kwargs.get("from", first), kwargs.get("to", second)
            scale = second - first if kind == UNIFORM else second
            return args[0].copy_(self._give((kind, tuple(args[0].shape))) * scale + first)
        self.problem = ModelError(
            f"it draws random numbers by the operator {name}, which cannot be made repeatable;"
            " rand, randn, uniform_ and normal_ can"
        )
        raise self.problem


def numbers(draw: Draw) -> int:
    """Numbers of the generator that it takes: a normal one takes two."""
    return prod(draw[1]) * (2 if draw[0] == NORMAL else 1)


def drawn(draws: Sequence[Draw], hop: int) -> list[npt.NDArray[np.float32]]:
    """What a hop draws, each of its shape."""
    total = sum(numbers(d) for d in draws)
    source = np.empty(total, dtype=np.float32)
    fill(source, SEED, hop % HOPS * total)
    even = (source + np.float32(1.0)) * np.float32(0.5)  # exact: 0 <= u < 1 in steps of 2^-24
    found, at = [], 0
    for draw in draws:
        part = even[at : at + numbers(draw)]
        at += len(part)
        if draw[0] == NORMAL:  # Box and Muller, 1958
            first, second = part.reshape(2, -1)
            far = np.sqrt(np.float32(-2.0) * np.log(first + np.float32(2.0**-24)))
            part = far * np.cos(np.float32(2.0 * np.pi) * second)
        found.append(part.reshape(draw[1]).astype(np.float32))
    return found


def write_draws(
    draws: Sequence[Draw], names: Sequence[str], hop: str, after: str
) -> tuple[Any, Any]:
    """The same as nodes and weights of a graph.

    Parameters
    ----------
    names : sequence
        Of the tensors that they make.
    hop, after : str
        The number of the hop ``[1]``, and that of the next.
    """
    nodes: list[Any] = []
    weights: list[Any] = []
    count = 0

    def weight(value: Any, kind: Any) -> str:
        name = f"draw_weight_{len(weights)}"
        weights.append(numpy_helper.from_array(np.asarray(value).astype(kind), name))
        return name

    def node(kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        nonlocal count
        count += 1
        output = output or f"draw_{count}"
        nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def signed(value: Any) -> str:
        return weight(np.array(value, dtype=np.uint64).view(np.int64), np.int64)

    def folded(z: str, shift: int) -> str:
        z = node("Cast", z, to=TensorProto.UINT64)
        z = node("BitwiseXor", z, node("BitShift", z, weight(shift, np.uint64), direction="RIGHT"))
        return node("Cast", z, to=TensorProto.INT64)

    total = sum(numbers(d) for d in draws)
    with np.errstate(over="ignore"):
        start = mixed(np.uint64(SEED) + GAMMA)
        places = (np.arange(1, total + 1, dtype=np.uint64)) * GAMMA + start
        stride = np.uint64(total) * GAMMA
    number = node("Cast", hop, to=TensorProto.INT64)
    z = node("Add", node("Mul", number, signed(stride)), signed(places))
    z = node("Mul", folded(z, 30), signed(0xBF58476D1CE4E5B9))
    z = folded(node("Mul", folded(z, 27), signed(0x94D049BB133111EB)), 31)
    z = node("BitShift", node("Cast", z, to=TensorProto.UINT64), weight(40, np.uint64),
             direction="RIGHT")  # fmt: skip
    even = node("Mul", node("Cast", node("Cast", z, to=TensorProto.INT64), to=TensorProto.FLOAT),
                weight(2.0**-24, np.float32))  # fmt: skip
    at = 0

    def cut(size: int) -> str:
        nonlocal at
        ends = [weight([v], np.int64) for v in (at, at + size, 0)]
        at += size
        return node("Slice", even, *ends)

    for draw, name in zip(draws, names, strict=True):
        size = prod(draw[1])
        part = cut(size)
        if draw[0] == NORMAL:
            above = node("Add", part, weight(2.0**-24, np.float32))
            far = node("Sqrt", node("Mul", node("Log", above), weight(-2.0, np.float32)))
            turn = node("Cos", node("Mul", cut(size), weight(2.0 * np.pi, np.float32)))
            part = node("Mul", far, turn)
        node("Reshape", part, weight(draw[1], np.int64), output=name)
    following = node("Add", hop, weight([1.0], np.float32))
    node("Mod", following, weight([float(HOPS)], np.float32), output=after, fmod=1)
    return nodes, weights
