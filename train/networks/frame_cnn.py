"""Frame CNN: causal convolutions over complex STFT frames, with a mask and a mapping head.

The mask shapes what is there; the mapping adds what is not (new partials).  Frames are compressed
(power 0.3, as Ephrat et al., 2018) and scaled by their own level, so the network follows the
player's dynamics at any input gain.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import GatedBlock, Streamable

COMPRESSION = 0.3


class FrameCNN(Streamable):
    """Spectrum in, spectrum out.

    Shape: ``x [batch, 2, t, bins] -> y [batch, 2, t, bins]`` (real and imaginary plane).

    Parameters
    ----------
    bins : int
    hidden : int
        Channels of the temporal stack.
    dilations : tuple of int [frames]
    max_gain : float
        Largest factor of the mask.
    """

    def __init__(
        self, bins: int, hidden: int, dilations: tuple[int, ...], max_gain: float = 8.0
    ) -> None:
        super().__init__()
        self.bins, self.max_gain = bins, max_gain
        self.encode = nn.Conv1d(3 * bins + 1, hidden, 1)
        self.blocks = nn.ModuleList(GatedBlock(hidden, d) for d in dilations)
        self.state_shapes = [block.state_shape for block in self.blocks]
        self.decode = nn.Conv1d(hidden, 3 * bins, 1)
        nn.init.normal_(self.decode.weight, std=1e-3)
        nn.init.zeros_(self.decode.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Normalise, encode, remember, decode, undo the normalisation."""
        frames = x.transpose(2, 3)  # [batch, 2, bins, t]
        power = frames.square().sum(dim=1)
        level = torch.sqrt(power.mean(dim=1, keepdim=True) + 1e-6)  # [batch, 1, t]
        scaled = frames / level.unsqueeze(1)
        magnitude = torch.sqrt(power / level.square() + 1e-6)
        squeezed = magnitude.pow(COMPRESSION)
        phase_kept = scaled * (squeezed / magnitude).unsqueeze(1)
        features = torch.cat(
            [squeezed, phase_kept[:, 0], phase_kept[:, 1], torch.log10(level)], dim=1
        )
        h, new = self.encode(features), []
        for block, state in zip(self.blocks, states, strict=True):
            h, state = block(h, state)
            new.append(state)
        mask, real, imaginary = self.decode(h).chunk(3, dim=1)
        gain = self.max_gain * torch.sigmoid(mask - 2.0)
        mapped = torch.stack([real, imaginary], dim=1)
        y = (scaled * gain.unsqueeze(1) + mapped) * level.unsqueeze(1)
        return (y.transpose(2, 3), *new)
