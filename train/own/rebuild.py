"""A model file becomes a torch network again: a user has the ``.onnx`` file and nothing else.

The exporter keeps the weights' own names except for linear layers over frames, whose matrix it
transposes and renumbers; those are found by their bias, which keeps its name and is added to the
product.  Shapes and states tell the architecture; the card tells the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from realtime.errors import ModelError, RestyleError
from realtime.models.card import CARD_KEY, Card, from_json
from realtime.models.metadata import read_metadata

from ..networks.layers import Streamable
from .recipe import FromFile, SpectralFromFile, WaveformFromFile

TABLE = 1e-5  # of its largest value: what processors differ in
Weights = dict[str, npt.NDArray[np.float32]]


def rebuild(path: Path) -> tuple[FromFile, Streamable]:
    """Read a converter that restyle trained back into torch.

    Returns
    -------
    FromFile
        A recipe of the file's name, geometry and controls.
    Streamable
        The network with the file's weights, bit by bit, in evaluation mode.

    Raises
    ------
    ModelError
        Unreadable, or not a network of restyle's trainer.
    """
    try:
        data = path.read_bytes()
        entries = read_metadata(data)
        if CARD_KEY not in entries:
            raise ModelError("it carries no restyle card")
        card = from_json(entries[CARD_KEY])
        graph = onnx.load_from_string(data).graph
        weights = named_weights(graph)
        recipe = _waveform(card, weights) if card.spectrum is None else _spectral(card, weights)
        network = recipe.network().eval()
        _fill(network, weights)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    except (RestyleError, KeyError, IndexError, ZeroDivisionError, RuntimeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise ModelError(
            f"{path.name} cannot be trained further ({what}); choose a converter that restyle"
            " trained, such as tube-amp"
        ) from None
    return recipe, network


def begin_with(network: Streamable, path: Path) -> None:
    """Copy the weights of a model file into a network, as far as names and shapes agree.

    Raises
    ------
    ModelError
        Unreadable, or most of the network's numbers are not in the file.
    """
    try:
        graph = onnx.load(str(path)).graph
        found = named_weights(graph)
    except Exception as error:  # onnx and protobuf raise what they like
        raise ModelError(f"cannot begin with {path}: {str(error).splitlines()[0]}") from None
    own = network.state_dict()
    found |= _recurrent(network, graph) | _slopes(network, graph)
    found |= _nameless({k: tuple(v.shape) for k, v in own.items() if k not in found}, graph)
    fits = {k: v for k, v in found.items() if k in own and tuple(v.shape) == tuple(own[k].shape)}
    share = sum(v.size for v in fits.values()) / max(1, sum(v.numel() for v in own.values()))
    if share < 0.5:
        raise ModelError(f"cannot begin with {path}: {share:.0%} of the weights fit")
    fresh = {k: torch.from_numpy(np.array(v, dtype=np.float32)) for k, v in fits.items()}
    network.load_state_dict(own | fresh)


def named_weights(graph: onnx.GraphProto) -> Weights:
    """Initialisers by the names of the torch state dict, transposed ones found by their bias."""
    found: Weights = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    products = {n.output[0]: n for n in graph.node if n.op_type == "MatMul"}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        bias = next((i for i in node.input if i.endswith(".bias")), None)
        product = next((products[i] for i in node.input if i in products), None)
        if bias is None or product is None or product.input[1] not in found:
            continue
        found.setdefault(bias.removesuffix("bias") + "weight", found[product.input[1]].T)
    return found


def _nameless(missing: dict[str, tuple[int, ...]], graph: onnx.GraphProto) -> Weights:
    """Weights that a graph holds under no name, by their shape and in their order.

    They are factors of matrix products: linear layers without a bias, transposed, and, of weights
    ``[groups, 2 n - 1]`` by the interval between two of `n`, the matrices ``[groups, n, n]``.
    """
    held = {i.name: i for i in graph.initializer}
    factors = [
        numpy_helper.to_array(held[name])
        for node in graph.node
        if node.op_type == "MatMul"
        for name in node.input
        if name in held
    ]
    found: Weights = {}
    for shape in set(missing.values()):
        names = [k for k, v in missing.items() if v == shape]
        if len(shape) != 2:
            continue
        n = (shape[1] + 1) // 2
        flat = [a.T for a in factors if a.shape == shape[::-1]]
        square = [
            np.concatenate([a[:, 0, :0:-1], a[:, :, 0]], axis=1)
            for a in factors
            if a.shape == (shape[0], n, n)
        ]
        for same in (flat, square):
            if len(same) == len(names):
                found |= dict(zip(names, same, strict=True))
    return found


def _recurrent(network: Streamable, graph: onnx.GraphProto) -> Weights:
    """Weights of gated recurrent units, the graph's operators taken in the network's order.

    An operator holds gates as update, reset, new; torch as reset, update, new.  The exporter lays
    matrices down as torch has them, and has a node bring them into order.
    """
    held = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    made = {n.output[0]: n for n in graph.node}
    cells = [n for n in graph.node if n.op_type == "GRU" and len(n.input) > 3]
    own = [(k, m) for k, m in network.named_modules() if isinstance(m, torch.nn.GRU)]
    found: Weights = {}
    if len(cells) != len(own):
        return found
    for node, (name, cell) in zip(cells, own, strict=True):
        for way, end in enumerate(("_l0", "_l0_reverse")[: 2 if cell.bidirectional else 1]):
            for source, matrix in zip(node.input[1:3], ("weight_ih", "weight_hh"), strict=True):
                laid = source in held
                for _ in range(8):  # nodes that bring gates into order
                    if source in held or source not in made or not made[source].input:
                        break
                    source = made[source].input[0]
                if source in held:
                    table = held[source]
                    found[f"{name}.{matrix}{end}"] = as_torch(table[way]) if laid else table
            if node.input[3] in held:
                biases = np.split(held[node.input[3]][way], 2)
                for kind, bias in zip(("bias_ih", "bias_hh"), biases, strict=True):
                    found[f"{name}.{kind}{end}"] = as_torch(bias)
    return found


def _slopes(network: Streamable, graph: onnx.GraphProto) -> Weights:
    """Slopes of one number, the graph's operators taken in the network's order."""
    held = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    bends = [held.get(n.input[1]) for n in graph.node if n.op_type == "PRelu"]
    own = [k for k, m in network.named_modules() if isinstance(m, torch.nn.PReLU)]
    if len(bends) != len(own):
        return {}
    return {
        f"{name}.weight": slope.reshape(-1)
        for name, slope in zip(own, bends, strict=True)
        if slope is not None and slope.size == 1
    }


def as_torch(gates: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows of an operator's update, reset and new gate in torch's order."""
    update, reset, new = np.split(gates, 3)
    return np.concatenate([reset, update, new])


