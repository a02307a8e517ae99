"""Cleaner: a gain for every band, frame by frame, that keeps speech and turns the rest down.

The network hears log band powers and remembers with gated recurrent units, as RNNoise does (Valin,
MMSP 2018), at the resolution of a bin below 4.5 kHz.  What it answers reaches the bins through
:mod:`train.networks.clean_mask`: causal, of minimum phase and smooth, with all of a bin's
neighbours inside the synthesis window, so that no tone comes at the hop rate.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .bands import band_matrices
from .clean_mask import Mask, Soften
from .layers import GatedBlock, Streamable
from .recurrent import Recurrent

FLOOR = 1e-6  # added to powers, so that digital silence has a logarithm
SOFT = 1 / 8  # of n_fft: fall of the window that the network hears through
SMOOTH = 1 / 4  # of n_fft: relief of a mask that lies between the harmonics of most voices
LEAST = 1e-3  # gain of what is turned down as far as it goes, -60 dB


class Cleaner(Streamable):
    """Spectrum in, spectrum out; one control, `strength`: 0 passes the input, 1 cleans it.

    Shape: ``x [batch, 2, t, bins], controls [1 or batch, 1] -> y [batch, 2, t, bins]``.

    Parameters
    ----------
    bins, narrow, wide : int
        Frequency bins; how many of the lowest are bands of their own; bands above them.
    hidden : int
        Channels of the recurrent layers.
    layers : int
        How many of them.
    """

    pool: Tensor

    def __init__(
        self, bins: int, *, narrow: int = 96, wide: int = 40, hidden: int = 160, layers: int = 2
    ) -> None:
        super().__init__()
        self.narrow, self.bands, self.n_controls = narrow, narrow + wide, 1
        pool, to_bins = band_matrices(bins, narrow, wide)
        self.register_buffer("pool", pool, persistent=False)
        self.soften, self.mask = Soften(bins, round(SOFT * 2 * (bins - 1))), Mask(to_bins, SMOOTH)
        self.encode = nn.Linear(self.bands, hidden)
        self.block = GatedBlock(hidden, 1)
        self.memory = nn.ModuleList(Recurrent(hidden) for _ in range(layers))
        self.decode = nn.Linear(hidden, self.bands)
        nn.init.normal_(self.decode.weight, std=1e-2)
        nn.init.constant_(self.decode.bias, 1.0)
        self.state_shapes = [self.block.state_shape, *(m.state_shape for m in self.memory)]

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Measure, remember, decide on gains, and scale the input's bins."""
        controls, *states = rest
        power = self.soften(x).square().sum(dim=1)  # [batch, t, bins]
        heard = torch.cat([power[..., : self.narrow], power[..., self.narrow :] @ self.pool], dim=2)
        h, first = self.block(self.encode(0.2 * torch.log(heard + FLOOR)), states[0])
        new = [first]
        for layer, state in zip(self.memory, states[1:], strict=True):
            more, state = layer(h, state)
            h = h + more
            new.append(state)
        gain = torch.log(LEAST + (1.0 - LEAST) * torch.sigmoid(self.decode(h)))
        return (self.mask(x, gain * controls.unsqueeze(1)), *new)
