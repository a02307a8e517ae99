"""Products of matrices, and what is made of them: convolutions, recurrent units."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..metadata import Node
from .axes import Axes
from .builder import ELEMENT, MOST_LISTED
from .layout import (
    A_STEPS,
    B_STEPS,
    C_STEPS,
    EXTRA,
    LENGTH,
    PARAMETERS,
    SIZES,
    Y_STEPS,
    A,
    B,
    C,
    Code,
    Map,
    Y,
)
from .memory import (
    Array,
    Instruction,
    Unsupported,
    View,
    merged,
)


class Products(Axes):
    """MatMul, Gemm, Conv, ConvTranspose, normalisations, GRU, LSTM."""

    # matrices

    def op_matmul(self, node: Node) -> View:
        """Matrices, and rows of them."""
        a, b = (self.get(i) for i in node.inputs)
        if len(a.shape) < 2 or len(b.shape) < 2:
            raise Unsupported("a product of a vector")
        return self.matmul(a, b, None)

    def op_gemm(self, node: Node) -> View:
        """A matrix times another and a sum."""
        a, b = (self.get(i) for i in node.inputs[:2])
        if node.real("alpha", 1.0) != 1.0 or node.real("beta", 1.0) != 1.0:
            raise Unsupported("a scaled product")
        if node.number("transA"):
            a = View(a.buffer, a.at, a.shape[::-1], a.steps[::-1])
        if node.number("transB"):
            b = View(b.buffer, b.at, b.shape[::-1], b.steps[::-1])
        bias = self.get(node.inputs[2]) if node.input(2) else None
        return self.matmul(a, b, bias)

    def rowwise(self, b: View) -> View:
        """A matrix whose rows are neighbours; a constant is laid out so for good."""
        if b.steps[-1] == 1 or b.shape[-1] == 1:
            return b
        if b.buffer.data is not None:
            steps = [4 * s for s in b.steps]
            source = np.lib.stride_tricks.as_strided(b.buffer.data[b.at :], b.shape, steps)
            return self.constant(source.copy())
        return self.copy(b)

    def matmul(self, a: View, b: View, bias: View | None) -> View:
        """``a @ b + bias``."""
        if a.shape[-1] != b.shape[-2]:
            raise Unsupported("matrices that do not fit")
        rows, depth, n = a.shape[-2], a.shape[-1], b.shape[-1]
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if n == 1 and rows > 1 and bias is None:
            turned = [View(v.buffer, v.at, (*v.shape[:-2], *v.shape[:-3:-1]),
                           (*v.steps[:-2], *v.steps[:-3:-1])) for v in (b, a)]  # fmt: skip
            y = self.matmul(turned[0], turned[1], None)
            return View(y.buffer, y.at, (*lead, rows, 1), (*y.steps[:-2], y.steps[-1], 0))
        b = self.rowwise(b)
        y = self.fresh((*lead, rows, n), "i" if a.kind == b.kind == "i" else "f")
        if bias is not None:
            if bias.shape and bias.shape[-1] > 1 and bias.steps[-1] != 1:
                bias = self.copy(bias)
            bias_steps = bias.broadcast(y.shape)
        else:
            bias_steps = (0,) * len(y.shape)
        joined = (*lead, rows)
        walk = [y.steps[:-1], (*a.broadcast((*lead, rows, depth))[:-2], a.steps[-2]),
                (*b.broadcast((*lead, depth, n))[:-2], 0), bias_steps[:-1]]  # fmt: skip
        if rows == 1:
            walk[1] = (*walk[1][:-1], 0)
        sizes, steps = merged(joined, walk)
        if len(sizes) > 3:
            raise Unsupported("too many axes")
        if sizes and steps[2][-1] != 0:  # the last axis left is one of other matrices
            sizes, steps = (*sizes, 1), [(*s, 0) for s in steps]
        if len(sizes) > 3:
            raise Unsupported("too many axes")
        self._matmul(
            y, a, b, bias, (*(1,) * (3 - len(sizes)), *sizes, n),
            [(*(0,) * (3 - len(s)), *s) for s in steps],
            depth, a.steps[-1], b.steps[-2] if depth > 1 else 0, bias_steps[-1],
        )  # fmt: skip
        return y

    def _matmul(self, y: View, a: View, b: View, bias: View | None, sizes: tuple[int, ...],
                steps: Sequence[tuple[int, ...]], depth: int, step_a: int, step_b: int,
                step_bias: int, table: list[int] | None = None) -> None:  # fmt: skip
        made = self.emit(Code.MATMUL, math.prod(sizes) * depth)
        made.steps(SIZES, sizes)
        made.steps(Y_STEPS, (*steps[0], 1))
        made.steps(A_STEPS, (*steps[1], step_a))
        made.steps(B_STEPS, (*steps[2][:2], 0, 1))
        made.steps(C_STEPS, (*steps[3], step_bias))
        made.numbers[LENGTH] = depth
        made.numbers[EXTRA] = self.offsets(depth, table or (k * step_b for k in range(depth)))
        self.uses(made, A, a)
        self.uses(made, B, b)
        if bias is not None:
            self.uses(made, C, bias)
        self.uses(made, Y, y)

    def _convolution(
        self, node: Node
    ) -> tuple[View, Array, Array | None, list[int], list[int], list[int]]:
        """Input, weight, bias, strides, dilations and pads over two axes, the first of one element
        where there is one axis.
        """
        a, weight = self.get(node.inputs[0]), self.needed(node.inputs[1])
        bias = self.needed(node.inputs[2]) if node.input(2) else None
        spatial = len(a.shape) - 2
        if spatial not in (1, 2) or weight.ndim != spatial + 2 or node.number("group", 1) < 1:
            raise Unsupported("another convolution")
        strides, dilations, pads = _geometry(node, spatial)
        if spatial == 1:
            a = View(a.buffer, a.at, (*a.shape[:2], 1, a.shape[2]), (*a.steps[:2], 0, a.steps[2]))
            weight, pads = weight[:, :, None], [0, pads[0], 0, pads[1]]
            strides, dilations = [1, *strides], [1, *dilations]
        return a, weight, bias, strides, dilations, pads

    def _answer(self, node: Node, y: View) -> View:
        """What a convolution gave, over as many axes as its input has."""
        if len(self.get(node.inputs[0]).shape) == 4:
            return y
        return View(y.buffer, y.at, (*y.shape[:2], y.shape[3]), (*y.steps[:2], y.steps[3]))

    def op_conv(self, node: Node) -> View:
        """Convolution over one axis or two, as a product of matrices whose rows overlap."""
        a, weight, bias, strides, dilations, pads = self._convolution(node)
        groups = node.number("group", 1)
        return self._answer(node, self.conv(a, weight, bias, groups, strides, dilations, pads))

    def conv(self, a: View, weight: Array, bias: Array | None, groups: int, strides: list[int],
             dilations: list[int], pads: list[int]) -> View:  # fmt: skip
        """Over two axes; ``weight [out, in / groups, ...]``."""
        if a.shape[0] != 1:
            raise Unsupported("another convolution")
        out, inside, kh, kw = weight.shape
        if bias is not None and bias.shape != (out,):
            raise Unsupported("another number of biases")
        if a.shape[1] != inside * groups or out % groups:
            raise Unsupported("channels that do not fit")
        a = self.padded(a, [0, 0, pads[0], pads[1]], [0, 0, pads[2], pads[3]])
        high = (a.shape[2] - dilations[0] * (kh - 1) - 1) // strides[0] + 1
        wide = (a.shape[3] - dilations[1] * (kw - 1) - 1) // strides[1] + 1
        if high < 1 or wide < 1:
            raise Unsupported("a convolution of nothing")
        step = a.steps[3] if a.shape[3] > 1 else 1
        if strides[1] * step != 1 and wide > 1:  # neighbours of the output apart in the input
            parts = self.fresh((kw, a.shape[1], a.shape[2], wide))
            for k in range(kw):
                source = View(a.buffer, a.at + k * dilations[1] * step, (*a.shape[1:3], wide),
                              (a.steps[1], a.steps[2], strides[1] * step))  # fmt: skip
                self.map(Map.COPY, View(parts.buffer, k * parts.steps[0], parts.shape[1:],
                                        parts.steps[1:]), source)  # fmt: skip
            a = View(parts.buffer, 0, (1, *parts.shape[1:]), (0, *parts.steps[1:]))
            tap = parts.steps[0]
        else:
            tap = dilations[1] * step
        if inside * kh * kw > MOST_LISTED:
            raise Unsupported("too large a table")
        table = [
            c * a.steps[1] + i * dilations[0] * a.steps[2] + k * tap
            for c in range(inside) for i in range(kh) for k in range(kw)
        ]  # fmt: skip
        per, depth = out // groups, inside * kh * kw
        y = self.fresh((1, out, high, wide))
        rows = weight.reshape(out, depth).astype(np.float32)
        shift = None if bias is None else self.constant(bias.astype(np.float32))
        if high * wide == 1 and groups == 1:  # a row of weights for every output: turn it round
            gathered = self.picked(a, table, self.fresh((1, depth)), (1, 0), (1, 1))
            row = None if shift is None else View(shift.buffer, 0, (1, out), (0, 1))
            made = self.matmul(gathered, self.constant(rows.T), row)
            return View(made.buffer, made.at, (1, out, 1, 1), (0, 1, 0, 0))
        along = [(per * high * wide, wide, high * wide), (per * depth, 0, depth),
                 (inside * a.steps[1], strides[0] * a.steps[2], 0), (per, 0, 1)]  # fmt: skip
        self._matmul(y, self.constant(rows), a, shift, (groups, high, per, wide), along, depth, 1,
                     0, 0, table)  # fmt: skip
        return y

    def op_convtranspose(self, node: Node) -> View:
        """One convolution for every remainder of a stride, their outputs interleaved."""
        a, weight, bias, strides, dilations, pads = self._convolution(node)
        if node.numbers("output_shape"):
            raise Unsupported("another transposed convolution")
        more = [0, 0, *node.numbers("output_padding")][-2:]
        groups = node.number("group", 1)
        y = self._spread(a, weight, bias, groups, strides, dilations, pads, more)
        return self._answer(node, y)

    def _spread(self, a: View, weight: Array, bias: Array | None, groups: int, strides: list[int],
                dilations: list[int], pads: list[int], more: list[int]) -> View:  # fmt: skip
        """Over two axes, the first of them by ones."""
        high, wide = a.shape[2:]
        inside, per, rows, taps = weight.shape[0] // groups, *weight.shape[1:]
        stride, dilation = strides[1], dilations[1]
        length = (wide - 1) * stride - pads[1] - pads[3] + dilation * (taps - 1) + more[1] + 1
        reach = dilations[0] * (rows - 1)
        around = [reach - pads[0], reach - pads[2] + more[0]]
        if strides[0] != 1 or min(more) < 0 or more[1] >= max(stride, dilation):
            raise Unsupported("another transposed convolution")
        if weight.shape[0] != a.shape[1] or a.shape[1] % groups:
            raise Unsupported("channels that do not fit")
        # [in, out / groups, ...] -> [out, in / groups, ...]; over the first axis a convolution is
        # one turned round
        split = weight.reshape(groups, inside, per, rows, taps).swapaxes(1, 2)
        turned = split.reshape(groups * per, inside, rows, taps)[:, :, ::-1]
        a = self.padded(a, [0, 0, around[0], 0], [0, 0, around[1], 0])
        y = self.fresh((1, groups * per, high + sum(around) - reach, length))
        self.spend(taps * min(stride, length))
        if bias is not None and bias.shape != (groups * per,):
            raise Unsupported("another number of biases")
        for first in range(min(stride, length)):
            used = [k for k in range(taps) if (first + pads[1] - k * dilation) % stride == 0]
            count = -(-(length - first) // stride)
            target = View(y.buffer, first, (*y.shape[:3], count), (*y.steps[:3], stride))
            if not used:
                shift = np.zeros(groups * per) if bias is None else bias
                source = self.constant(shift.astype(np.float32).reshape(1, -1, 1, 1))
                self.map(Map.COPY, target, source)
                continue
            # input that tap k of output `first` hears
            starts = [(first + pads[1] - k * dilation) // stride for k in used]
            apart = {p - q for p, q in zip(starts[:-1], starts[1:], strict=True)}
            by = apart.pop() if apart else 1
            if apart or by < 1:
                raise Unsupported("another transposed convolution")
            low, last = min(starts), max(starts) + count - 1
            before, after = max(0, -low), max(0, last - (wide - 1))
            full = self.padded(a, [0, 0, 0, before], [0, 0, 0, after])
            view = View(full.buffer, full.at + (low + before) * full.steps[3],
                        (*full.shape[:3], last - low + 1), full.steps)  # fmt: skip
            kernel = turned[..., used[::-1]]  # the earliest input first
            made = self.conv(view, kernel, bias, groups, [1, 1], [dilations[0], by], [0] * 4)
            self.map(Map.COPY, target, made)
        return y

    def op_layernormalization(self, node: Node) -> View:
        """Rows of mean 0 and variance 1, scaled and shifted."""
        a = self.plain(self.get(node.inputs[0]))
        axis = self.axis(node.number("axis", -1), len(a.shape))
        n = math.prod(a.shape[axis:])
        scale = self.plain(self.get(node.inputs[1]))
        shift = np.zeros(n, np.float32)
        if node.input(2):
            shift = np.broadcast_to(self.needed(node.inputs[2]), a.shape[axis:]).ravel()
        if scale.shape != a.shape[axis:] or len([o for o in node.outputs if o]) != 1:
            raise Unsupported("another normalisation")
        end = self.constant(np.append(shift, np.float32(node.real("epsilon", 1e-5))))
        y = self.fresh(a.shape)
        made = self.emit(Code.NORM, ELEMENT * a.size)
        self._sizes(made, (a.size // n, n), (n, 1))
        self.uses(made, A, a)
        self.uses(made, B, scale)
        self.uses(made, C, end)
        self.uses(made, Y, y)
        return y

    def op_batchnormalization(self, node: Node) -> View:
        """A scale and a shift for every channel."""
        a = self.get(node.inputs[0])
        scale, shift, mean, variance = (self.needed(i).astype(np.float64) for i in node.inputs[1:5])
        if node.number("training_mode") or any(
            v.shape != (a.shape[1],) for v in (scale, shift, mean, variance)
        ):
            raise Unsupported("another normalisation")
        shape = (-1, *(1,) * (len(a.shape) - 2))
        with np.errstate(all="ignore"):
            factor = scale / np.sqrt(variance + node.real("epsilon", 1e-5))
            by, plus = (
                self.constant(v.astype(np.float32).reshape(shape))
                for v in (factor, shift - mean * factor)
            )
        y = self.map(Map.MULTIPLY, self.fresh(a.shape), a, by)
        return self.map(Map.ADD, self.fresh(a.shape), y, plus)

    def op_gru(self, node: Node) -> tuple[View, View]:
        """Gated recurrent unit, its reset gate before the product or after it."""
        y, last, made = self._recurrent(node, Code.GRU, 3, None)
        made.numbers[PARAMETERS + 4] = node.number("linear_before_reset")
        return y, last

    def op_lstm(self, node: Node) -> tuple[View, View, View]:
        """Long short-term memory without peepholes."""
        names = [node.input(6), node.input(7)]
        shape = self._shape_of_state(node)
        cell = self._start(names[0], shape) or self.constant(np.zeros(shape, np.float32))
        if node.number("input_forget") or names[1]:
            raise Unsupported("another recurrent unit")
        y, last, made = self._recurrent(node, Code.LSTM, 4, cell)
        end = self.fresh(shape)
        self.uses(made, PARAMETERS + 5, end)
        return y, last, end

    def _shape_of_state(self, node: Node) -> tuple[int, int, int]:
        ways = self.needed(node.inputs[1]).shape[0]
        return ways, self.get(node.inputs[0]).shape[1], node.number("hidden_size")

    def _start(self, name: str, shape: tuple[int, ...]) -> View | None:
        """A first state; None for zeros."""
        if not name:
            return None
        first, known = self.get(name), self.known(name)
        if first.shape != shape:
            raise Unsupported("a recurrent unit that does not fit")
        return None if known is not None and not known.any() else self.plain(first)

    def _recurrent(
        self, node: Node, code: Code, gates: int, cell: View | None
    ) -> tuple[View, View, Instruction]:
        """Outputs ``[steps, ways, rows, hidden]`` and last states ``[ways, rows, hidden]``."""
        a = self.get(node.inputs[0])
        weight, again = (self.needed(i) for i in node.inputs[1:3])
        names = [node.input(i) for i in (3, 4, 5)]
        way = node.texts.get("direction", "forward")
        ways, rows, size = shape = self._shape_of_state(node)
        wide = gates * size
        bias = self.needed(names[0]) if names[0] else np.zeros((ways, 2 * wide), np.float32)
        others = {"clip", "activation_alpha", "activation_beta", "layout"} & set(node.attributes)
        usual = ",".join((["Sigmoid", "Tanh", "Tanh"][: gates - 1]) * ways)
        if node.texts.get("activations", usual) != usual:
            raise Unsupported("another recurrent unit")
        if names[1] or any(node.attributes[o] for o in others):
            raise Unsupported("another recurrent unit")
        steps, depth = a.shape[0], a.shape[2]
        wanted = ((weight, (ways, wide, depth)), (again, (ways, wide, size)),
                  (bias, (ways, 2 * wide)))  # fmt: skip
        known_ways = {"forward": 1, "reverse": 1, "bidirectional": 2}
        if any(v.shape != w for v, w in wanted) or known_ways.get(way) != ways:
            raise Unsupported("a recurrent unit that does not fit")
        if a.steps[2] != 1 and depth > 1:
            a = self.copy(a)
        first = self._start(names[2], shape)
        packed = [
            np.concatenate([weight[d].T.ravel(), again[d].T.ravel(), bias[d].ravel()])
            for d in range(ways)
        ]
        weights = self.constant(np.concatenate(packed).astype(np.float32))
        y, last = self.fresh((steps, ways, rows, size)), self.fresh(shape)
        made = self.emit(code, ways * steps * rows * (depth + size) * wide)
        made.steps(SIZES, (steps, rows, depth, size))
        for i, value in enumerate((a.steps[0] if steps > 1 else 0, a.steps[1])):
            made.numbers[A_STEPS + i] = value
        for i, value in enumerate(y.steps[:3]):
            made.numbers[Y_STEPS + i] = value
        made.numbers[LENGTH] = 2 * wide + size
        made.numbers[EXTRA] = self.offsets(
            max(depth, size), (k * wide for k in range(max(depth, size)))
        )
        made.numbers[PARAMETERS], made.numbers[PARAMETERS + 1] = ways, int(way == "reverse")
        self.uses(made, A, a)
        self.uses(made, B, weights)
        for slot, view in ((C, first), (B_STEPS, cell)):
            if view is not None:
                self.uses(made, slot, view)
        self.uses(made, Y, y)
        self.uses(made, PARAMETERS + 2, last)
        return y, last, made


def _geometry(node: Node, spatial: int) -> tuple[list[int], list[int], list[int]]:
    """Strides, dilations and pads (all before, then all after) of a convolution."""
    if node.texts.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Unsupported("padding that fits itself")
    strides = list(node.numbers("strides")) or [1] * spatial
    dilations = list(node.numbers("dilations")) or [1] * spatial
    pads = list(node.numbers("pads")) or [0] * 2 * spatial
    if node.texts.get("auto_pad") == "VALID":
        pads = [0] * 2 * spatial
    if min(strides + dilations) < 1 or min(pads) < 0:
        raise Unsupported("another convolution")
    if len(strides) != spatial or len(dilations) != spatial or len(pads) != 2 * spatial:
        raise Unsupported("another convolution")
    return strides, dilations, pads
