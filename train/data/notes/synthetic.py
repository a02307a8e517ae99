"""Notes of instruments that never were: partials with random loudness, decay and stiffness.

What soundfonts have in common a network may learn by heart; these have only in common what makes a
note: partials near multiples of one frequency that begin together.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

RATE, SECONDS, BEFORE, LOUDNESS = 24_000, 1.5, 48, 0.1
PARTIALS, EVERY, LOW, HIGH = 28, 4, 27, 98
FIRST_PROGRAMME = 100_000


class Made:
    """A bank, as :class:`train.data.notes.bank.Bank`."""

    def __init__(self, samples: npt.NDArray[np.int16], pitches: npt.NDArray[np.float32]) -> None:
        notes = len(pitches)
        self.samples, self.pitches = samples.reshape(-1), pitches.reshape(-1)
        self.lengths = np.full(self.pitches.size, samples.shape[-1], dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        each = self.pitches.size // notes
        self.programmes = FIRST_PROGRAMME + np.repeat(np.arange(notes), each).astype(np.int64)


def make(instruments: int, seed: int, device: torch.device | str = "cpu") -> Made:
    """So many instruments, each with a note every four semitones from E1 to C7."""
    rng = np.random.default_rng(seed)
    random = torch.Generator(device).manual_seed(seed)
    found, pitches = [], []
    for _ in range(instruments):
        pitch = np.arange(LOW + rng.integers(EVERY), HIGH + 1, EVERY, dtype=np.float32)[:17]
        pitches.append(pitch)
        found.append(_instrument(torch.from_numpy(pitch).to(device), rng, random).cpu().numpy())
    return Made(np.stack(found), np.stack(pitches))


def _instrument(pitch: Tensor, rng: np.random.Generator, random: torch.Generator) -> Tensor:
    """Notes ``[pitches, n]`` of one instrument, int16."""
    device, n = pitch.device, round(RATE * SECONDS)
    k = torch.arange(1, PARTIALS + 1, device=device).float()
    base = 440.0 * 2 ** ((pitch[:, None] - 69) / 12)
    stiff = float(np.exp(rng.uniform(-12, -7))) if rng.random() < 0.6 else 0.0
    hertz = base * k * torch.sqrt(1 + stiff * k.square()) / math.sqrt(1 + stiff)
    slope = float(rng.uniform(2, 15))
    db = -slope * torch.log2(k)
    db = db + float(rng.uniform(0, 9)) * torch.randn(PARTIALS, device=device, generator=random)
    if rng.random() < 0.4:  # where it is plucked
        pluck = torch.sin(math.pi * float(rng.uniform(0.05, 0.5)) * k).abs()
        db = db + 20 * torch.log10(pluck + 0.03)
    if rng.random() < 0.2:  # as of a closed pipe
        db = db - float(rng.uniform(10, 40)) * (k % 2 == 0)
    db = db + 3 * torch.randn(len(pitch), PARTIALS, device=device, generator=random)
    formant = float(rng.uniform(300, 4000))
    db = db - float(rng.uniform(0, 6)) * torch.log2(hertz / formant).abs()
    amplitude = 10 ** (db / 20) * (hertz < 0.45 * RATE)
    lasting = float(np.exp(rng.uniform(np.log(0.15), np.log(6.0))))
    damping = float(rng.uniform(0.1, 1.0))
    decay = lasting * (hertz / 200.0) ** -damping
    decay = decay * torch.exp(0.4 * torch.randn(decay.shape, device=device, generator=random))
    time = torch.arange(n, device=device) / RATE
    attack = float(np.exp(rng.uniform(np.log(0.0005), np.log(0.012))))
    beat = float(rng.uniform(0, 1.5)) * (rng.random() < 0.5)
    x = torch.zeros(len(pitch), n, device=device)
    phase = 6.3 * torch.rand(len(pitch), PARTIALS, device=device, generator=random)
    for j in range(PARTIALS):
        wave = torch.sin(2 * math.pi * hertz[:, j, None] * time + phase[:, j, None])
        if beat:
            other = (hertz[:, j, None] + beat * (1 + 0.3 * j)) * time
            wave = wave + 0.6 * torch.sin(2 * math.pi * other)
        x += amplitude[:, j, None] * torch.exp(-time / decay[:, j, None]) * wave
    x = x * (1 - torch.exp(-time / attack))
    x = x / (x[:, : RATE // 5].square().mean(dim=1, keepdim=True).sqrt() + 1e-9)
    click = torch.randn(len(pitch), n, device=device, generator=random)
    click = click * torch.exp(-time / float(rng.uniform(0.001, 0.012)))
    x = x + float(np.exp(rng.uniform(-5, 0.7)) * (rng.random() < 0.7)) * click
    x = torch.cat([torch.zeros(len(pitch), BEFORE, device=device), x], dim=1)
    x = x * (LOUDNESS * 8192) / (x[:, : RATE // 5].square().mean(dim=1, keepdim=True).sqrt() + 1e-9)
    return x.clamp(-32767, 32767).to(torch.int16)
