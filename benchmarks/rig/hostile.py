"""Models that would take the memory, the time or the files of whoever opens them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from realtime.models.card import CARD_KEY, TEST_KEY, Card
from realtime.models.metadata import pack_array, write_metadata

HOP = 64
CARD = Card("evil", "e", "s", "waveform", 48000, HOP, 0, "x")


def sealed(graph: Any, functions: list[Any] | None = None, steps: int = 2) -> bytes:
    """The graph with a card and a test vector of silence."""
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    model = helper.make_model(
        graph, opset_imports=imports, ir_version=10, functions=functions or []
    )
    silence = pack_array(np.zeros((steps, *CARD.step_shape(1)), dtype=np.float32))
    vector = {"steps": steps, "x": silence, "y": silence}
    entries = {CARD_KEY: CARD.to_json(), TEST_KEY: json.dumps(vector)}
    return write_metadata(model.SerializeToString(), entries)


def graph_of(nodes: list[Any], weights: dict[str, Any] | None = None) -> Any:
    """A graph from sound ``x`` to sound ``y``; `weights` are its initializers."""
    shape = ["batch", 1, "time"]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
    kept = [numpy_helper.from_array(np.asarray(v), k) for k, v in (weights or {}).items()]
    return helper.make_graph(nodes, "g", ends[:1], ends[1:], kept)


def _loop(turns: str, source: str, result: str, nodes: list[Any], depth: int = 0) -> Any:
    """A loop that carries one value, ``in<depth>`` to ``out<depth>`` inside."""
    info, d = helper.make_tensor_value_info, depth
    body = helper.make_graph(
        [helper.make_node("Identity", [f"go{d}"], [f"go_on{d}"]), *nodes],
        f"body{d}",
        [
            info(f"i{d}", TensorProto.INT64, []),
            info(f"go{d}", TensorProto.BOOL, []),
            info(f"in{d}", TensorProto.FLOAT, None),
        ],
        [info(f"go_on{d}", TensorProto.BOOL, []), info(f"out{d}", TensorProto.FLOAT, None)],
    )
    return helper.make_node("Loop", [turns, "true", source], [result], body=body)


SINE = helper.make_node("Sin", ["in0"], ["out0"])


def loop(turns: int) -> bytes:
    """A loop of so many turns."""
    node = _loop("turns", "x", "y", [SINE])
    return sealed(graph_of([node], {"turns": np.int64(turns), "true": np.bool_(True)}))


def loop_by_input() -> bytes:
    """How often it runs is made of the sound."""
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Exp", ["most"], ["grown"]),
        helper.make_node("Cast", ["grown"], ["turns"], to=TensorProto.INT64),
        _loop("turns", "x", "y", [SINE]),
    ]
    return sealed(graph_of(nodes, {"true": np.bool_(True)}))


def nested_loops() -> bytes:
    """Three loops in each other, each of as many turns as one may have."""
    nodes = [SINE]
    for d in range(2):
        turns = numpy_helper.from_array(np.int64(4096))
        nodes = [
            helper.make_node("Constant", [], [f"n{d}"], value=turns),
            _loop(f"n{d}", f"in{d + 1}", f"out{d + 1}", nodes, d),
        ]
    node = _loop("turns", "x", "y", nodes, 2)
    return sealed(graph_of([node], {"turns": np.int64(4096), "true": np.bool_(True)}))


def big_constant() -> bytes:
    """Two thousand million zeros made of one number."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return sealed(graph_of(nodes, {"shape": np.array([2_000_000_000], dtype=np.int64)}))


def big_range() -> bytes:
    """Four thousand million numbers counted up."""
    nodes = [
        helper.make_node("Range", ["low", "high", "step"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    return sealed(
        graph_of(nodes, {"low": np.float32(0), "high": np.float32(4e9), "step": np.float32(1)})
    )


def big_expand() -> bytes:
    """The sound a hundred million times."""
    nodes = [
        helper.make_node("Expand", ["x", "shape"], ["many"]),
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    weights = {
        "shape": np.array([100_000_000, 1, 1, 1], dtype=np.int64),
    }
    return sealed(graph_of(nodes, weights))


def functions_in_functions() -> bytes:
    """Each of ten functions calls the one before it ten times."""
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    made = [
        helper.make_function(
            "own", "f0", ["a"], ["b"], [helper.make_node("Sin", ["a"], ["b"])], imports
        )
    ]
    for k in range(1, 10):
        calls = [
            helper.make_node(f"f{k - 1}", [f"v{i}"], [f"v{i + 1}"], domain="own") for i in range(10)
        ]
        made.append(helper.make_function("own", f"f{k}", ["v0"], ["v10"], calls, imports))
    return sealed(graph_of([helper.make_node("f9", ["x"], ["y"], domain="own")]), made)


def weights_elsewhere() -> bytes:
    """Weights that name another file of the machine."""
    graph = graph_of([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.zeros(1, np.float32)})
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "/etc/passwd"), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)
    return sealed(graph)


def long_vector() -> bytes:
    """A test vector that claims a million steps."""
    data = sealed(graph_of([helper.make_node("Identity", ["x"], ["y"])]))
    vector = {"steps": 10**6, "x": "", "y": ""}
    return write_metadata(data, {TEST_KEY: json.dumps(vector)})


def deep_card() -> bytes:
    """A card nested 100,000 deep."""
    data = sealed(graph_of([helper.make_node("Identity", ["x"], ["y"])]))
    return write_metadata(data, {CARD_KEY: "[" * 100_000 + "]" * 100_000})


def card_of(**changes: Any) -> Callable[[], bytes]:
    """A harmless graph whose card has these fields."""

    def made() -> bytes:
        data = sealed(graph_of([helper.make_node("Identity", ["x"], ["y"])]))
        return write_metadata(data, {CARD_KEY: json.dumps({**CARD.to_dict(), **changes})})

    return made


def harmless() -> bytes:
    """A model that passes what it hears."""
    return sealed(graph_of([helper.make_node("Identity", ["x"], ["y"])]))


def sparse(path: Path, size: int) -> Path:
    """A file that claims much and holds nothing."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


STATE = [{"name": "s", "shape": [1 << 40]}]
KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "loop without end": (lambda: loop(1 << 62), "turns"),
    "loop by input": (loop_by_input, "does not say how often"),
    "nested loops": (nested_loops, "of a processor"),
    "big constant": (big_constant, "needs more than 1024 MiB"),
    "big range": (big_range, "needs more than 1024 MiB"),
    "big expand": (big_expand, "needs more than 1024 MiB"),
    "functions in functions": (functions_in_functions, "of a processor|memory|cannot be opened"),
    "weights elsewhere": (weights_elsewhere, "another file"),
    "long test vector": (long_vector, "1..1024"),
    "deep card": (deep_card, "nested too deeply"),
    "hop of 2^31": (card_of(hop_length=1 << 31), "hop_length is at most"),
    "state of 2^40": (card_of(states=STATE), "states hold"),
    "rate of 1 Hz": (card_of(sample_rate=1), "sample_rate must be within"),
    "summary is a number": (card_of(summary=1.5), "summary must be text"),
    "name is an object": (card_of(name={"a": 1}), "name must be text"),
    "sets is a list": (card_of(metrics={"sets": []}), "sets must be an object"),
}
