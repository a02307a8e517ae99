"""Style as statistics of features, where no recording of the wanted result exists.

Features come from log-mel frames through one wide layer of random convolutions, which is enough to
describe texture (Ulyanov & Lebedev, "Audio texture synthesis and style transfer", 2016).  Style is
then what is left when time is averaged away: the Gram matrix (Gatys et al., 2016) or mean and
deviation of each channel (Huang & Belongie, AdaIN, 2017).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mel import mel_matrix
from .spectral import magnitudes


class RandomFeatures(nn.Module):
    """``x [batch, n] -> [batch, channels, frames]``: log-mel, fixed random convolution, ReLU.

    Parameters
    ----------
    channels, bands, kernel : int
        `kernel` in frames.
    n_fft, hop, sample_rate : int
    seed : int
        The same seed gives the same features everywhere.
    """

    def __init__(
        self,
        channels: int = 256,
        bands: int = 40,
        kernel: int = 11,
        n_fft: int = 2048,
        hop: int = 512,
        sample_rate: int = 48000,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        rng = np.random.default_rng(seed)
        weights = rng.standard_normal((channels, bands, kernel)) * np.sqrt(2 / (bands * kernel))
        self.register_buffer("weights", torch.from_numpy(weights.astype(np.float32)))
        self.register_buffer("mel", mel_matrix(n_fft, bands, sample_rate).T.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Features of a signal of at least `kernel` frames."""
        mel = self.mel.to(x) @ magnitudes(x, self.n_fft, self.hop)
        return F.relu(F.conv1d(torch.log10(mel + 1e-4), self.weights.to(x)))


def gram(features: Tensor) -> Tensor:
    """``[batch, c, t] -> [batch, c, c]``: mean over time of products of channels."""
    return features @ features.transpose(1, 2) / features.shape[2]


def gram_distance(y: Tensor, style: Tensor) -> Tensor:
    """``|G_y - G_s|_F / |G_s|_F`` of features ``[batch, c, t]``; lengths may differ.

    The style's matrices are averaged over its batch: a style is a set of recordings.
    """
    wanted = gram(style).mean(dim=0, keepdim=True)
    error = (gram(y) - wanted).square().sum(dim=(1, 2))
    return torch.sqrt(error / (wanted.square().sum() + 1e-9) + 1e-12).mean()


def statistics_distance(y: Tensor, style: Tensor) -> Tensor:
    """Mean absolute difference of the channels' means and standard deviations over time."""
    deviations = [torch.sqrt(f.var(dim=2, correction=0) + 1e-6) for f in (y, style)]
    means = [f.mean(dim=2) for f in (y, style)]
    terms = [(a - b.mean(dim=0, keepdim=True)).abs().mean() for a, b in (means, deviations)]
    return terms[0] + terms[1]