def _waveform(card: Card, weights: Weights) -> WaveformFromFile:
    first = weights["layers.0.conv.weight"]
    channels, kernel = int(first.shape[0]), int(first.shape[2])
    layers = sum(k.startswith("layers.") and k.endswith(".conv.weight") for k in weights)
    past = [s.shape[1] for s in card.states[:layers]]
    return WaveformFromFile(card, channels, kernel, tuple(p // (kernel - 1) for p in past))


def _spectral(card: Card, weights: Weights) -> SpectralFromFile:
    if card.controls:
        raise ModelError("it is a spectrum model with controls")
    hidden = int(weights["encode.bias"].shape[0])
    blocks = sum(k.startswith("blocks.") and k.endswith(".mix.bias") for k in weights)
    bands = int(weights["encode.weight"].shape[1]) - 1
    wide = int(weights["pool"].shape[1])
    noise = "noise.table" in weights
    heads = weights["decode.bias"].shape[0] // bands
    return SpectralFromFile(
        card,
        hidden=hidden,
        dilations=tuple(s.shape[0] for s in card.states[:blocks]),
        narrow=bands - wide,
        wide=wide,
        noise=noise,
        dry=heads - noise == 2,
    )


def _fill(network: Streamable, weights: Mapping[str, Any]) -> None:
    """Copy every weight, and the tables that are not weights where they are what they should be.

    A table is computed where a network is made: another processor's differs in its last bits.

    Raises
    ------
    ModelError
        One is missing or has another shape or content.
    """
    state = {}
    for key, own in network.state_dict().items():
        value = torch.from_numpy(np.array(weights[key], dtype=np.float32))
        if value.shape != own.shape:
            raise ModelError(f"{key} is {list(value.shape)}, expected {list(own.shape)}")
        state[key] = value
    network.load_state_dict(state)
    for key, table in network.named_buffers():
        if key not in weights:
            continue
        kept = torch.from_numpy(np.array(weights[key]))
        if kept.shape != table.shape or not torch.allclose(
            kept.double(), table.double(), rtol=0.0, atol=TABLE * float(table.abs().max())
        ):
            raise ModelError(f"its table '{key}' is another one")
        table.copy_(kept)
