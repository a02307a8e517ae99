"""A streaming tagger: log-mel frames from samples, causal convolutions, a probability per label.

The front end is inside the network, so that a file needs nothing but samples: a Hann window over
the newest 2048 samples each hop, power in mel bands, logarithm (Davis & Mermelstein, 1980).  The
body are gated causal convolutions whose taps lie ever further apart (van den Oord et al., 2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..losses.mel import mel_matrix
from .layers import GatedBlock, Streamable

FLOOR = 1e-7  # power of a band below which it counts as silent


class TagCNN(Streamable):
    """Samples to probabilities.

    Shape: ``x [batch, 1, t * hop] -> y [batch, labels, t]``.

    Parameters
    ----------
    labels, channels : int
    dilations : tuple of int [hops]
    hop, n_fft : int [samples]
        `n_fft` is a multiple of `hop`.
    bands : int
    rate : int [Hz]

    Attributes
    ----------
    receptive_field : int [samples]
    """

    window: Tensor
    mel: Tensor

    def __init__(
        self,
        labels: int,
        channels: int,
        dilations: tuple[int, ...],
        hop: int = 512,
        n_fft: int = 2048,
        bands: int = 64,
        rate: int = 48000,
    ) -> None:
        super().__init__()
        self.hop, self.overlap = hop, n_fft // hop
        self.register_buffer("window", torch.hann_window(n_fft))
        self.register_buffer("mel", mel_matrix(n_fft, bands, rate).clone())
        self.inward = nn.Linear(bands, channels)
        self.blocks = nn.ModuleList(GatedBlock(channels, d) for d in dilations)
        self.head = nn.Sequential(nn.Linear(channels, channels), nn.GELU())
        self.outward = nn.Linear(channels, labels)
        self.state_shapes = [(1, n_fft - hop), *(b.state_shape for b in self.blocks)]
        # the first sample of a periodic Hann window weighs nothing
        self.receptive_field = n_fft - 1 + hop * sum(dilations)

    def log_mel(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """``x [b, 1, t * hop]`` and what came before to log energies ``[b, t, bands]``."""
        full = torch.cat([past, x], dim=2)
        hops = full.reshape(full.shape[0], -1, self.hop)
        count = hops.shape[1] - self.overlap + 1
        frames = torch.cat([hops[:, k : k + count] for k in range(self.overlap)], dim=2)
        spectrum = torch.fft.rfft(frames * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        return torch.log((power @ self.mel).clamp(min=FLOOR)), full[:, :, -past.shape[2] :]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One call for any number of hops."""
        energies, past = self.log_mel(x, states[0])
        h, new = self.inward(0.2 * energies + 0.5), [past]
        for block, state in zip(self.blocks, states[1:], strict=True):
            h, state = block(h, state)
            new.append(state)
        y = torch.sigmoid(self.outward(self.head(h)))
        return (y.transpose(1, 2), *new)
