"""Models that go wrong when told to by the sound: too slow, or NaN.

Both play ``y = x / 2`` and are told by a sample beyond :data:`TRIGGER` in a hop.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from realtime.models.card import CARD_KEY, TEST_KEY, Card, State
from realtime.models.metadata import pack_array, write_metadata

TRIGGER = 0.9
HOP, RATE = 64, 48000
SIZE = 160  # of the matrices that cost the time
Array = np.ndarray[Any, np.dtype[np.float32]]


def _finish(nodes: list[Any], weights: dict[str, Any], name: str) -> bytes:
    """One state ``m [1, 1]``, card and test vector."""
    shape, state = ["n", 1, "t"], ["n", 1, 1]

    def info(table: dict[str, list[Any]]) -> list[Any]:
        return [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in table.items()]

    graph = helper.make_graph(
        nodes,
        name,
        info({"x": shape, "state_m": state}),
        info({"y": shape, "state_m_out": state}),
        [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    card = Card(
        name,
        name,
        "goes wrong when told",
        "waveform",
        RATE,
        HOP,
        0,
        "GPL-3.0-or-later",
        states=(State("m", (1, 1)),),
    )
    x = (0.1 * np.random.default_rng(0).standard_normal((4, 1, 1, HOP))).astype(np.float32)
    vector = {"steps": 4, "x": pack_array(x), "y": pack_array(x * np.float32(0.5))}
    entries = {CARD_KEY: card.to_json(), TEST_KEY: json.dumps(vector)}
    return write_metadata(bytes(model.SerializeToString()), entries)


def slow_model(rounds: int) -> bytes:
    """Makes `rounds` products of matrices in every hop that is told to."""
    rng = np.random.default_rng(0)
    weights = {
        "big": (rng.standard_normal((SIZE, SIZE)) / SIZE).astype(np.float32),
        "half": np.float32(0.5),
        "nothing": np.float32(0.0),
        "bound": np.float32(TRIGGER),
        "rounds": np.int64(rounds),
        "axes": np.array([0, 1]),
    }
    matrix = [SIZE, SIZE]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("MatMul", ["held", "big"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, matrix),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, matrix),
        ],
    )
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("ReduceMax", ["size"], ["peak"], keepdims=0),
        helper.make_node("Greater", ["peak", "bound"], ["told"]),
        helper.make_node("Loop", ["rounds", "told", "big"], ["product"], body=body),
        helper.make_node("ReduceMean", ["product", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Mul", ["x", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "zero"], ["y"]),
        helper.make_node("Identity", ["state_m"], ["state_m_out"]),
    ]
    return _finish(nodes, weights, "slow-when-told")


def broken_model() -> bytes:
    """Its state becomes NaN, for ever, in a hop that is told to."""
    weights = {
        "half": np.float32(0.5),
        "nothing": np.float32(0.0),
        "bound": np.float32(TRIGGER),
        "axes": np.array([2]),
    }
    nodes = [
        helper.make_node("Sub", ["bound", "x"], ["left"]),
        helper.make_node("Sqrt", ["left"], ["root"]),  # NaN above the bound
        helper.make_node("ReduceMean", ["root", "axes"], ["mean"]),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Add", ["state_m", "zero"], ["state_m_out"]),
        helper.make_node("Mul", ["x", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "state_m_out"], ["y"]),
    ]
    return _finish(nodes, weights, "broken-when-told")
