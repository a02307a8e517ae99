"""How far cleaned speech is from clean speech."""

from __future__ import annotations

import torch
from torch import Tensor

RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # (n_fft, hop)
COMPRESSION = 0.3
QUIETEST = 0.01  # RMS; fainter rows are not brought up to full level
RATE = 48000


def speech_distance(y: Tensor, target: Tensor, guard: float = 0.5) -> Tensor:
    """Compressed spectra apart, with phase and without (Braun & Tashev, ICASSP 2021).

    Magnitudes are raised to 0.3; rows weigh alike whatever their level; bins weigh less the higher
    they are, as ears and bands have it.

    Parameters
    ----------
    guard : float
        Further weight of what speech lost: a hole in a word is worse than noise left in it.
    """
    scale = 0.1 / target.square().mean(dim=1, keepdim=True).sqrt().clamp(min=QUIETEST)
    total = y.new_zeros(())
    for n_fft, hop in RESOLUTIONS:
        a, b = (_compressed(x * scale, n_fft, hop) for x in (y, target))
        hz = torch.linspace(0.0, RATE / 2, n_fft // 2 + 1, device=y.device).unsqueeze(1)
        weight = 1.0 / (1.0 + hz / 3000.0)
        weight = weight / weight.mean()
        (wave, size), (ideal, loud) = a, b
        apart = (wave - ideal).square().sum(dim=-1)
        louder = size - loud
        lost = torch.relu(-louder).square()
        terms = 0.3 * apart + 0.7 * louder.square() + guard * lost
        total = total + (terms * weight).mean()
    return 10.0 * total / len(RESOLUTIONS)


def _compressed(x: Tensor, n_fft: int, hop: int) -> tuple[Tensor, Tensor]:
    """Complex spectrum ``[..., 2]`` and magnitudes, both compressed."""
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    spectrum = (
        torch.view_as_real(
            torch.stft(x, n_fft, hop, window=window, center=True, return_complex=True)
        )
        / (0.375 * n_fft) ** 0.5
    )
    power = spectrum.square().sum(dim=-1) + 1e-8
    return spectrum * power.pow((COMPRESSION - 1.0) / 2).unsqueeze(-1), power.pow(COMPRESSION / 2)
