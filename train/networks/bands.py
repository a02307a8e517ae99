"""Frequency bands of a spectral network: every bin below, wider and wider bands above.

Ears resolve about a critical band (Glasberg & Moore, 1990); below a few kilohertz that is finer
than a bin, above it many bins share one number, which makes the network smaller and steadier.
"""

from __future__ import annotations

import torch
from torch import Tensor


def band_centres(bins: int, narrow: int, wide: int) -> list[float]:
    """Centre of every band in bins: 0, 1 … narrow - 1, then `wide` more up to the last bin.

    The widths grow geometrically from one bin.
    """
    centres = [float(k) for k in range(narrow)]
    span = bins - 1 - (narrow - 1)
    low, high = 1.0 + 1e-9, 2.0
    for _ in range(80):  # the ratio whose geometric series of `wide` terms spans the rest
        ratio = 0.5 * (low + high)
        total = ratio * (ratio**wide - 1) / (ratio - 1)
        low, high = (ratio, high) if total < span else (low, ratio)
    width, at = 1.0, float(narrow - 1)
    for _ in range(wide):
        width *= ratio
        at += width
        centres.append(min(at, bins - 1.0))
    centres[-1] = bins - 1.0
    return centres


def interpolation(centres: Tensor, at: Tensor) -> Tensor:
    """Linear interpolation from rising `centres` to places between them.

    Returns
    -------
    Tensor [shape=(len(centres), len(at))]
        Columns sum to 1; of the type of `centres`.
    """
    upper = torch.searchsorted(centres, at).clamp(1, len(centres) - 1)
    part = ((at - centres[upper - 1]) / (centres[upper] - centres[upper - 1])).clamp(0.0, 1.0)
    matrix, columns = centres.new_zeros(len(centres), len(at)), torch.arange(len(at))
    matrix[upper - 1, columns] = 1.0 - part
    matrix[upper, columns] += part
    return matrix


def spread_matrix(bins: int, narrow: int, wide: int) -> Tensor:
    """Linear interpolation from the wide bands to the bins above ``narrow - 1``.

    Returns
    -------
    Tensor [shape=(wide + 1, bins - narrow)]
        Its first row belongs to the last narrow band; columns sum to 1.
    """
    centres = torch.tensor(band_centres(bins, narrow, wide)[narrow - 1 :], dtype=torch.float64)
    at = torch.arange(narrow, bins, dtype=torch.float64)
    return interpolation(centres, at).float()


def band_matrices(bins: int, narrow: int, wide: int) -> tuple[Tensor, Tensor]:
    """From bins above `narrow` to their bands, and from all bands back to all bins.

    Returns
    -------
    pool : Tensor [shape=(bins - narrow, wide)]
        Means; its columns sum to 1.
    to_bins : Tensor [shape=(narrow + wide, bins)]
        Narrow bands to their own bin, wide ones by interpolation.
    """
    spread = spread_matrix(bins, narrow, wide)
    pool = spread[1:] / spread[1:].sum(dim=1, keepdim=True)
    to_bins = torch.zeros(narrow + wide, bins)
    to_bins[:narrow, :narrow] = torch.eye(narrow)
    to_bins[narrow - 1 :, narrow:] += spread
    return pool.T.contiguous(), to_bins
