"""The ear: which notes are played, hop by hop."""

from __future__ import annotations

import torch
from torch import Tensor

from .layers import Streamable

HOP, LOWEST, PITCHES = 256, 28, 69  # samples at 48 kHz; MIDI pitches 28 (E1) to 96 (C7)
ROWS = ("onset", "active", "level", "bend")


class Ear(Streamable):
    """Samples in, notes out, one hop a step.

    Shape: ``x [batch, 256] -> notes [batch, 4, 69]`` at 48 kHz, for MIDI pitches 28 to 96:

    - ``onset``: the velocity (0 to 1) in the hop where a note is struck, else 0;
    - ``active``: 1 while a note sounds, else 0;
    - ``level``: smoothed level of the input, linear amplitude;
    - ``bend``: deviation from equal temperament in semitones, 0 where unknown.
    """

    hop = HOP

    def __init__(self) -> None:
        super().__init__()
        self.state_shapes = [(4 * HOP,), (PITCHES,)]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One hop; states as :attr:`state_shapes` says."""
        past, active = states
        full = torch.cat([past, x], dim=1)
        level = full.square().mean(dim=1, keepdim=True).sqrt() + 0.0 * active
        zero = torch.zeros_like(active)
        return torch.stack([zero, zero, level, zero], dim=1), full[:, HOP:], active
