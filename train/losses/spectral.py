"""Distances between magnitude spectrograms, for styles whose phase is their own."""

from __future__ import annotations

import torch
from torch import Tensor

RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # (n_fft, hop)


def magnitudes(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """Magnitude STFT with a Hann window ``[batch, bins, frames]``."""
    window = torch.hann_window(n_fft, dtype=x.dtype, device=x.device)
    spectrum = torch.stft(x, n_fft, hop, window=window, center=True, return_complex=True)
    return torch.sqrt(spectrum.real.square() + spectrum.imag.square() + 1e-7)


def stft_distance(
    y: Tensor, target: Tensor, resolutions: tuple[tuple[int, int], ...] = RESOLUTIONS
) -> Tensor:
    """Multi-resolution STFT distance (Yamamoto et al., Parallel WaveGAN, 2020).

    Mean over resolutions of spectral convergence ``|T - Y|_F / |T|_F`` plus the mean absolute
    difference of log magnitudes.
    """
    total = y.new_zeros(())
    for n_fft, hop in resolutions:
        a, b = magnitudes(y, n_fft, hop), magnitudes(target, n_fft, hop)
        convergence = torch.linalg.norm(b - a) / (torch.linalg.norm(b) + 1e-7)
        total = total + convergence + (torch.log(b) - torch.log(a)).abs().mean()
    return total / len(resolutions)
