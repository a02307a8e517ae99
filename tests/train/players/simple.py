"""An ear for one pure note at a time, and a voice of round numbers: what tests of players need."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from train.networks.layers import Streamable
from train.voices.tables import BANDS, KNOTS, LOWEST, NOTES, PARTIALS, Tables

HOP, PAST, RATE = 256, 2048, 48000
LEAST = 0.01


class ToneEar(Streamable):
    """The loudest of 69 correlations with the newest 2048 samples, where there is enough of it."""

    def __init__(self) -> None:
        super().__init__()
        hz = 440.0 * 2.0 ** ((LOWEST + torch.arange(NOTES) - 69.0) / 12.0)
        angle = 2 * math.pi * torch.arange(PAST)[:, None] / RATE * hz
        window = torch.hann_window(PAST)[:, None] * 2.0 / (0.5 * PAST)
        self.register_buffer("waves", torch.cat([torch.cos(angle), torch.sin(angle)], 1) * window)
        self.state_shapes = [(PAST,), (NOTES,), (1,)]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One hop ``x [batch, 256]``."""
        past, before, since = states
        past = torch.cat([past[:, HOP:], x], dim=1)
        real, imaginary = (past @ self.waves).chunk(2, dim=1)
        size = torch.sqrt(real.square() + imaginary.square())
        loudest = (size >= size.amax(dim=1, keepdim=True)).float() * (size > LEAST).float()
        # a note is believed when a window is full of it
        since = (since + 1.0) * (loudest.sum(dim=1, keepdim=True) > 0.0).float()
        active = loudest * (since > PAST / HOP).float()
        onset = 0.7 * active * (before <= 0.0).float()
        level = past.square().mean(dim=1, keepdim=True).sqrt() + 0.0 * active
        notes = torch.stack([onset, active, level, torch.zeros_like(active)], dim=1)
        return notes, past, active, since


def tables(partials: int = 3, **changed: np.ndarray) -> Tables:
    """A voice whose `partials` are level from the first 10 ms on, at 0.1 / k, without noise."""
    n, k = NOTES, np.arange(1, PARTIALS + 1)
    course = np.full((n, KNOTS, PARTIALS + BANDS), -20.0)
    course[:, :, :partials] = np.log(0.1 / k[:partials])
    wide, narrow = (n, PARTIALS + BANDS), (n, PARTIALS)
    rows = {
        "pitches": LOWEST + np.arange(n),
        "course": course,
        "tail": np.zeros(wide),
        "release": np.full(wide, 20.0),
        "touch": np.ones(wide),
        "ratio": np.where(k <= partials, k, 0) * np.ones(narrow),
        "steady": np.ones(narrow),
        "second": np.zeros(narrow),
        "random": np.zeros(narrow),
        "beat": np.zeros(narrow),
        "width": np.ones(narrow),
    }
    return Tables(**{k: np.asarray(v, dtype=np.float32) for k, v in (rows | changed).items()})
