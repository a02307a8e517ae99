"""The torch network behind a model file, where there is one that gradients can run through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch

from realtime.errors import ModelError
from realtime.models.card import Card
from realtime.models.catalog import read_entry

from ..networks.layers import Streamable
from ..networks.tag_cnn import TagCNN
from ..own.rebuild import named_weights, rebuild


def open_network(path: Path) -> tuple[Card, Streamable | None]:
    """A file's card, and its network with the file's own weights.

    Returns
    -------
    Card
    Streamable or None
        None for a network that was not made by restyle's trainer, or by a part of it that cannot
        be read back: such a file is explained by what it does to sound alone.

    Raises
    ------
    ModelError
        Not a model with a card.
    """
    entry = read_entry(path)
    if entry.card is None:
        raise ModelError(f"{path.name} {entry.problem}")
    if entry.card.kind == "tagger":
        return entry.card, tagger(path, entry.card)
    if entry.card.kind == "ear":
        return entry.card, None
    try:
        return entry.card, rebuild(path)[1]
    except ModelError:
        return entry.card, None


def tagger(path: Path, card: Card) -> TagCNN:
    """A tagger's network from its file.

    Raises
    ------
    ModelError
        Another network than :class:`train.networks.tag_cnn.TagCNN`.
    """
    weights = named_weights(onnx.load(path).graph)
    try:
        channels, bands = weights["inward.weight"].shape
        n_fft = card.states[0].shape[1] + card.hop_length
        dilations = tuple(s.shape[0] for s in card.states[1:])
        network = TagCNN(
            len(card.labels), channels, dilations, card.hop_length, n_fft, bands, card.sample_rate
        )
        state = network.state_dict()
        for key in state:
            if key not in ("window", "mel"):  # tables, made anew
                state[key] = torch.from_numpy(np.array(weights[key], dtype=np.float32))
        network.load_state_dict(state)
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        what = str(error).splitlines()[0]
        raise ModelError(f"{path.name} is a tagger of another make ({what})") from None
    return network.eval()
