"""Buffers of a tape, views of them, and where each lies while it is needed."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .layout import DIMENSIONS, MEMORY

Array = npt.NDArray[Any]
MOST_FLOATS = 1 << 24  # of one array, and of all of a tape's memory
MOST_AXES = 16
ALIGNMENT = 16  # floats: a line of the processor's cache


class Unsupported(Exception):
    """A graph that a tape cannot play; ONNX Runtime does."""


@dataclass(eq=False)
class Buffer:
    """Floats in a row.

    Attributes
    ----------
    base : int
        Which memory it lies in, see :mod:`.layout`.
    place : int
        Where it begins there [floats].
    data : ndarray or None
        What a constant holds.
    kept : bool
        Whether it is never shared: zeros around what is written stay zeros.
    parent : (Buffer, int) or None
        Of which other buffer it is a part, and from where on.
    """

    size: int
    base: int = MEMORY
    place: int = -1
    data: Array | None = None
    kept: bool = False
    parent: tuple[Buffer, int] | None = None
    first: int = 1 << 30
    last: int = -1

    def root(self) -> tuple[Buffer, int]:
        """The buffer it is a part of, at last, and where."""
        at, buffer = 0, self
        while buffer.parent is not None:
            buffer, more = buffer.parent
            at += more
        if buffer is not self:
            self.parent = buffer, at  # the next time it is one step
        return buffer, at

    @property
    def movable(self) -> bool:
        """Whether it may become a part of another."""
        fresh = self.base == MEMORY and self.data is None and not self.kept
        return fresh and self.parent is None


def plain_steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of neighbours in C order [floats]."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= size
    return tuple(reversed(steps))


@dataclass(frozen=True, eq=False)
class View:
    """An array in a buffer; `kind` is ``f``, ``i`` or ``b``: floats, whole numbers, truths."""

    buffer: Buffer
    at: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]
    kind: str = "f"

    def __post_init__(self) -> None:
        if min(self.shape, default=1) < 1 or len(self.shape) > MOST_AXES:
            raise Unsupported("an empty array, or one of too many axes")
        if self.size > MOST_FLOATS:
            raise Unsupported("an array too large")

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def plain(self) -> bool:
        """Whether its elements are neighbours in C order."""
        wanted = plain_steps(self.shape)
        return all(n == 1 or s == w for n, s, w in zip(self.shape, self.steps, wanted, strict=True))

    def ordered(self, order: Sequence[int]) -> View:
        """Its axes in another order."""
        shape, steps = (tuple(t[i] for i in order) for t in (self.shape, self.steps))
        return View(self.buffer, self.at, shape, steps, self.kind)

    def broadcast(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Strides by which it looks like an array of `shape`."""
        lead = len(shape) - len(self.shape)
        sizes = (1,) * lead + self.shape
        steps = (0,) * lead + self.steps
        if any(n not in (1, m) for n, m in zip(sizes, shape, strict=True)):
            raise Unsupported("shapes that do not fit")
        return tuple(0 if n == 1 else s for n, s in zip(sizes, steps, strict=True))


@dataclass
class Instruction:
    """A row to be: numbers by slot, and operands whose places are known at the end."""

    numbers: dict[int, int] = field(default_factory=dict)
    operands: dict[int, tuple[Buffer, int]] = field(default_factory=dict)

    def steps(self, slot: int, values: tuple[int, ...]) -> None:
        """Put strides or sizes into their four slots, the last ones last."""
        for i, value in enumerate(values):
            self.numbers[slot + DIMENSIONS - len(values) + i] = value


def merged(
    shape: tuple[int, ...], rows: list[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """The same walk over fewer axes: those of one element left out, neighbours joined."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in rows]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        here = [r[axis] for r in rows]
        if sizes and all(s[-1] == h * size for s, h in zip(steps, here, strict=True)):
            sizes[-1] *= size
            for s, h in zip(steps, here, strict=True):
                s[-1] = h
        else:
            sizes.append(size)
            for s, h in zip(steps, here, strict=True):
                s.append(h)
    return tuple(sizes), [tuple(s) for s in steps]


def rounded(size: int) -> int:
    """As many floats in whole lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def arrange(buffers: list[Buffer]) -> tuple[int, npt.NDArray[np.float32]]:
    """Give every buffer a place; return how many floats there are and what they hold at first."""
    at = 0
    roots = [b for b in buffers if b.parent is None and b.base == MEMORY and b.last >= 0]
    fixed = [b for b in roots if b.data is not None or b.kept]
    for buffer in fixed:
        buffer.place = at
        at += rounded(buffer.size)
    live: list[tuple[int, int, int]] = []  # place, end, last instruction; in order of places
    total = at
    for buffer in sorted(
        (b for b in roots if b.data is None and not b.kept), key=lambda b: b.first
    ):
        live = [row for row in live if row[2] >= buffer.first]
        spot = at
        for begin, end, _ in live:
            if begin - spot >= rounded(buffer.size):
                break
            spot = max(spot, end)
        buffer.place = spot
        insort(live, (spot, spot + rounded(buffer.size), buffer.last))
        total = max(total, spot + rounded(buffer.size))
    memory = np.zeros(total + ALIGNMENT, dtype=np.float32)
    for buffer in fixed:
        if buffer.data is not None:
            memory[buffer.place : buffer.place + buffer.size] = buffer.data
    return total, memory


def address(buffer: Buffer, at: int) -> tuple[int, int]:
    """Base and offset of a place in a buffer that has been arranged."""
    root, more = buffer.root()
    if root.place < 0:
        raise Unsupported("a value that nothing writes")
    return root.base, root.place + more + at
