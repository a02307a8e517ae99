"""A blend at fixed weights is a plain network: its scales and shifts go into the convolutions."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..networks.layers import blend_weights
from ..networks.waveform_tcn import WaveformTCN
from .recipe import WaveformFromFile


def fold(
    recipe: WaveformFromFile, network: WaveformTCN, weights: Tensor
) -> tuple[WaveformFromFile, WaveformTCN]:
    """The same sound without controls.

    FiLM is ``s (W x + b) + t = (s W) x + (s b + t)``, the head's scales are factors of its columns.
    What is left is smaller, faster, and has one convolution's worth of freedom where the blend had
    a few numbers.

    Parameters
    ----------
    weights : Tensor [shape=(1, n_controls)]
        Of the blend; scaled to sum to 1.
    """
    card = replace(recipe.base, controls=(), states=recipe.base.states[: len(network.layers)])
    plain_recipe = WaveformFromFile(card, recipe.channels, recipe.kernel, recipe.dilations)
    plain = plain_recipe.network()
    assert isinstance(plain, WaveformTCN) and network.mix is not None
    with torch.no_grad():
        blend = blend_weights(weights)
        for own, layer, film in zip(plain.layers, network.layers, network.films, strict=True):
            scale, shift = (part[0] for part in film(blend))
            own.conv.weight.copy_(layer.conv.weight * scale[:, None, None])
            own.conv.bias.copy_(layer.conv.bias * scale + shift)
        scale, _ = network.mix(blend)
        plain.head.weight.copy_(network.head.weight * scale[0][None, :, None])
        plain.head.bias.copy_(network.head.bias)
    return plain_recipe, plain.eval()
