"""What the helper looks at in a model or a capture before anything that plays opens it.

Nothing a graph computes is bounded by its size: a loop may run for ever and a shape may be made of
a number.  So its nodes are counted, loops must say how often they run, and it is run for a moment,
on sounds that differ, under the limits of the process.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..models import ort
from ..models.card import KINDS
from ..models.load import open_model
from ..models.metadata import read_metadata
from ..models.nam.build import variants
from ..models.nam.convert import CAPTURE_KEY, make_player
from ..models.nam.file import from_data
from ..models.steppable import Steppable
from ..models.streaming import StreamingModel
from ..models.tape import kernel as tape

MOST_NODES = 50_000  # of a graph, with those inside nodes and functions
MOST_TURNS = 4096  # of a loop
DEEPEST = 16  # graphs within graphs
_TINY = (  # architecture, configuration, number of weights
    ("LSTM", {"input_size": 1, "hidden_size": 2, "num_layers": 1}, 39),
    (
        "WaveNet",
        {
            "layers": [
                {
                    "input_size": 1,
                    "condition_size": 1,
                    "head_size": 1,
                    "channels": 2,
                    "kernel_size": 2,
                    "dilations": [1, 2],
                    "activation": "Tanh",
                    "gated": False,
                    "head_bias": False,
                }
            ],
            "head": None,
            "head_scale": 0.02,
        },
        41,
    ),
)
HOPS = 24  # played of each sound


def prepare() -> None:
    """Have compiled what every look needs, before there are limits."""
    importlib.import_module("onnx")
    for functions in (ort, tape):
        functions.step_function(), functions.reset_function()


@cache
def prepare_captures() -> None:
    """Have compiled what captures need."""
    for architecture, config, weights in _TINY:
        data = {"version": "0.5.4", "architecture": architecture, "config": config}
        tiny = variants(from_data({**data, "weights": [0.1] * weights}))[0]
        _play(make_player(tiny, "tiny", 1))


def model(path: Path, data: bytes, proved: bool = True) -> None:
    """Open an ``.onnx`` file and play it for a moment.

    Parameters
    ----------
    proved : bool
        See :class:`realtime.models.streaming.StreamingModel`.

    Raises
    ------
    ModelError, CardError
    """
    metadata = read_metadata(data)
    _check_graph(data, path.name)
    if CAPTURE_KEY in metadata:
        _play(open_model(path))
        return
    _play(StreamingModel(data, 1, path.name, KINDS, proved))


def capture(path: Path) -> None:
    """Open a ``.nam`` file and play it for a moment.

    Raises
    ------
    ModelError
    """
    _play(open_model(path))


def _play(played: Steppable | StreamingModel) -> None:
    """A moment of silence, noise and a full-scale square, every control at both ends.

    What fails or gives NaN passes: a path conceals that.  What takes for ever does not come back.
    """
    ends = np.array([[c.minimum, c.maximum] for c in played.card.controls]).reshape(-1, 2)
    try:
        for k, sound in enumerate(_sounds(played.x.shape)):
            if ends.size:
                played.controls.reshape(-1)[: len(ends)] = ends[:, k % 2]
            with suppress(ModelError):
                for block in sound:
                    played.step(block)
    finally:
        played.close()


def _sounds(shape: tuple[int, ...]) -> Iterator[npt.NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    yield np.zeros((HOPS, *shape), dtype=np.float32)
    yield rng.standard_normal((HOPS, *shape)).astype(np.float32)
    yield np.sign(rng.standard_normal((HOPS, *shape))).astype(np.float32)


def _check_graph(data: bytes, name: str) -> None:
    """Count nodes, look for files beside the file and for loops without a number.

    Raises
    ------
    ModelError
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        found = onnx.ModelProto.FromString(data)
    except DecodeError:
        raise ModelError(f"{name}: the graph cannot be read: it is damaged or not ONNX") from None
    graphs = [(found.graph, 0)]
    nodes = [(node, 0) for function in found.functions for node in function.node]
    count = len(nodes)
    for node, depth in nodes:
        graphs += _inner(node, depth)
    while graphs:
        graph, depth = graphs.pop()
        count += len(graph.node)
        if count > MOST_NODES or depth > DEEPEST:
            raise ModelError(
                f"{name} has more than {MOST_NODES} nodes, or graphs more than {DEEPEST} deep;"
                " no model that plays in real time has"
            )
        if any(t.data_location == t.EXTERNAL for t in graph.initializer):
            raise ModelError(f"{name} keeps weights in another file; export it again as one file")
        known = {t.name: t for t in graph.initializer}
        known |= {n.output[0]: n.attribute[0].t for n in graph.node if _is_constant(n)}
        for node in graph.node:
            graphs += _inner(node, depth)
            if node.op_type == "Loop":
                _check_loop(node, known, name)
    if any(node.op_type == "Loop" for node, _ in nodes):
        raise ModelError(f"{name} has a loop inside a function; export it without")


def _inner(node: Any, depth: int) -> list[tuple[Any, int]]:
    found = [a.g for a in node.attribute if a.HasField("g")]
    return [(g, depth + 1) for g in (*found, *(g for a in node.attribute for g in a.graphs))]


def _is_constant(node: Any) -> bool:
    return node.op_type == "Constant" and len(node.attribute) == 1 and len(node.output) == 1


def _check_loop(node: Any, known: dict[str, Any], name: str) -> None:
    from onnx import numpy_helper

    turns = known.get(node.input[0]) if node.input else None
    most = None
    if turns is not None and sum(turns.dims) <= 1:
        most = int(numpy_helper.to_array(turns).reshape(-1)[0])
    if most is None or most > MOST_TURNS:
        said = "a loop that does not say how often it runs" if most is None else f"{most} turns"
        raise ModelError(
            f"{name} has {said}; a loop has a fixed number of at most {MOST_TURNS} turns"
        )
