"""Small graphs of operations from ``x`` to ``y``, and tapes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from realtime.models.steppable import call
from realtime.models.tape.graph import TapeGraph

Array = np.ndarray[Any, Any]
Node = tuple[str, Sequence[str], Sequence[str], dict[str, Any]]
R = np.random.default_rng(3)


def normal(*shape: int) -> Array:
    return R.standard_normal(shape).astype(np.float32)


def whole(*numbers: int) -> Array:
    return np.array(numbers, dtype=np.int64)


def graph(
    nodes: list[Node],
    shape: Sequence[int],
    out: Sequence[int],
    opset: int = 20,
    **constants: Array,
) -> bytes:
    """A graph from ``x`` to ``y``."""
    made = [helper.make_node(kind, list(i), list(o), **a) for kind, i, o, a in nodes]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
        for name, size in (("x", ["n", *shape[1:]]), ("y", ["n", *out[1:]]))
    ]
    kept = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    body = helper.make_graph(made, "g", ends[:1], ends[1:], kept)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return bytes(model.SerializeToString())


def on_tape(model: bytes, shape: Sequence[int], out: Sequence[int]) -> Any:
    """A function from ``x`` to ``y``."""
    tape = TapeGraph(model)
    x, y = np.zeros(shape, np.float32), np.full(out, np.nan, np.float32)
    tape.bind({"x": x}, {"y": y}, {})
    record = int(tape.record.ctypes.data)
    call(tape.reset_address, record)

    def play(given: Array, fails: bool = False) -> Array:
        x[...] = given
        assert call(tape.step_address, record) == fails and tape is not None
        return y.copy()

    return play


def one(kind: str, *more: str, **attributes: Any) -> list[Node]:
    return [(kind, ["x", *more], ["y"], attributes)]


def truth(kind: str) -> list[Node]:
    return [(kind, ["x", "c"], ["t"], {}), ("Cast", ["t"], ["y"], {"to": 1})]


A = (1, 3, 5)
