"""Tapes against ONNX Runtime: every operation by itself, bundled networks as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from realtime.models.card import KINDS
from realtime.models.metadata import read_graph
from realtime.models.steppable import call
from realtime.models.streaming import StreamingModel, load_model
from realtime.models.tape.graph import TapeGraph
from realtime.proof.players import struck

from ..graphs import fir_model
from ..networks import controlled_model, gru_model, mask_model
from ..tapes import A, Array, Node, R, graph, normal, on_tape, one, truth, whole

CASES: dict[str, tuple[list[Node], Sequence[int], Sequence[int], dict[str, Array]]] = {
    **{
        kind.lower(): (one(kind), A, A, {})
        for kind in (
            "Neg", "Abs", "Exp", "Sin", "Cos", "Tanh", "Sigmoid", "Relu", "Floor", "Ceil", "Round",
            "Reciprocal", "Sign", "Identity", "LeakyRelu",
        )
    },
    "sqrt of squares": (
        [("Mul", ["x", "x"], ["s"], {}), ("Sqrt", ["s"], ["r"], {}), ("Log", ["r"], ["y"], {})],
        A, A, {},
    ),
    **{
        f"{kind.lower()} {'x'.join(map(str, c.shape))}": (one(kind, "c"), A, A, {"c": c})
        for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu")
        for c in (normal(3, 5), normal(5), normal(3, 1), normal(1))
    },
    **{
        kind.lower(): (truth(kind), A, A, {"c": normal(3, 1)})
        for kind in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")
    },
    "and or not": (
        [("Less", ["x", "c"], ["a"], {}), ("Greater", ["x", "d"], ["b"], {}),
         ("And", ["a", "b"], ["e"], {}), ("Or", ["e", "a"], ["f"], {}), ("Not", ["f"], ["g"], {}),
         ("Where", ["g", "x", "d"], ["y"], {})],
        A, A, {"c": normal(3, 1), "d": normal(5)},
    ),
    "pow 2": (one("Pow", "c"), A, A, {"c": np.float32(2.0)}),
    "pow 3": (one("Pow", "c"), A, A, {"c": np.float32(3.0)}),
    "fmod": (one("Mod", "c", fmod=1), A, A, {"c": normal(5)}),
    "clip": (one("Clip", "c", "d"), A, A, {"c": np.float32(-0.5), "d": np.float32(0.4)}),
    "clip above": (one("Clip", "", "d"), A, A, {"d": np.float32(0.4)}),
    "softmax": (one("Softmax", axis=1), A, A, {}),
    "whole numbers": (
        [("Mul", ["x", "c"], ["m"], {}), ("Cast", ["m"], ["i"], {"to": 7}),
         ("Div", ["i", "d"], ["q"], {}), ("Add", ["q", "i"], ["s"], {}),
         ("Cast", ["s"], ["y"], {"to": 1})],
        A, A, {"c": np.float32(40.0), "d": whole(7)},
    ),
    "a scalar with an axis": (
        [("Unsqueeze", ["s", "a"], ["u"], {}), ("Sub", ["v", "u"], ["w"], {}),
         ("Softmax", ["w"], ["p"], {"axis": 0}), ("Add", ["x", "p"], ["y"], {})],
        (1, 2), (1, 2), {"s": np.float32(2.0), "a": whole(0), "v": np.float32([3.0, 4.0])},
    ),
    "the largest of three constants": (
        [("Neg", ["m"], ["n"], {}), ("Max", ["a", "b", "n"], ["c"], {}),
         ("Add", ["x", "c"], ["y"], {})],
        A, A, {"a": np.float32(1.0), "b": np.float32(2.0), "m": np.float32(-9.0)},
    ),
    "a power of more axes": (
        one("Pow", "c"), (1, 3), (1, 1, 3), {"c": np.full((1, 1, 1), 2.0, np.float32)}
    ),
    "products of whole numbers": (
        [("Mul", ["x", "t"], ["m"], {}), ("Cast", ["m"], ["i"], {"to": 6}),
         ("MatMul", ["i", "w"], ["p"], {}), ("Div", ["p", "f"], ["q"], {}),
         ("Cast", ["q"], ["y"], {"to": 1})],
        (1, 3), (1, 2),
        {"t": np.float32(5.0), "w": R.integers(-9, 9, (3, 2), np.int32), "f": np.int32(4)},
    ),
    "whole numbers divided before": (
        [("Div", ["a", "b"], ["q"], {}), ("Cast", ["q"], ["f"], {"to": 1}),
         ("Add", ["x", "f"], ["y"], {})],
        (1, 4), (1, 4), {"a": whole(-7, 7, -7, (1 << 60) + 5), "b": whole(2, -2, -2, 1 << 58)},
    ),
    "half floats": (
        [("Cast", ["h"], ["f"], {"to": 1}), ("Add", ["x", "f"], ["y"], {})], A, A,
        {"h": np.array([1.5, -2.25, 0, 7, 9], np.float16)},
    ),
    "reshape": (one("Reshape", "c"), A, (1, 15), {"c": whole(-1, 15)}),
    "reshape of a transpose": (
        [("Transpose", ["x"], ["t"], {"perm": [0, 2, 1]}), ("Reshape", ["t", "c"], ["y"], {})],
        A, (1, 15), {"c": whole(-1, 15)},
    ),
    "shape, reshape": (
        [("Shape", ["x"], ["s"], {"start": 0, "end": 1}),
         ("Concat", ["s", "c"], ["d"], {"axis": 0}),
         ("Reshape", ["x", "d"], ["y"], {"allowzero": 1})],
        A, (1, 5, 3), {"c": whole(5, 3)},
    ),
    "transpose": (one("Transpose", perm=[0, 2, 1]), A, (1, 5, 3), {}),
    "flatten": (one("Flatten", axis=1), A, (1, 15), {}),
    "unsqueeze": (one("Unsqueeze", "c"), A, (1, 1, 3, 5, 1), {"c": whole(1, -1)}),
    "squeeze": (one("Squeeze", "c"), (1, 1, 4, 1), (1, 4), {"c": whole(1, 3)}),
    "expand": (one("Expand", "c"), (1, 3, 1), (1, 3, 4), {"c": whole(1, 3, 4)}),
    "tile": (one("Tile", "c"), A, (1, 6, 15), {"c": whole(1, 2, 3)}),
    "slice": (
        one("Slice", "b", "e", "a", "s"), (1, 4, 9), (1, 2, 3),
        {"b": whole(1, -8), "e": whole(3, 99), "a": whole(1, 2), "s": whole(1, 3)},
    ),
    "split": (
        [("Split", ["x"], ["a", "b", "c"], {"axis": 2, "num_outputs": 3}),
         ("Sub", ["a", "b"], ["y"], {})],
        (1, 2, 12), (1, 2, 4), {},
    ),
    "concat": (
        [("Neg", ["x"], ["n"], {}), ("Concat", ["n", "c", "x", "n"], ["y"], {"axis": 1})],
        A, (1, 11, 5), {"c": normal(1, 2, 5)},
    ),
    "concat in the last axis": (
        [("Neg", ["x"], ["n"], {}), ("Concat", ["n", "x"], ["y"], {"axis": -1})],
        A, (1, 3, 10), {},
    ),
    "a part that two hold": (
        [("Neg", ["x"], ["n"], {}), ("Concat", ["n", "x"], ["p"], {"axis": 1}),
         ("Concat", ["x", "n"], ["q"], {"axis": 1}), ("Add", ["p", "q"], ["y"], {})],
        A, (1, 6, 5), {},
    ),
    "pad": (one("Pad", "c", ""), A, (1, 6, 7), {"c": whole(0, 1, 2, 0, 2, 0)}),
    "pad of one axis": (
        one("Pad", "c", "", "a"), A, (1, 3, 8), {"c": whole(1, 2), "a": whole(2)}
    ),
    **{
        f"{kind.lower()} {axes}": (
            one(kind, "c", keepdims=1), (1, 4, 6, 5),
            tuple(1 if i in axes else n for i, n in enumerate((1, 4, 6, 5))), {"c": whole(*axes)},
        )
        for kind in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
        for axes in ((3,), (2,), (1,), (1, 3), (2, 3), (1, 2, 3))
    },
    "sum away": (one("ReduceSum", "c", keepdims=0), A, (1, 5), {"c": whole(1)}),
    "argmax": (
        [("ArgMax", ["x"], ["i"], {"axis": 2, "keepdims": 0}), ("Cast", ["i"], ["y"], {"to": 1})],
        (1, 6, 9), (1, 6), {},
    ),
    "cumsum": (one("CumSum", "c"), (1, 4, 5), (1, 4, 5), {"c": whole(1)}),
    "cumsum of what was": (one("CumSum", "c", exclusive=1), (1, 9), (1, 9), {"c": whole(1)}),
    "top": (
        [("TopK", ["x", "k"], ["v", "i"], {"axis": 1}), ("Cast", ["i"], ["f"], {"to": 1}),
         ("Add", ["v", "f"], ["y"], {})],
        (1, 9, 2), (1, 4, 2), {"k": whole(4)},
    ),
    "gather": (one("Gather", "c", axis=1), (1, 7, 3), (1, 4, 3), {"c": whole(3, 0, -1, 3)}),
    "gather evenly": (one("Gather", "c", axis=1), (1, 7, 3), (1, 3, 3), {"c": whole(1, 3, 5)}),
    "gather one": (one("Gather", "c", axis=1), (1, 7, 3), (1, 3), {"c": np.array(2)}),
    "gather a table": (one("Gather", "c", axis=2), (1, 2, 6), (1, 2, 2, 3),
                       {"c": whole(5, 1, 1, 0, 2, 4).reshape(2, 3)}),
    "gather what is computed": (
        [("ArgMax", ["x"], ["i"], {"axis": 1, "keepdims": 1}),
         ("Gather", ["w", "i"], ["g"], {"axis": 0}), ("Reshape", ["g", "c"], ["y"], {})],
        (1, 7), (1, 3), {"w": normal(7, 3), "c": whole(1, 3)},
    ),
    "gather elements": (
        [("TopK", ["x", "k"], ["v", "i"], {"axis": 1}),
         ("GatherElements", ["d", "i"], ["y"], {"axis": 1})],
        (1, 9), (1, 4), {"k": whole(4), "d": normal(1, 9)},
    ),
    "gather parts": (
        [("TopK", ["x", "k"], ["v", "i"], {"axis": 1}), ("Unsqueeze", ["i", "a"], ["j"], {}),
         ("GatherND", ["d", "j"], ["y"], {})],
        (1, 9), (1, 4, 2, 3), {"k": whole(4), "d": normal(9, 2, 3), "a": whole(2)},
    ),
    "gather known parts": (
        one("GatherND", "c"), (1, 4, 5), (1, 3, 5), {"c": whole(0, 1, 0, 3, 0, 2).reshape(1, 3, 2)},
    ),
    "matmul": (one("MatMul", "c"), (1, 3, 5), (1, 3, 37), {"c": normal(5, 37)}),
    "matmul of a row": (one("MatMul", "c"), (1, 70), (1, 131), {"c": normal(70, 131)}),
    "matmul of many": (one("MatMul", "c"), (1, 4, 3, 5), (1, 4, 3, 7), {"c": normal(4, 5, 7)}),
    "matmul from the left": (
        [("MatMul", ["c", "x"], ["y"], {})], (1, 5, 33), (1, 13, 33), {"c": normal(13, 5)}
    ),
    "matmul of a column": (one("MatMul", "c"), (1, 6, 5), (1, 6, 1), {"c": normal(5, 1)}),
    "matmul of a transpose": (
        [("Transpose", ["x"], ["t"], {"perm": [0, 2, 1]}), ("MatMul", ["x", "t"], ["y"], {})],
        (1, 6, 5), (1, 6, 6), {},
    ),
    "gemm": (
        one("Gemm", "w", "b", transB=1), (1, 9), (1, 21), {"w": normal(21, 9), "b": normal(21)}
    ),
    "gemm of a part": (
        [("Slice", ["x", "b", "e", "a", "s"], ["c"], {}), ("Gemm", ["x", "w", "c"], ["y"], {})],
        (1, 4), (1, 2),
        {"w": normal(4, 2), "b": whole(0), "e": whole(9), "a": whole(1), "s": whole(2)},
    ),
    "conv": (
        one("Conv", "w", "b", pads=[2, 1], strides=[1], dilations=[2]), (1, 3, 20), (1, 8, 19),
        {"w": normal(8, 3, 3), "b": normal(8)},
    ),
    "conv of stride 2": (
        one("Conv", "w", pads=[2, 2], strides=[2]), (1, 3, 33), (1, 4, 17), {"w": normal(4, 3, 5)}
    ),
    "conv of groups": (
        one("Conv", "w", "b", pads=[1, 1], group=2, strides=[2]), (1, 6, 20), (1, 8, 10),
        {"w": normal(8, 3, 3), "b": normal(8)},
    ),
    "conv of one answer": (
        one("Conv", "w", "b"), (1, 6, 5), (1, 9, 1), {"w": normal(9, 6, 5), "b": normal(9)}
    ),
    "conv over two": (
        one("Conv", "w", pads=[0, 1, 0, 1], group=4, dilations=[2, 1]), (1, 4, 5, 33),
        (1, 4, 1, 33), {"w": normal(4, 1, 3, 3)},
    ),
    "conv over two, strides": (
        one("Conv", "w", "b", pads=[1, 1, 0, 1], strides=[2, 2]), (1, 2, 7, 9), (1, 3, 3, 5),
        {"w": normal(3, 2, 3, 3), "b": normal(3)},
    ),
    **{
        f"conv transpose {stride} {taps} {groups}": (
            one("ConvTranspose", "w", "b", strides=[stride], pads=[1, 2], group=groups),
            (1, 4, 11), (1, 2 * groups, 10 * stride - 3 + taps),
            {"w": normal(4, 2, taps), "b": normal(2 * groups)},
        )
        for stride, taps, groups in ((1, 3, 1), (2, 5, 2), (3, 5, 1), (4, 4, 2))
    },
    "conv transpose over two, dilated": (
        one("ConvTranspose", "w", "b", strides=[1, 2], pads=[4, 1, 4, 1], dilations=[2, 1],
            group=2),
        (1, 4, 5, 9), (1, 6, 1, 17), {"w": normal(4, 3, 3, 3), "b": normal(6)},
    ),
    "conv transpose that grows": (
        one("ConvTranspose", "w", strides=[1, 3], pads=[0, 1, 1, 0], output_padding=[0, 2]),
        (1, 2, 3, 4), (1, 3, 4, 13), {"w": normal(2, 3, 3, 3)},
    ),
    "conv transpose over two": (
        one("ConvTranspose", "w", strides=[1, 2], pads=[0, 2, 0, 2]), (1, 4, 1, 33), (1, 3, 1, 65),
        {"w": normal(4, 3, 1, 5)},
    ),
    "layer norm": (
        one("LayerNormalization", "s", "b", axis=-2, epsilon=1e-3), (1, 2, 3, 5), (1, 2, 3, 5),
        {"s": normal(3, 5), "b": normal(3, 5)},
    ),
    "batch norm": (
        one("BatchNormalization", "s", "b", "m", "v", epsilon=1e-3), (1, 3, 2, 5), (1, 3, 2, 5),
        {"s": normal(3), "b": normal(3), "m": normal(3), "v": normal(3) ** 2},
    ),
    "a part put in": (
        [("ScatterND", ["w", "i", "x"], ["y"], {})], (1, 3, 2), (1, 6, 2),
        {"w": normal(1, 6, 2), "i": whole(0, 1, 0, 3, 0, 5).reshape(1, 3, 2)},
    ),
    "rows put in": (
        [("Neg", ["x"], ["n"], {}), ("ScatterND", ["n", "i", "w"], ["m"], {}),
         ("Concat", ["m", "x"], ["y"], {"axis": 1})],
        (1, 6, 2), (1, 12, 2),
        {"w": normal(1, 2, 2), "i": whole(0, 4, 0, -1).reshape(1, 2, 2)},
    ),
    **{
        f"lstm {way} {given}": (
            [("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
             ("LSTM", ["t", "w", "r", "b", "", *states], ["g", "l", "e"],
              {"hidden_size": 6, "direction": way,
               "activations": ["Sigmoid", "Tanh", "Tanh"] * ways}),
             ("Transpose", ["g"], ["u"], {"perm": [2, 0, 1, 3]}),
             ("Add", ["l", "e"], ["s"], {}), ("ReduceMean", ["s", "a"], ["m"], {"keepdims": 0}),
             ("Add", ["u", "m"], ["y"], {})],
            (1, 7, 5), (1, 7, ways, 6),
            {"w": normal(ways, 24, 5), "r": normal(ways, 24, 6), "b": normal(ways, 48),
             "h": normal(ways, 1, 6), "c": normal(ways, 1, 6), "a": whole(0)},
        )
        for way, ways in (("forward", 1), ("reverse", 1), ("bidirectional", 2))
        for given, states in (("from zeros", []), ("from states", ["h", "c"]))
    },
    **{
        f"gru {way} {linear}": (
            [("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}),
             ("GRU", ["t", "w", "r", "b", "", "h"], ["g", "l"],
              {"hidden_size": 6, "linear_before_reset": linear, "direction": way}),
             ("Transpose", ["g"], ["u"], {"perm": [2, 0, 1, 3]}),
             ("ReduceMean", ["l", "a"], ["m"], {"keepdims": 0}),
             ("Add", ["u", "m"], ["y"], {})],
            (1, 7, 5), (1, 7, ways, 6),
            {"w": normal(ways, 18, 5), "r": normal(ways, 18, 6), "b": normal(ways, 36),
             "h": normal(ways, 1, 6), "a": whole(0)},
        )
        for way, ways in (("forward", 1), ("reverse", 1), ("bidirectional", 2))
        for linear in (0, 1)
    },
}  # fmt: skip


OLD: dict[str, tuple[list[Node], Sequence[int], Sequence[int]]] = {
    "unsqueeze": (one("Unsqueeze", axes=[1, -1]), A, (1, 1, 3, 5, 1)),
    "squeeze": (one("Squeeze", axes=[2]), (1, 4, 1, 3), (1, 4, 3)),
    "split": (
        [("Split", ["x"], ["a", "b"], {"axis": 1, "split": [1, 5]}),
         ("Add", ["a", "b"], ["y"], {})],
        (1, 6), (1, 5),
    ),
    "sum": (one("ReduceSum", axes=[1], keepdims=0), A, (1, 5)),
    "softmax of the last axis": (one("Softmax", axis=2), A, A),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_an_older_set_of_operations_is_onnx_runtimes(name: str) -> None:
    nodes, shape, out = OLD[name]
    model = graph(nodes, shape, out, opset=11)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = normal(*shape)
    assert on_tape(model, shape, out)(x) == pytest.approx(session.run(None, {"x": x})[0], rel=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_an_operation_is_onnx_runtimes(name: str) -> None:
    nodes, shape, out, constants = CASES[name]
    model = graph(nodes, shape, out, **constants)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    play = on_tape(model, shape, out)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        expected = session.run(None, {"x": x})[0]
        assert play(x) == pytest.approx(expected, rel=3e-6, abs=3e-6)


def test_a_graph_that_scans_its_channels_plays_its_body() -> None:
    """As imports of other makes are wrapped: the body knows one channel and no batch."""

    def info(name: str, *shape: Any) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    body = helper.make_graph(
        [
            helper.make_node("Mul", ["own_x", "half"], ["scaled"]),
            helper.make_node("Add", ["scaled", "own_a"], ["own_y"]),
            helper.make_node("Identity", ["own_y"], ["own_a_out"]),
        ],
        "channel",
        [info("own_x", 1, 4), info("own_a", 1, 4)],
        [info("own_y", 1, 4), info("own_a_out", 1, 4)],
        [numpy_helper.from_array(np.array(0.5, np.float32), "half")],
    )
    ins, outs = ["x", "state_a"], ["y", "state_a_out"]
    scan = helper.make_node("Scan", ins, outs, body=body, num_scan_inputs=2)
    whole_graph = helper.make_graph(
        [scan], "g", [info(n, "n", 1, 4) for n in ins], [info(n, "n", 1, 4) for n in outs]
    )
    data = helper.make_model(
        whole_graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=10
    ).SerializeToString()
    tape = TapeGraph(data)
    x, y = normal(2, 1, 4), np.zeros((2, 1, 4), np.float32)
    begin = np.repeat(normal(1, 1, 4), 2, axis=0)
    tape.bind({"x": x}, {"y": y}, {"state_a": ("state_a_out", begin)})
    state = tape.initial["state_a"].copy()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    record = int(tape.record.ctypes.data)
    call(tape.reset_address, record)
    for _ in range(3):
        x[...] = normal(2, 1, 4)
        assert call(tape.step_address, record) == 0
        expected, state = session.run(None, {"x": x, "state_a": state})
        assert np.array_equal(y, expected)


def test_an_attribute_whose_name_comes_last_is_read() -> None:
    model = graph(one("Identity", direction="reverse"), A, A)
    name, text, kind = b"\x0a\x09direction", b"\x22\x07reverse", b"\xa0\x01\x03"
    assert name + text + kind in model
    node = read_graph(model.replace(name + text + kind, text + kind + name)).nodes[0]
    assert node.texts == {"direction": "reverse"}


def test_what_is_chosen_is_chosen_once() -> None:
    nodes: list[Node] = [
        ("TopK", ["x", "k"], ["v", "i"], {"axis": 1}), ("Cast", ["i"], ["y"], {"to": 1})
    ]  # fmt: skip
    play = on_tape(graph(nodes, (1, 4), (1, 3), k=whole(3)), (1, 4), (1, 3))
    assert play(np.array([[5, -np.inf, -np.inf, -np.inf]], np.float32)).tolist() == [[0, 1, 2]]


def test_a_number_that_is_none_stays_none() -> None:
    for kind in ("Tanh", "Sigmoid", "Exp", "Log", "Sin", "Relu", "Neg"):
        play = on_tape(graph(one(kind), A, A), A, A)
        assert np.isnan(play(np.full(A, np.nan, np.float32))).all(), kind
    for kind in ("Max", "Min"):
        for given in (["x", "c"], ["c", "x"]):
            play = on_tape(graph([(kind, given, ["y"], {})], A, A, c=normal(5)), A, A)
            assert np.isnan(play(np.full(A, np.nan, np.float32))).all(), (kind, given)


def steps_of(model: StreamingModel, count: int) -> Array:
    if model.card.kind == "player":
        return struck(model.card, count, 3)
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, *model.x.shape)).astype(np.float32) * np.float32(0.2)


BUNDLED = sorted((Path(__file__).parents[2] / "exported").glob("*.onnx"))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda p: p.stem)
def test_a_bundled_network_sounds_as_onnx_runtime_plays_it(path: Path) -> None:
    tape, runtime = (load_model(path, kinds=KINDS, tape=t) for t in (True, False))
    # the tagger's Fourier transform is no operation of a tape
    assert tape.on_tape == (path.stem != "tagger") and not runtime.on_tape
    assert tape.on_tape or tape.off_tape == "operation DFT"
    x = steps_of(tape, 300)
    got, expected = (np.stack([m.step(s) for s in x]) for m in (tape, runtime))
    assert got == pytest.approx(expected, rel=1e-5, abs=3e-5 * float(np.abs(expected).max()))


MODELS = {
    "fir": lambda: fir_model(normal(33)), "gru": gru_model, "mask": mask_model,
    "controls": controlled_model,
}  # fmt: skip


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_states_are_carried_as_onnx_runtime_carries_them(name: str, channels: int) -> None:
    data = MODELS[name]()
    tape, runtime = (load_model(data, channels, tape=t) for t in (True, False))
    assert tape.on_tape and not runtime.on_tape
    for x in steps_of(tape, 50):
        assert tape.step(x) == pytest.approx(runtime.step(x), rel=1e-5, abs=1e-5)
    for key, value in runtime.states().items():
        assert tape.states()[key] == pytest.approx(value, rel=1e-5, abs=1e-5)
