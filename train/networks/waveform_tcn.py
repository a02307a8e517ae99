"""Waveform temporal convolutional network with zero latency, for amplifiers and pedals.

A short stack of dilated causal convolutions in the manner of WaveNet (van den Oord et al., 2016)
and of its use for guitar amplifiers (Wright et al., Applied Sciences 10(3), 2020).  Few layers with
long kernels, because each graph node costs more than its arithmetic at 64 samples a step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import CausalConv, Streamable


class WaveformTCN(Streamable):
    """Samples in, samples out.

    Shape: ``x [batch, 1, t] -> y [batch, 1, t]``.

    Parameters
    ----------
    channels, kernel : int
    dilations : tuple of int
        One layer each; the receptive field is ``1 + (kernel - 1) * sum(dilations)`` samples.
    """

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        widths = [1] + [channels] * (len(dilations) - 1)
        self.layers = nn.ModuleList(
            CausalConv(w, channels, kernel, d) for w, d in zip(widths, dilations, strict=True)
        )
        self.state_shapes = [layer.state_shape for layer in self.layers]
        self.head = nn.Conv1d(channels * len(dilations), 1, 1)
        self.receptive_field = 1 + (kernel - 1) * sum(dilations)

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Each layer adds to the residual line; the head hears all layers."""
        h, taps, new = x, [], []
        for i, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            z, state = layer(h, state)
            z = torch.tanh(z)
            h = z if i == 0 else h + z
            taps.append(z)
            new.append(state)
        return (self.head(torch.cat(taps, dim=1)), *new)
