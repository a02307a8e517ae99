"""Noise a network can add, from a table: the same sound in every run, on every machine."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LENGTH, STRIDE = 16381, 1021  # primes; LENGTH * STRIDE < 2**24, so float32 counts exactly


class NoiseTable(nn.Module):
    """Unit phasors of random phase, read at an offset that moves with every frame.

    Bin `k` of frame `t` is entry ``(offset + STRIDE t) mod LENGTH + k``, which repeats after
    :data:`LENGTH` frames.  A counter instead of a generator, because ONNX random operators give
    other numbers in each run, and a model's proof needs the same ones.

    Parameters
    ----------
    bins : int
    seed : int
    """

    table: Tensor

    def __init__(self, bins: int, seed: int = 1) -> None:
        super().__init__()
        self.bins, self.state_shape = bins, (1,)
        draw = torch.rand(LENGTH, generator=torch.Generator().manual_seed(seed))
        phase = 2.0 * torch.pi * torch.cat([draw, draw[:bins]])
        self.register_buffer(
            "table", torch.stack([torch.cos(phase), torch.sin(phase)]), persistent=False
        )

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Noise for ``frames [batch, t, ...]``.

        Returns
        -------
        Tensor [shape=(batch, 2, t, bins)]
            Real and imaginary plane, magnitude 1.
        Tensor [shape=(batch, 1)]
            The offset of the frame after the last.
        """
        count = torch.ones_like(frames[:, :, 0]).cumsum(dim=1)  # [batch, t]: 1, 2 …
        offsets = torch.fmod(state + STRIDE * count, float(LENGTH))
        index = offsets.long().unsqueeze(2) + torch.arange(self.bins, device=frames.device)
        noise = torch.stack([self.table[0][index], self.table[1][index]], dim=1)
        return noise, offsets[:, -1:]
