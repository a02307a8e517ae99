"""Graphs that no tape plays: unknown, senseless or endless ones; indices that leave their array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import helper

from realtime.models.tape.memory import Unsupported

from ..tapes import A, Array, Node, graph, normal, on_tape, one, whole


@pytest.mark.parametrize(
    ("kind", "given"), [("RNN", ["w", "r"]), ("DFT", []), ("Gelu", []), ("Loop", [])]
)
def test_what_a_tape_does_not_know_it_leaves(kind: str, given: list[str]) -> None:
    model = graph(one(kind, *given), (1, 4, 4), (1, 4, 4), w=normal(1, 16, 4), r=normal(1, 16, 4))
    with pytest.raises(Unsupported):
        on_tape(model, (1, 4, 4), (1, 4, 4))


@pytest.mark.parametrize("number", [9.0, -9.0, 1e20, -1e20, np.nan, np.inf])
def test_an_index_out_of_its_axis_reads_no_other_memory(number: float) -> None:
    nodes: list[Node] = [
        ("Cast", ["x"], ["i"], {"to": 7}), ("Gather", ["w", "i"], ["a"], {"axis": 0}),
        ("Unsqueeze", ["i", "c"], ["j"], {}), ("GatherND", ["w", "j"], ["b"], {}),
        ("Add", ["a", "b"], ["y"], {}),
    ]  # fmt: skip
    table = np.arange(1, 5, dtype=np.float32)
    play = on_tape(graph(nodes, (1, 3), (1, 3), w=table, c=whole(2)), (1, 3), (1, 3))
    y = play(np.full((1, 3), number, np.float32), fails=True)
    assert set((y / 2).ravel()) <= set(table)
    assert play(np.array([[0, -4, 3]], np.float32)).tolist() == [[2.0, 2.0, 8.0]]


@pytest.mark.parametrize("count", [1 << 40, 1 << 25])
def test_arrays_too_large_are_left_to_onnx_runtime(count: int) -> None:
    nodes: list[Node] = [
        ("Expand", ["x", "c"], ["e"], {}), ("ReduceSum", ["e", "a"], ["y"], {"keepdims": 1})
    ]  # fmt: skip
    model = graph(nodes, (1, 1), (1, 1), c=whole(1, count), a=whole(1))
    with pytest.raises(Unsupported):
        on_tape(model, (1, 1), (1, 1))


E, F = normal(1, 1), np.zeros
HOSTILE: dict[str, tuple[list[Node], Sequence[int], Sequence[int], dict[str, Array]]] = {
    "a size beyond 64 bits": (
        [("Reshape", ["x", "c"], ["r"], {}), ("Slice", ["r", "b", "e"], ["s"], {}),
         ("Reshape", ["s", "o"], ["y"], {})],
        (1, 2), (1, 1),
        {"c": whole(3, 6148914691236517206), "b": whole(0, 1100), "e": whole(1, 1101),
         "o": whole(1, 1)},
    ),
    "a gathered view beyond 64 bits": (
        [("Unsqueeze", ["x", "a"], ["u"], {}), ("Gather", ["u", "f"], ["v"], {"axis": 0}),
         ("Gather", ["v", "g"], ["w"], {"axis": 2}), ("ReduceSum", ["w"], ["y"], {})],
        (1, 3), (1, 1), {"a": whole(2), "f": F(3785993, np.int64), "g": F(1764119, np.int64)},
    ),
    "parts of other sizes": (
        [("Expand", ["x", "c"], ["e"], {}), ("Concat", ["x", "e"], ["y"], {"axis": 2})],
        (1, 1, 1), (1, 1, 2), {"c": whole(1, 1000000, 1)},
    ),
    "tiles of less than nothing": (
        [("Tile", ["x", "c"], ["t"], {}), ("Expand", ["x", "d"], ["e"], {}),
         ("Concat", ["e", "t"], ["y"], {"axis": 1})],
        (1, 1), (1, 6), {"c": whole(-1, -4090), "d": whole(1, 4096)},
    ),
    "a name of two things": (
        [("Neg", ["x"], ["i"], {}), ("Reshape", ["i", "c"], ["d"], {}),
         ("GatherND", ["d", "i"], ["y"], {})],
        (1, 1, 1), (1, 1), {"i": whole(9000000, 1), "c": whole(1, 1)},
    ),
    "gates that do not fit": (
        [("GRU", ["x", "w", "r"], ["y"], {"hidden_size": 600, "linear_before_reset": 1})],
        (1, 1, 1), (1, 1, 1, 600), {"w": normal(1, 3, 1), "r": normal(1, 3, 1)},
    ),
    "fewer biases": (
        one("Conv", "w", "b"), (1, 1, 4), (1, 64, 4), {"w": normal(64, 1, 1), "b": E[0]}
    ),
    "fewer biases of a transpose": (
        one("ConvTranspose", "w", "b"), (1, 1, 4), (1, 64, 4), {"w": normal(1, 64, 1), "b": E[0]}
    ),
    "dilated backwards": (
        one("Conv", "w", dilations=[-100]), (1, 1, 8), (1, 1, 108), {"w": normal(1, 1, 2)}
    ),
    "strides backwards": (
        one("Conv", "w", strides=[-1]), (1, 1, 1), (1, 1, 400), {"w": normal(1, 1, 400)}
    ),
    "an axis twice": (one("ReduceSum", "c", keepdims=1), (1, 3, 2), (1, 1, 2), {"c": whole(1, 1)}),
    "an axis that is not there": (one("ReduceSum", "c"), (1, 3, 2), (1, 3, 1), {"c": whole(5)}),
    "a sum of nothing": (
        [("Expand", ["x", "c"], ["e"], {}), ("ReduceMax", ["e", "a"], ["y"], {"keepdims": 1})],
        (1, 1), (1, 1), {"c": whole(1, 0), "a": whole(1)},
    ),
    "an empty table": (
        [("Cast", ["x"], ["i"], {"to": 7}), ("Gather", ["t", "i"], ["y"], {"axis": 0})],
        (1, 1), (1, 1, 4), {"t": F((0, 4), np.float32)},
    ),
    "constants that double": (
        [("Concat", [f"c{k}"] * 2, [f"c{k + 1}"], {"axis": 0}) for k in range(40)]
        + [("Add", ["x", "c40"], ["y"], {})],
        (1, 1), (1, 1), {"c0": normal(4096)},
    ),
    "a large table of constants": (
        [("Add", ["c", "d"], ["e"], {}), ("ReduceMax", ["e"], ["f"], {}),
         ("Add", ["x", "f"], ["y"], {})],
        (1, 1), (1, 1), {"c": F((131072, 1), np.float32), "d": F((1, 131072), np.float32)},
    ),
    "the largest of everything": (
        [("Expand", ["x", "c"], ["e"], {}), ("TopK", ["e", "k"], ["y", "i"], {"axis": 1})],
        (1, 1), (1, 131072), {"c": whole(1, 131072), "k": whole(131072)},
    ),
    "a shape of a million numbers": (
        [("ConstantOfShape", ["n"], ["c"], {"value": helper.make_tensor("v", 7, [1], [2])}),
         ("Reshape", ["x", "c"], ["y"], {})],
        (1, 2), (1, 2), {"n": whole(1 << 20)},
    ),
    "normalised again and again": (
        [("Expand", ["x", "c"], ["e0"], {})]
        + [("LayerNormalization", [f"e{k}", "s"], [f"e{k + 1}"], {}) for k in range(60)]
        + [("ReduceMax", ["e60"], ["y"], {})],
        (1, 1, 1), (1, 1, 1), {"c": whole(1, 1 << 20, 1), "s": np.ones(1, np.float32)},
    ),
    "constants that expand": (
        [("Expand", ["c", "s"], [f"e{k}"], {}) for k in range(9)]
        + [("Gather", ["e8", "i"], ["g"], {}), ("Add", ["x", "g"], ["y"], {})],
        (1, 1), (1, 1), {"c": normal(1), "s": whole(1 << 23), "i": whole(0)},
    ),
    "a sum over other scales": (
        one("LayerNormalization", "s", axis=1), (1, 2, 3), (1, 2, 3), {"s": normal(3, 2)}
    ),
    "a slice of one axis twice": (
        one("Slice", "b", "e", "a"), (1, 5), (1, 1), {"b": whole(1, 1), "e": whole(4, 3),
                                                      "a": whole(1, 1)},
    ),
    "a whole number float32 does not know": (
        [("Cast", ["x"], ["i"], {"to": 7}), ("Add", ["i", "c"], ["s"], {}),
         ("Sub", ["s", "c"], ["d"], {}), ("Cast", ["d"], ["y"], {"to": 1})],
        (1, 3), (1, 3), {"c": whole(1 << 30)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_graph_that_makes_no_sense_or_takes_for_ever_is_left(name: str) -> None:
    nodes, shape, out, constants = HOSTILE[name]
    with pytest.raises(Unsupported):
        on_tape(graph(nodes, shape, out, **constants), shape, out)


def test_what_an_older_set_of_operations_means_otherwise_is_left() -> None:
    for nodes, opset in ((one("Softmax"), 11), (one("Relu"), 10)):
        with pytest.raises(Unsupported, match="softmax|older"):
            on_tape(graph(nodes, A, A, opset=opset), A, A)
