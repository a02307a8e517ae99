"""A tape in the making: its values, constants and instructions, and their places at the end."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .layout import (
    A_STEPS,
    B_STEPS,
    C_STEPS,
    CODE,
    DIMENSIONS,
    EXTRA,
    KIND,
    LENGTH,
    NONE,
    SIZES,
    WIDTH,
    Y_STEPS,
    A,
    B,
    C,
    Code,
    Map,
    Y,
)
from .memory import (
    MOST_AXES,
    MOST_FLOATS,
    Array,
    Buffer,
    Instruction,
    Unsupported,
    View,
    address,
    arrange,
    merged,
    plain_steps,
)

MOST_INSTRUCTIONS = 4000
MOST_WORK = 1 << 25  # products of one step; matrices that large take ONNX Runtime's care
ELEMENT = 8  # what an element costs of a function or a sum, in products
MOST_SPLITS = 64
MOST_LISTED = 1 << 22  # offsets that tables are made of
EXACT = 1 << 24  # whole numbers below are exact as float32
KINDS = {"f": "f", "i": "i", "u": "i", "b": "b"}


class Builder:
    """Values by name, instructions in their order."""

    def __init__(self) -> None:
        self.values: dict[str, View] = {}
        self.constants: dict[str, Array] = {}
        self.buffers: list[Buffer] = []
        self.tape: list[Instruction] = []
        self.table: list[int] = []
        self.opset = 0  # version of the set of operations
        self.work = 0  # what a step costs, in products
        self._shared: dict[tuple[bytes, tuple[int, ...], str], View] = {}
        self._listed = 0
        self._tables: dict[tuple[int, ...], int] = {}

    # values

    def get(self, name: str) -> View:
        """A value, constants too."""
        if name in self.constants and name not in self.values:
            self.values[name] = self.constant(self.constants[name])
        if name not in self.values:
            raise Unsupported(f"no value {name}")
        return self.values[name]

    def known(self, name: str) -> Array | None:
        """What a constant is."""
        return self.constants.get(name)

    def needed(self, name: str) -> Array:
        """A constant that has to be one."""
        if name not in self.constants:
            raise Unsupported(f"{name} is computed")
        return self.constants[name]

    def few(self, name: str) -> list[int]:
        """The whole numbers of a constant that has one for every axis, or two."""
        array = self.needed(name)
        if array.size > 2 * MOST_AXES or array.dtype.kind not in "iu":
            raise Unsupported("too many numbers, or none that are whole")
        return [int(n) for n in array.ravel()]

    @staticmethod
    def axis(number: int, rank: int) -> int:
        """An axis by its number, from the end where it is negative."""
        if not -rank <= number < rank:
            raise Unsupported("an axis that is not there")
        return number % rank

    def constant(self, array: Array) -> View:
        """A constant in the tape's memory; equal ones share their place."""
        kind = KINDS.get(array.dtype.kind, "")
        if not kind or array.size > MOST_FLOATS:
            raise Unsupported("a constant of another kind")
        if kind == "i" and array.size and max(abs(int(array.min())), abs(int(array.max()))) > EXACT:
            raise Unsupported("whole numbers too large for float32")
        data = np.ascontiguousarray(array, dtype=np.float32).ravel()
        key = (data.tobytes(), array.shape, kind)
        if key not in self._shared:
            buffer = Buffer(data.size, data=data)
            self.buffers.append(buffer)
            self._shared[key] = View(buffer, 0, array.shape, plain_steps(array.shape), kind)
        return self._shared[key]

    def fresh(self, shape: tuple[int, ...], kind: str = "f", kept: bool = False) -> View:
        """A new array."""
        shape = tuple(int(n) for n in shape)
        view = View(Buffer(math.prod(shape), kept=kept), 0, shape, plain_steps(shape), kind)
        self.buffers.append(view.buffer)
        return view

    def spend(self, products: int) -> None:
        """Count what a step costs."""
        self.work += products
        if self.work > MOST_WORK:
            raise Unsupported("too much work")

    def offsets(self, count: int, values: Iterable[int]) -> int:
        """Where in the table `count` such offsets stand; equal ones once."""
        self._listed += count
        if self._listed > MOST_LISTED:
            raise Unsupported("too large a table")
        key = tuple(values)
        if key not in self._tables:
            self._tables[key] = len(self.table)
            self.table += key
        return self._tables[key]

    # instructions

    def emit(self, code: Code, products: int, kind: int = 0) -> Instruction:
        """A new instruction that costs so many products."""
        self.spend(products)
        if len(self.tape) >= MOST_INSTRUCTIONS:
            raise Unsupported("too many instructions")
        made = Instruction({CODE: int(code), KIND: int(kind), B: NONE, C: NONE})
        self.tape.append(made)
        return made

    def uses(self, made: Instruction, slot: int, view: View) -> None:
        """An operand of the newest instruction, read or written."""
        made.operands[slot] = (view.buffer, view.at)
        view.buffer.first = min(view.buffer.first, len(self.tape))
        view.buffer.last = max(view.buffer.last, len(self.tape))

    def map(self, kind: Map, y: View, *given: View) -> View:
        """Element by element into `y`; operands are broadcast to its shape."""
        rows = [y.steps, *(v.broadcast(y.shape) for v in given)]
        sizes, steps = merged(y.shape, rows)
        self._map(kind, [y, *given], [0] * (1 + len(given)), sizes, steps, MOST_SPLITS)
        return y

    def _map(self, kind: Map, views: list[View], ats: list[int], sizes: tuple[int, ...],
             steps: list[tuple[int, ...]], splits: int) -> None:  # fmt: skip
        if len(sizes) > DIMENSIONS:
            axis = int(np.argmin(sizes))
            count = sizes[axis]
            if count > splits:
                raise Unsupported("too many axes")
            fewer = tuple(n for i, n in enumerate(sizes) if i != axis)
            for index in range(count):
                moved = [at + index * s[axis] for at, s in zip(ats, steps, strict=True)]
                left = [tuple(v for i, v in enumerate(s) if i != axis) for s in steps]
                self._map(kind, views, moved, fewer, left, splits // count)
            return
        if sizes:
            total = math.prod(sizes)

            def cost(axis: int) -> float:  # of rows along it: to begin one, and what is not dense
                apart = sum(s[axis] not in (0, 1) for s in steps)
                return total / sizes[axis] * (12 + sizes[axis] * (0.15 + 0.7 * apart))

            axis = min(range(len(sizes)), key=cost)
            order = [i for i in range(len(sizes)) if i != axis] + [axis]
            sizes = tuple(sizes[i] for i in order)
            steps = [tuple(s[i] for i in order) for s in steps]
        made = self.emit(Code.MAP, ELEMENT * math.prod(sizes), kind)
        pad = (1,) * (DIMENSIONS - len(sizes))
        made.steps(SIZES, pad + sizes)
        for slot, at_steps, view, at, row in zip(
            (Y, A, B, C), (Y_STEPS, A_STEPS, B_STEPS, C_STEPS), views, ats, steps, strict=False
        ):
            made.steps(at_steps, row if sizes else (1,))
            place = View(view.buffer, view.at + at, view.shape, view.steps)
            self.uses(made, slot, place)

    def copy(self, view: View) -> View:
        """The same as neighbours in C order."""
        return self.map(Map.COPY, self.fresh(view.shape, view.kind), view)

    def plain(self, view: View) -> View:
        """As it is, if it lies in C order already."""
        return view if view.plain else self.copy(view)

    def place(self, view: View, target: View) -> None:
        """Have a value at `target`: there from the first where that is possible, else copied."""
        whole = view.plain and target.plain and view.at == 0 and view.size == view.buffer.size
        if whole and view.buffer.movable:
            view.buffer.parent = (target.buffer, target.at)
            root = target.buffer.root()[0]
            root.first = min(root.first, view.buffer.first)
            root.last = max(root.last, view.buffer.last, len(self.tape) + 1)
            return
        self.map(Map.COPY, target, view)

    def padded(self, a: View, before: list[int], after: list[int]) -> View:
        """Zeros before and after, in memory of its own whose zeros stay."""
        if min(before + after) < 0:
            raise Unsupported("padding that cuts")
        if not any(before + after):
            return a
        shape = tuple(n + p + q for n, p, q in zip(a.shape, before, after, strict=True))
        y = self.fresh(shape, a.kind, kept=True)
        at = sum(p * s for p, s in zip(before, y.steps, strict=True))
        self.map(Map.COPY, View(y.buffer, at, a.shape, y.steps), a)
        return y

    def _sizes(self, made: Instruction, sizes: tuple[int, ...], steps: tuple[int, ...]) -> None:
        for i, (size, step) in enumerate(zip(sizes, steps, strict=True)):
            made.numbers[SIZES + i], made.numbers[A_STEPS + i] = size, step

    def picked(self, a: View, offsets: list[int], y: View, outer: tuple[int, int],
               inner: tuple[int, int]) -> View:  # fmt: skip
        """Parts of `a` by their offsets into `y`; `outer` and `inner`: size and stride."""
        made = self.emit(Code.PICK, ELEMENT * y.size)
        self._sizes(made, (outer[0], len(offsets), inner[0]), (outer[1], 0, inner[1]))
        made.numbers[EXTRA] = self.offsets(len(offsets), offsets)
        made.numbers[LENGTH] = max(offsets) + 1
        self.uses(made, A, a)
        self.uses(made, Y, y)
        return y

    # the end

    def rows(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The tape, its table and its memory.

        Returns
        -------
        ops : ndarray [shape=(n, WIDTH), int32]
        table : ndarray [int32]
        memory : ndarray [float32]
        """
        for buffer in self.buffers:  # a part lives as long as its whole
            root = buffer.root()[0]
            root.first, root.last = min(root.first, buffer.first), max(root.last, buffer.last)
        total, memory = arrange(self.buffers)
        if total > MOST_FLOATS:
            raise Unsupported("too much memory")
        ops = np.zeros((len(self.tape), WIDTH), dtype=np.int32)
        for row, made in zip(ops, self.tape, strict=True):
            for slot, number in made.numbers.items():
                row[slot] = number
            for slot, (buffer, at) in made.operands.items():
                row[slot], row[slot + 1] = address(buffer, at)
        return ops, np.array([*self.table, 0], dtype=np.int32), memory

    def scratch(self) -> int:
        """Floats that instructions work in."""
        worked = (
            m.numbers for m in self.tape if m.numbers[CODE] in (Code.GRU, Code.LSTM, Code.TOP)
        )
        return max((numbers[LENGTH] for numbers in worked), default=0)
