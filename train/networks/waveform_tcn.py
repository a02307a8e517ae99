"""Waveform temporal convolutional network with zero latency, for amplifiers and pedals.

A short stack of dilated causal convolutions in the manner of WaveNet (van den Oord et al., 2016)
and of its use for guitar amplifiers (Wright et al., Applied Sciences 10(3), 2020).  Few layers with
long kernels, because each graph node costs more than its arithmetic at 64 samples a step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import CausalConv, Film, Streamable, blend_weights

SMOOTHING = 240.0  # samples in which a blend gets 63 % of the way to new weights: 5 ms


class WaveformTCN(Streamable):
    """Samples in, samples out.

    Shape: ``x [batch, 1, t] -> y [batch, 1, t]``.

    Parameters
    ----------
    channels, kernel : int
    dilations : tuple of int
        One layer each; the receptive field is ``1 + (kernel - 1) * sum(dilations)`` samples.
    n_controls : int
        Blend weights that steer every layer (FiLM) and the head.
    """

    def __init__(
        self, channels: int, kernel: int, dilations: tuple[int, ...], n_controls: int = 0
    ) -> None:
        super().__init__()
        widths = [1] + [channels] * (len(dilations) - 1)
        self.layers = nn.ModuleList(
            CausalConv(w, channels, kernel, d) for w, d in zip(widths, dilations, strict=True)
        )
        self.state_shapes = [layer.state_shape for layer in self.layers]
        self.head = nn.Conv1d(channels * len(dilations), 1, 1)
        self.receptive_field = 1 + (kernel - 1) * sum(dilations)
        self.n_controls = n_controls
        self.films = nn.ModuleList(Film(n_controls, channels) for _ in dilations if n_controls)
        self.mix = Film(n_controls, channels * len(dilations)) if n_controls else None
        if n_controls:
            self.state_shapes.append((n_controls,))

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Each layer adds to the residual line; the head hears all layers."""
        states = list(rest)
        if self.n_controls:
            weights, before = blend_weights(states.pop(0)), states.pop()
            # a one-pole approach, in closed form: the same for any partition of the signal
            count = torch.ones_like(x).cumsum(dim=2)
            away = before - weights
            fading = torch.exp(count / -SMOOTHING)  # [batch, 1, t]
            settled = weights + away * fading[:, 0, -1:]
        h, taps, new = x, [], []
        for i, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            z, state = layer(h, state)
            if self.n_controls:
                scale, shift = self.films[i].moving(weights, away, fading)
                z = z * scale + shift
            z = torch.tanh(z)
            h = z if i == 0 else h + z
            taps.append(z)
            new.append(state)
        heard = torch.cat(taps, dim=1)
        if self.mix is not None:
            scale, _ = self.mix.moving(weights, away, fading)
            heard = heard * scale
            new.append(settled)
        return (self.head(heard), *new)
