"""Operations along an axis: sums, running sums, the largest, elements by their numbers."""

from __future__ import annotations

import numpy as np

from ..metadata import Node
from .builder import ELEMENT, MOST_LISTED
from .layout import (
    A_STEPS,
    DIMENSIONS,
    EXTRA,
    LENGTH,
    PARAMETERS,
    SIZES,
    Y_STEPS,
    A,
    B,
    Code,
    Map,
    Reduce,
    Y,
)
from .memory import (
    Unsupported,
    View,
    merged,
    plain_steps,
)
from .shapes import Shapes

REDUCTIONS = {
    "ReduceSum": Reduce.SUM, "ReduceMean": Reduce.MEAN, "ReduceMax": Reduce.MAXIMUM,
    "ReduceMin": Reduce.MINIMUM,
}  # fmt: skip


class Axes(Shapes):
    """Reductions and indexing."""

    # along axes

    def _reduction(self, node: Node) -> View:
        a = self.get(node.inputs[0])
        rank = len(a.shape)
        if node.input(1):
            numbers = tuple(self.few(node.inputs[1]))
        else:
            numbers = node.numbers("axes")
        axes = tuple(self.axis(n, rank) for n in numbers)
        if len(set(axes)) < len(axes):
            raise Unsupported("an axis twice")
        if a.kind == "i" and node.kind == "ReduceMean":
            raise Unsupported("a mean of whole numbers")
        if not axes:
            if node.number("noop_with_empty_axes"):
                return a
            axes = tuple(range(rank))
        return self.reduce(REDUCTIONS[node.kind], a, axes, bool(node.number("keepdims", 1)))

    def op_argmax(self, node: Node) -> View:
        """Where the first of the largest stands."""
        a = self.get(node.inputs[0])
        if node.number("select_last_index"):
            raise Unsupported("the last of the largest")
        axes = (self.axis(node.number("axis"), len(a.shape)),)
        y = self.reduce(Reduce.FIRST_LARGEST, a, axes, bool(node.number("keepdims", 1)))
        return View(y.buffer, y.at, y.shape, y.steps, "i")

    def reduce(self, kind: Reduce, a: View, axes: tuple[int, ...], keep: bool) -> View:
        """One number for all elements along `axes`."""
        rank = len(a.shape)
        kept = [i for i in range(rank) if i not in axes]
        y = self.fresh(tuple(a.shape[i] for i in kept), a.kind)
        sizes, (to, at) = merged(y.shape, [y.steps, tuple(a.steps[i] for i in kept)])
        inner, (steps,) = merged(tuple(a.shape[i] for i in axes), [tuple(a.steps[i] for i in axes)])
        if len(sizes) > 3 or len(inner) > 2:
            order = [*kept, *axes]
            moved = self.copy(a.ordered(order))
            made = self.reduce(kind, moved, tuple(range(len(kept), rank)), False)
            y = View(made.buffer, made.at, y.shape, y.steps, y.kind)
        else:
            made_op = self.emit(Code.REDUCE, ELEMENT * a.size, kind)
            fill = 3 - len(sizes)
            for slot, values, usual in ((SIZES, sizes, 1), (Y_STEPS, to, 0), (A_STEPS, at, 0)):
                for i, value in enumerate((usual,) * fill + values):
                    made_op.numbers[slot + i] = value
            dense = sizes and to[-1] == at[-1] == 1 and steps[-1:] != (1,)
            made_op.numbers[EXTRA] = int(bool(dense) and kind != Reduce.FIRST_LARGEST)
            inner, steps = (1,) * (2 - len(inner)) + inner, (0,) * (2 - len(steps)) + steps
            for i, value in enumerate(inner + steps):
                made_op.numbers[PARAMETERS + i] = value
            self.uses(made_op, A, a)
            self.uses(made_op, Y, y)
        if keep:
            shape = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
            return View(y.buffer, y.at, shape, plain_steps(shape), y.kind)
        return y

    def op_cumsum(self, node: Node) -> View:
        """Running sums."""
        a = self.get(node.inputs[0])
        axis = self.axis(self.few(node.inputs[1])[0], len(a.shape))
        if node.number("reverse"):
            raise Unsupported("sums from the end")
        a = self.plain(a)
        sizes, steps = _three(a, axis)
        y = self.fresh(a.shape, a.kind)
        made = self.emit(Code.SUM_UP, ELEMENT * y.size, node.number("exclusive"))
        self._sizes(made, sizes, steps)
        self.uses(made, A, a)
        self.uses(made, Y, y)
        return y

    def op_topk(self, node: Node) -> tuple[View, View]:
        """The largest and where they stand."""
        a, count = self.get(node.inputs[0]), self.few(node.inputs[1])[0]
        rank = len(a.shape)
        axis = self.axis(node.number("axis", -1), rank)
        if not node.number("largest", 1) or not 0 < count <= a.shape[axis]:
            raise Unsupported("another choice")
        order = [i for i in range(rank) if i != axis] + [axis]
        moved = self.plain(a.ordered(order))
        n = a.shape[axis]
        rows = a.size // n
        shape = (*moved.shape[:-1], count)
        y, places = self.fresh(shape, a.kind), self.fresh(shape, "i")
        made = self.emit(Code.TOP, ELEMENT * a.size * count)
        self._sizes(made, (rows, n, count), (n, 1, 0))
        made.numbers[LENGTH] = 2 * n
        self.uses(made, A, moved)
        self.uses(made, Y, y)
        self.uses(made, B, places)
        back = [order.index(i) for i in range(rank)]
        return y.ordered(back), places.ordered(back)

    # by indices

    def op_gather(self, node: Node) -> View:
        """Elements of an axis by their numbers; evenly spaced ones are a view."""
        a, known = self.get(node.inputs[0]), self.known(node.inputs[1])
        axis = self.axis(node.number("axis"), len(a.shape))
        size = a.shape[axis]
        if known is not None and known.size > MOST_LISTED:
            raise Unsupported("too large a table")
        if known is None:
            return self._gather(a, axis, self.get(node.inputs[1]))
        places = [int(n) + size if n < 0 else int(n) for n in known.ravel()]
        if not places or min(places) < 0 or max(places) >= size:
            raise Unsupported("an index outside of its axis")
        shape = (*a.shape[:axis], *known.shape, *a.shape[axis + 1 :])
        apart = {q - p for p, q in zip(places[:-1], places[1:], strict=True)}
        if len(apart) <= 1 and known.ndim <= 1 and min(apart, default=0) >= 0:
            step = (apart.pop() if apart else 0) * a.steps[axis]
            steps = (*a.steps[:axis], *(step,) * known.ndim, *a.steps[axis + 1 :])
            return View(a.buffer, a.at + places[0] * a.steps[axis], shape, steps, a.kind)
        a = self._around(a, axis)
        sizes, steps = _three(a, axis)
        offsets = [p * steps[1] for p in places]
        return self.picked(
            a, offsets, self.fresh(shape, a.kind), (sizes[0], steps[0]), (sizes[2], steps[2])
        )

    def _around(self, a: View, axis: int) -> View:
        """With axes before and after `axis` that join into one each."""
        before = merged(a.shape[:axis], [a.steps[:axis]])[0]
        after = merged(a.shape[axis + 1 :], [a.steps[axis + 1 :]])[0]
        return a if len(before) <= 1 and len(after) <= 1 else self.copy(a)

    def _gather(self, a: View, axis: int, index: View) -> View:
        index, a = self.plain(index), self._around(a, axis)
        sizes, steps = _three(a, axis)
        y = self.fresh((*a.shape[:axis], *index.shape, *a.shape[axis + 1 :]), a.kind)
        made = self.emit(Code.GATHER, ELEMENT * y.size)
        self._sizes(made, (sizes[0], index.size, sizes[2]), steps)
        made.numbers[EXTRA] = sizes[1]
        self.uses(made, A, a)
        self.uses(made, B, index)
        self.uses(made, Y, y)
        return y

    def op_gatherelements(self, node: Node) -> View:
        """An element for every index."""
        a, index = self.plain(self.get(node.inputs[0])), self.plain(self.get(node.inputs[1]))
        axis = self.axis(node.number("axis"), len(a.shape))
        same = [n for i, n in enumerate(a.shape) if i != axis]
        if [n for i, n in enumerate(index.shape) if i != axis] != same:
            raise Unsupported("fewer indices")
        _, steps = _three(a, axis)
        sizes, _ = _three(index, axis)
        y = self.fresh(index.shape, a.kind)
        made = self.emit(Code.ELEMENTS, ELEMENT * y.size)
        self._sizes(made, sizes, steps)
        made.numbers[EXTRA] = a.shape[axis]
        self.uses(made, A, a)
        self.uses(made, B, index)
        self.uses(made, Y, y)
        return y

    def op_gathernd(self, node: Node) -> View:
        """Parts of an array, each by an index of several numbers."""
        a, index = self.get(node.inputs[0]), self.get(node.inputs[1])
        depth = index.shape[-1]
        if node.number("batch_dims") or not 0 < depth <= min(DIMENSIONS, len(a.shape)):
            raise Unsupported("another way of indexing")
        left, left_steps = merged(a.shape[depth:], [a.steps[depth:]])
        if len(left) > 1:
            a = self.copy(a)
            left, left_steps = merged(a.shape[depth:], [a.steps[depth:]])
        inner, step = (left[0], left_steps[0][0]) if left else (1, 1)
        y = self.fresh((*index.shape[:-1], *a.shape[depth:]), a.kind)
        known = self.known(node.inputs[1])
        if known is not None:
            whole = known.reshape(-1, depth)
            size = np.array(a.shape[:depth])
            places = np.where(whole < 0, whole + size, whole)
            if (places < 0).any() or (places >= size).any():
                raise Unsupported("an index outside of its axis")
            offsets = [int(n) for n in places @ np.array(a.steps[:depth])]
            return self.picked(a, offsets, y, (1, 0), (inner, step))
        index = self.plain(index)
        made = self.emit(Code.GATHER_ND, ELEMENT * y.size)
        self._sizes(made, (index.size // depth, depth, inner, 1), (0, 0, 0, step))
        for i in range(depth):
            made.numbers[PARAMETERS + i] = a.shape[i]
            made.numbers[PARAMETERS + 4 + i] = a.steps[i]
        self.uses(made, A, a)
        self.uses(made, B, index)
        self.uses(made, Y, y)
        return y

    def op_scatternd(self, node: Node) -> View:
        """Parts put into an array, where their places are known and evenly apart."""
        a, parts = self.get(node.inputs[0]), self.get(node.inputs[2])
        index = self.needed(node.inputs[1]).astype(np.int64)
        depth = index.shape[-1]
        if node.texts.get("reduction", "none") != "none" or not 0 < depth <= len(a.shape):
            raise Unsupported("another way of putting")
        size = np.array(a.shape[:depth])
        index = np.where(index < 0, index + size, index)
        if (index < 0).any() or (index >= size).any():
            raise Unsupported("an index outside of its axis")
        lead = index.shape[:-1]
        if parts.shape != (*lead, *a.shape[depth:]):
            raise Unsupported("parts that do not fit")
        y = self.copy(a)
        offsets = index @ np.array(y.steps[:depth], dtype=np.int64)
        apart = []
        for axis in range(len(lead)):
            steps = np.unique(np.diff(offsets, axis=axis))
            if len(steps) > 1 or (len(steps) and steps[0] <= 0):
                raise Unsupported("places unevenly apart")
            apart.append(int(steps[0]) if len(steps) else 0)
        target = View(y.buffer, int(offsets.flat[0]), parts.shape, (*apart, *y.steps[depth:]))
        self.map(Map.COPY, target, parts)
        return y


def _three(a: View, axis: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Sizes and strides of what is before an axis, the axis, and what is after."""
    before = merged(a.shape[:axis], [a.steps[:axis]])
    after = merged(a.shape[axis + 1 :], [a.steps[axis + 1 :]])
    if len(before[0]) > 1 or len(after[0]) > 1:
        raise Unsupported("axes that do not join")
    outer, outer_step = (before[0][0], before[1][0][0]) if before[0] else (1, 0)
    inner, inner_step = (after[0][0], after[1][0][0]) if after[0] else (1, 1)
    return (outer, a.shape[axis], inner), (outer_step, a.steps[axis], inner_step)
