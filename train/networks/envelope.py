"""A spectrum split into its envelope and what is left: the source-filter view of a frame.

Bands are a few bins wide, so that a partial's peak and the valleys around it stay in what is left
(the carrier) and how loud each region is goes into the envelope (Dudley's vocoder, 1939; the
envelope by band means instead of a bank of filters).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .bands import band_centres

QUIETEST = 1e-6  # of the frame's mean power: bands below are not brought up to full level


def hat_matrix(bins: int, centres: list[float]) -> Tensor:
    """Linear interpolation from band centres to bins ``[bands, bins]``; columns sum to 1."""
    at = torch.arange(bins, dtype=torch.float64)
    middles = torch.tensor(centres, dtype=torch.float64)
    upper = torch.searchsorted(middles, at).clamp(1, len(centres) - 1)
    part = ((at - middles[upper - 1]) / (middles[upper] - middles[upper - 1])).clamp(0.0, 1.0)
    matrix = torch.zeros(len(centres), bins, dtype=torch.float64)
    columns = torch.arange(bins)
    matrix[upper - 1, columns] = 1.0 - part
    matrix[upper, columns] += part
    return matrix.float()


class Envelope(nn.Module):
    """Band means of power, and the carrier that they leave.

    Parameters
    ----------
    bins : int
    narrow, wide : int
        Bands of `step` bins from 0 on, and bands above them that grow wider and wider.
    step : int [bins]
    """

    pool: Tensor
    spread: Tensor

    def __init__(self, bins: int, narrow: int = 18, wide: int = 22, step: int = 5) -> None:
        super().__init__()
        span = -(-(bins - 1) // step) + 1
        centres = [min(step * c, bins - 1.0) for c in band_centres(span, narrow, wide)]
        self.bands = len(centres)
        matrix = hat_matrix(bins, centres)
        self.register_buffer("spread", matrix, persistent=False)
        mean = matrix / matrix.sum(dim=1, keepdim=True)
        self.register_buffer("pool", mean.T.contiguous(), persistent=False)

    def levels(self, power: Tensor) -> Tensor:
        """Mean power per band ``[batch, t, bins] -> [batch, t, bands]``."""
        return power @ self.pool

    def to_bins(self, values: Tensor) -> Tensor:
        """Interpolate ``[batch, t, bands] -> [batch, t, bins]``."""
        return values @ self.spread

    def carrier(self, x: Tensor, power: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
        """Divide a spectrum by its envelope.

        Parameters
        ----------
        x : Tensor [shape=(batch, 2, t, bins)]
        power : Tensor [shape=(batch, t, bins)]
            ``|x|^2``.
        floor : Tensor [shape=(batch, t, 1)]
            Power added to every band, so that what is all but silent stays quiet.

        Returns
        -------
        Tensor [shape=(batch, 2, t, bins)]
            Every band at unit mean power, phases as they were.
        Tensor [shape=(batch, t, bins)]
            Natural logarithm of its power per bin: the relief that bands do not see.
        """
        around = self.to_bins(self.levels(power)).float() + floor
        return x * torch.rsqrt(around).unsqueeze(1), torch.log(power / around + 1e-6)
