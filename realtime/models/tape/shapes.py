"""Operations that look at an array another way: views, but where a shape asks for a copy."""

from __future__ import annotations

import math

import numpy as np

from ..metadata import Node
from .builder import Builder
from .layout import (
    Map,
)
from .memory import (
    Unsupported,
    View,
    plain_steps,
)


class Shapes(Builder):
    """Reshape, transpose, slice, split, concatenate, pad and their like."""

    # views

    def op_shape(self, node: Node) -> None:
        """A constant."""
        shape = self.get(node.inputs[0]).shape
        start = node.number("start", 0)
        end = node.number("end", len(shape)) if node.numbers("end") else len(shape)
        self.constants[node.output] = np.array(shape[start:end], dtype=np.int64)

    def op_reshape(self, node: Node) -> View:
        """Neighbours in C order under another shape."""
        a = self.get(node.inputs[0])
        wanted = self.few(node.inputs[1])
        if not node.number("allowzero"):
            wanted = [a.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
        known = math.prod(n for n in wanted if n >= 0)
        if wanted.count(-1) > 1 or known <= 0 or a.size % known:
            raise Unsupported("a shape that does not fit")
        shape = tuple(a.size // known if n == -1 else n for n in wanted)
        return self._shaped(a, shape)

    def _shaped(self, a: View, shape: tuple[int, ...]) -> View:
        if math.prod(shape) != a.size:
            raise Unsupported("a shape that does not fit")
        a = self.plain(a)
        return View(a.buffer, a.at, shape, plain_steps(shape), a.kind)

    def op_flatten(self, node: Node) -> View:
        """Two axes."""
        a = self.get(node.inputs[0])
        axis = node.number("axis", 1)
        axis = axis + len(a.shape) if axis < 0 else axis
        return self._shaped(a, (math.prod(a.shape[:axis]), math.prod(a.shape[axis:])))

    def op_unsqueeze(self, node: Node) -> View:
        """More axes of one element."""
        a = self.get(node.inputs[0])
        axes = self._axes(node, len(a.shape), growing=True)
        shape, steps = list(a.shape), list(a.steps)
        for axis in sorted(axes):
            shape.insert(axis, 1)
            steps.insert(axis, 0)
        return View(a.buffer, a.at, tuple(shape), tuple(steps), a.kind)

    def op_squeeze(self, node: Node) -> View:
        """Fewer axes of one element."""
        a = self.get(node.inputs[0])
        named = bool(node.numbers("axes"))
        if not named and node.input(1):
            named = self.needed(node.inputs[1]).size > 0
        ones = tuple(i for i, n in enumerate(a.shape) if n == 1)
        axes = self._axes(node, len(a.shape)) if named else ones
        if any(a.shape[i] != 1 for i in axes):
            raise Unsupported("a shape that does not fit")
        left = [i for i in range(len(a.shape)) if i not in axes]
        shape, steps = (tuple(t[i] for i in left) for t in (a.shape, a.steps))
        return View(a.buffer, a.at, shape, steps, a.kind)

    def _axes(self, node: Node, rank: int, growing: bool = False) -> tuple[int, ...]:
        """By an attribute until set 12 of operations, by an input since."""
        numbers = node.numbers("axes") or tuple(self.few(node.inputs[1]))
        more = len(numbers) if growing else 0
        axes = tuple(int(n) + rank + more if n < 0 else int(n) for n in numbers)
        if any(not 0 <= a < rank + more for a in axes) or len(set(axes)) < len(axes):
            raise Unsupported("an axis that is not there")
        return axes

    def op_transpose(self, node: Node) -> View:
        """Axes in another order."""
        a = self.get(node.inputs[0])
        order = node.numbers("perm") or tuple(reversed(range(len(a.shape))))
        if sorted(order) != list(range(len(a.shape))):
            raise Unsupported("an order that does not fit")
        return a.ordered(order)

    def op_slice(self, node: Node) -> View:
        """From, to, every so many."""
        a = self.get(node.inputs[0])
        starts, ends = (self.few(i) for i in node.inputs[1:3])
        more = [self.few(i) if i else None for i in node.inputs[3:]]
        axes = more[0] if more and more[0] is not None else list(range(len(starts)))
        by = more[1] if len(more) > 1 and more[1] is not None else [1] * len(starts)
        axes = [self.axis(n, len(a.shape)) for n in axes]
        if len(set(axes)) < len(axes):
            raise Unsupported("an axis twice")
        at, shape, steps = a.at, list(a.shape), list(a.steps)
        for start, end, axis, step in zip(starts, ends, axes, by, strict=True):
            place = range(shape[axis])[start:end:step]
            if not len(place):
                raise Unsupported("an empty slice")
            at += place.start * steps[axis]
            shape[axis] = len(place)
            steps[axis] *= place.step
        if any(s < 0 for s in steps):
            raise Unsupported("a slice backwards")
        return View(a.buffer, at, tuple(shape), tuple(steps), a.kind)

    def op_split(self, node: Node) -> tuple[View, ...]:
        """Parts along an axis."""
        a = self.get(node.inputs[0])
        axis = self.axis(node.number("axis"), len(a.shape))
        count = len(node.outputs)
        if node.numbers("split"):
            sizes = list(node.numbers("split"))
        elif node.input(1):
            sizes = [int(n) for n in self.needed(node.inputs[1])[: count + 1]]
        else:
            size = -(-a.shape[axis] // count)
            if self.opset < 18 and a.shape[axis] % count:
                raise Unsupported("parts that do not fit")
            sizes = [size] * (count - 1) + [a.shape[axis] - size * (count - 1)]
        if sum(sizes) != a.shape[axis] or min(sizes) <= 0 or len(sizes) != count:
            raise Unsupported("parts that do not fit")
        made, at = [], a.at
        for size in sizes:
            shape = (*a.shape[:axis], size, *a.shape[axis + 1 :])
            made.append(View(a.buffer, at, shape, a.steps, a.kind))
            at += size * a.steps[axis]
        return tuple(made)

    def op_expand(self, node: Node) -> View:
        """One element seen many times."""
        a = self.get(node.inputs[0])
        shape = np.broadcast_shapes(a.shape, tuple(self.few(node.inputs[1])))
        return View(a.buffer, a.at, shape, a.broadcast(shape), a.kind)

    def op_tile(self, node: Node) -> View:
        """One after the other, again and again."""
        a = self.get(node.inputs[0])
        counts = self.few(node.inputs[1])
        if min(counts, default=1) < 1:
            raise Unsupported("an empty array")
        y = self.fresh(tuple(n * c for n, c in zip(a.shape, counts, strict=True)), a.kind)
        inside = tuple(v for n, c in zip(a.shape, counts, strict=True) for v in (c, n))
        steps = tuple(v for n, s in zip(a.shape, y.steps, strict=True) for v in (n * s, s))
        zeros = tuple(v for s in a.steps for v in (0, s))
        self.map(Map.COPY, View(y.buffer, 0, inside, steps), View(a.buffer, a.at, inside, zeros))
        return y

    def op_concat(self, node: Node) -> View:
        """Side by side along an axis; parts nobody else holds are written there at once."""
        views = [self.get(i) for i in node.inputs]
        axis = self.axis(node.number("axis"), len(views[0].shape))
        shape = list(views[0].shape)
        for view in views:
            if [*view.shape[:axis], *view.shape[axis + 1 :]] != shape[:axis] + shape[axis + 1 :]:
                raise Unsupported("parts that do not fit")
        shape[axis] = sum(v.shape[axis] for v in views)
        y, at = self.fresh(tuple(shape), views[0].kind), 0
        for view in views:
            part = View(y.buffer, at, view.shape, y.steps, view.kind)
            self.place(view, part)
            at += view.shape[axis] * y.steps[axis]
        return y

    def op_pad(self, node: Node) -> View:
        """Zeros around."""
        a = self.get(node.inputs[0])
        pads = self.few(node.inputs[1])
        value = self.needed(node.inputs[2]) if node.input(2) else None
        if node.input(3):
            axes = [self.axis(n, len(a.shape)) for n in self.few(node.inputs[3])]
            half, full = len(axes), [0] * (2 * len(a.shape))
            for i, axis in enumerate(axes):
                full[axis], full[axis + len(a.shape)] = pads[i], pads[i + half]
            pads = full
        mode = node.texts.get("mode", "constant")
        if (
            mode != "constant"
            or (value is not None and value.any())
            or len(pads) != 2 * len(a.shape)
        ):
            raise Unsupported("another padding")
        return self.padded(a, pads[: len(a.shape)], pads[len(a.shape) :])
