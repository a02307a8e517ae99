"""Distance of band energies, for targets whose fine structure is chance (breath, noise)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .spectral import magnitudes

BANDS = 64
SCALES = ((512, 128), (1024, 256), (2048, 512))  # (n_fft, hop)


@lru_cache(maxsize=16)
def mel_matrix(n_fft: int, bands: int, rate: int) -> Tensor:
    """Triangular bands, equally wide on the mel scale of O'Shaughnessy (1987), each summing to 1.

    Returns
    -------
    Tensor [shape=(n_fft // 2 + 1, bands)]
    """
    top = 2595.0 * np.log10(1.0 + rate / 2 / 700.0)
    edges = 700.0 * (10 ** (np.linspace(0.0, top, bands + 2) / 2595.0) - 1.0)
    hz = np.arange(n_fft // 2 + 1)[:, None] * rate / n_fft
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    for band in np.flatnonzero(weights.sum(axis=0) == 0.0):  # narrower than a bin
        weights[np.argmin(np.abs(hz[:, 0] - edges[band + 1])), band] = 1.0
    return torch.from_numpy((weights / weights.sum(axis=0)).astype(np.float32))


def mel_distance(
    y: Tensor, target: Tensor, rate: int = 48000, bands: int = BANDS, floor: float = 1e-5
) -> Tensor:
    """Mean absolute difference of log band energies over several window lengths.

    Energies are averaged over a band before the logarithm, so two noises of one spectrum are near
    each other though no bin of theirs agrees.

    Parameters
    ----------
    y, target : Tensor [shape=(batch, n)]
    floor : float
        Power below which bands count as silent.
    """
    total = y.new_zeros(())
    for n_fft, hop in SCALES:
        matrix = mel_matrix(n_fft, bands, rate).to(y)
        a, b = (
            torch.log(magnitudes(x, n_fft, hop).square().transpose(1, 2) @ matrix + floor)
            for x in (y, target)
        )
        total = total + (a - b).abs().mean()
    return total / len(SCALES)
