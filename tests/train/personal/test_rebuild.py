from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from realtime.errors import ModelError
from realtime.models.catalog import bundled_folder
from realtime.models.streaming import load_model
from tests.networks import gru_model
from train.export.gate import seal, to_onnx
from train.own.fold import fold
from train.own.rebuild import named_weights, rebuild
from train.recipes import get_recipe

from ..tiny import sealed

FOLDER = bundled_folder()
assert FOLDER is not None
OTHERS = {
    "tagger",
    "endless-keys",
    "ear",
    "clean",
}  # networks of another make
PLAYERS = {p.stem for p in FOLDER.glob("*-player.onnx")}  # which are not trained as a whole
OTHERS |= PLAYERS
BUNDLED = [p for p in sorted(FOLDER.glob("*.onnx")) if p.stem not in OTHERS]


@pytest.mark.parametrize("path", BUNDLED, ids=lambda p: p.stem)
def test_every_bundled_file_becomes_a_network_with_its_weights(path: Path) -> None:
    _, network = rebuild(path)
    before = named_weights(onnx.load(str(path)).graph)
    for key, weight in network.state_dict().items():
        assert np.array_equal(before[key], weight.numpy()), key


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_networks_are_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be trained further") as caught:
        rebuild(FOLDER / f"{name}.onnx")
    assert "\n" not in str(caught.value)


def outline(graph: onnx.GraphProto) -> tuple[list[str], list[np.ndarray]]:
    """What a graph computes, whatever its values are called and however its nodes are sorted.

    Returns
    -------
    list of str
        One line for each node, from the outputs backwards: operator, attributes, places of inputs.
    list of array
        The initialisers in the order in which those lines meet them.
    """
    nodes = {name: node for node in graph.node for name in node.output}
    weights = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    places: dict[str, int] = {"": -1}
    lines: list[str] = []
    met: list[np.ndarray] = []

    def visit(name: str) -> int:
        if name in places:
            return places[name]
        if name in weights:
            met.append(weights[name])
            lines.append(f"{weights[name].dtype} {weights[name].shape}")
        elif name in nodes:
            node = nodes[name]
            inputs = [visit(i) for i in node.input]
            settings = sorted(
                f"{a.name}={onnx.helper.get_attribute_value(a)}" for a in node.attribute
            )
            lines.append(f"{node.op_type} {settings} {inputs} {list(node.output).index(name)}")
        else:
            lines.append(f"input {name}")
        places[name] = len(lines) - 1
        return places[name]

    ends = [f"output {output.name} {visit(output.name)}" for output in graph.output]
    return lines + ends, met


def test_a_rebuilt_network_becomes_the_same_file_again(tmp_path: Path) -> None:
    # frames and noise; test_unpaired writes a blend again
    path = sealed(get_recipe("choir"), tmp_path)
    recipe, network = rebuild(path)
    graph = to_onnx(recipe, network)
    one, two = onnx.load(str(path)).graph, onnx.load_from_string(graph).graph
    before, again = named_weights(one), named_weights(two)
    for key, weight in network.state_dict().items():
        assert np.array_equal(before[key], weight.numpy()), key  # copied, not computed
        assert np.array_equal(before[key], again[key]), key
    (lines, constants), (lines_again, constants_again) = outline(one), outline(two)
    assert lines == lines_again
    for a, b in zip(constants, constants_again, strict=True):
        assert a.dtype == b.dtype and np.allclose(a, b, rtol=1e-6, atol=0.0)
    card = recipe.card(network, {}, {})
    first, second = load_model(path.read_bytes()), load_model(seal(recipe, network, card, graph))
    try:
        assert (first.card.hop_length, first.card.latency) == (card.hop_length, card.latency)
        assert [c.name for c in first.card.controls] == [c.name for c in card.controls]
        # the settled states are computed by torch, there on the trainer's processor, here on this
        states, states_again = first.initial_states(), second.initial_states()
        assert states.keys() == states_again.keys()
        for key, state in states.items():
            assert np.abs(state - states_again[key]).max() <= 1e-5 * np.abs(state).max(), key
        rng = np.random.default_rng(0)
        for model in (first, second):
            model.reset()
        x = rng.standard_normal((20, *card.step_shape(1))).astype(np.float32) * np.float32(0.3)
        y, y_again = (np.stack([model.step(step) for step in x]) for model in (first, second))
        assert np.abs(y - y_again).max() <= 1e-5 * np.abs(y).max()
    finally:
        first.close()
        second.close()


def test_the_rebuilt_network_in_torch_is_what_the_file_plays() -> None:
    recipe, network = rebuild(FOLDER / "tube-amp.onnx")
    model = load_model((FOLDER / "tube-amp.onnx").read_bytes())
    try:
        model.reset()
        x = np.random.default_rng(1).standard_normal((1, 1, 64 * 30)).astype(np.float32) * 0.2
        played = [
            model.step(np.ascontiguousarray(x[..., k : k + 64])).copy()
            for k in range(0, x.shape[2], 64)
        ]
        silence = torch.zeros(1, 1, 64 * 400)
        with torch.no_grad():
            y = network.offline(torch.from_numpy(x), network.settled_state(silence))
    finally:
        model.close()
    assert np.abs(np.concatenate(played, axis=2) - y.numpy()).max() < 1e-6


def test_a_blend_folded_at_fixed_weights_sounds_the_same() -> None:
    recipe, network = rebuild(FOLDER / "amp-blend.onnx")
    weights = torch.tensor([[0.2, 0.3, 0.4, 0.1]])
    plain_recipe, plain = fold(recipe, network, weights)
    x = 0.2 * torch.randn(1, 1, 4096, generator=torch.Generator().manual_seed(2))
    states = network.initial_state(1)
    states[-1] = weights
    with torch.no_grad():
        expected, got = network.offline(x, states, weights), plain.offline(x)
    assert (got - expected).abs().max() < 5e-6
    assert not plain_recipe.card(plain, {}, {}).controls


def test_other_models_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "gru.onnx"
    path.write_bytes(gru_model())
    with pytest.raises(ModelError, match="cannot be trained further"):
        rebuild(path)
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot be trained further"):
        rebuild(path)
    with pytest.raises(ModelError, match="cannot read"):
        rebuild(tmp_path / "missing.onnx")
