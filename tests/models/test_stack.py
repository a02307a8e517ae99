"""Small causal networks in the kernel of captures, against their graphs in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from realtime.errors import ModelError
from realtime.models.card import CARD_KEY, STATE_KEY, from_json
from realtime.models.catalog import find_model
from realtime.models.load import open_model, plays_in_kernel
from realtime.models.metadata import pack_array, read_metadata
from realtime.models.nam.convert import null_db
from realtime.models.stack import StackPlayer, open_stack, read_program
from realtime.models.streaming import StreamingModel

IN_KERNEL = ("tube-amp", "tape", "radio-voice")
HOPS = 120


def noise(channels: int, hops: int = HOPS) -> np.ndarray:
    rng = np.random.default_rng(channels)
    return (0.3 * rng.standard_normal((hops, channels, 1, 64))).astype(np.float32)


def graph(name: str) -> Any:
    return onnx.load(str(find_model(name)))


def program_of(model: Any, **states: str) -> Any:
    data = model if isinstance(model, bytes) else model.SerializeToString()
    metadata = read_metadata(data)
    card = from_json(metadata[CARD_KEY])
    return read_program(data, card, metadata | {STATE_KEY + k: v for k, v in states.items()})


@pytest.mark.parametrize("name", IN_KERNEL)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_kernel_plays_what_the_graph_does(name: str, channels: int) -> None:
    path, x = find_model(name), noise(channels)
    with closing(open_model(path, channels)) as player:
        assert isinstance(player, StackPlayer)
        got = np.stack([player.step(f) for f in x])
        kept = player.snapshot()
        after = np.stack([player.step(f) for f in x[:5]])
        player.reset()
        assert np.array_equal(np.stack([player.step(f) for f in x]), got)
        player.restore(kept)
        assert np.array_equal(np.stack([player.step(f) for f in x[:5]]), after)
        assert player.lag.samples == 0 and player.settling == 1940
    with closing(StreamingModel(path.read_bytes(), channels)) as played:
        assert null_db(got, np.stack([played.step(f) for f in x])) < -125.0


def test_other_networks_are_ONNX_Runtimes() -> None:
    assert [plays_in_kernel(find_model(n)) for n in ("amp-blend", "clean")] == [False, False]


def changed(change: Callable[[Any], None]) -> Any:
    model = graph("tape")
    change(model.graph)
    return model


def set_constant(g: Any, name: str, array: Any) -> None:
    held = next(i for i in g.initializer if i.name == name)
    held.CopyFrom(numpy_helper.from_array(np.asarray(array), name))


def constant(g: Any, name: str) -> Any:
    return numpy_helper.to_array(next(i for i in g.initializer if i.name == name))


def node(g: Any, kind: str) -> Any:
    return next(n for n in g.node if n.op_type == kind)


def relu(g: Any) -> None:
    node(g, "Tanh").op_type = "Relu"


def short_bias(g: Any) -> None:
    set_constant(g, "layers.1.conv.bias", np.ones(1, np.float32))


def wide_dilation(g: Any) -> None:
    found = [n for n in g.node if n.op_type == "Conv"][1]
    next(a for a in found.attribute if a.name == "dilations").ints[0] = 5


def early_slice(g: Any) -> None:
    set_constant(g, node(g, "Slice").input[1], np.array([-6]))


def two_outputs(g: Any) -> None:
    head = constant(g, "head.weight")
    set_constant(g, "head.weight", np.concatenate([head, head]))
    set_constant(g, "head.bias", np.zeros(2, np.float32))


def endless(g: Any) -> None:
    set_constant(g, "layers.2.conv.bias", np.full(24, np.nan, np.float32))


def doubles(g: Any) -> None:
    set_constant(g, "head.bias", np.zeros(1, np.float64))


@pytest.mark.parametrize(
    "change", [relu, short_bias, wide_dilation, early_slice, two_outputs, endless, doubles]
)
def test_a_graph_that_is_something_else_is_not_taken(change: Callable[[Any], None]) -> None:
    assert program_of(graph("tape")) is not None
    assert program_of(changed(change)) is None


def test_other_initial_states_are_left_to_the_graph() -> None:
    assert program_of(graph("tape"), layer1=pack_array(np.zeros((24, 28), np.float32))) is None


def test_a_kernel_that_misses_the_test_vector_does_not_play() -> None:
    def louder(g: Any) -> None:
        set_constant(g, "head.weight", 1.01 * constant(g, "head.weight"))

    data = changed(louder).SerializeToString()
    metadata = read_metadata(data)
    assert program_of(data) is not None
    assert open_stack(data, from_json(metadata[CARD_KEY]), metadata, 1) is None


def test_a_damaged_graph_is_a_program_or_none() -> None:
    """A file is read here after a helper has looked at it; all the same nothing raises."""
    data, rng = Path(find_model("tape")).read_bytes(), np.random.default_rng(0)
    metadata = read_metadata(data)
    card, taken = from_json(metadata[CARD_KEY]), 0
    for _ in range(400):
        wrong = bytearray(data)
        for at in rng.integers(0, 4000, rng.integers(1, 4)):
            wrong[at] = rng.integers(256)
        try:
            taken += read_program(bytes(wrong), card, metadata) is not None
        except ModelError:  # of the file's outer layer, as everywhere
            continue
    assert taken < 400
