"""What discriminators and the network they judge minimise.

Scores are lists, one tensor of any shape per discriminator; features are lists of lists of tensors,
one per layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Scores = Sequence[Tensor]
Features = Sequence[Sequence[Tensor]]


def hinge_discriminator(real: Scores, fake: Scores) -> Tensor:
    """``mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake))`` (Lim & Ye, 2017), scales averaged."""
    terms = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def hinge_generator(fake: Scores) -> Tensor:
    """``-mean D(fake)``, mean over scales (Kumar et al., MelGAN, 2019)."""
    return -torch.stack([f.mean() for f in fake]).mean()


def lsgan_discriminator(real: Scores, fake: Scores) -> Tensor:
    """``mean (D(real) - 1)^2 + mean D(fake)^2`` (Mao et al., 2017), mean over scales."""
    terms = [(r - 1).square().mean() + f.square().mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def lsgan_generator(fake: Scores) -> Tensor:
    """``mean (D(fake) - 1)^2``, mean over scales."""
    return torch.stack([(f - 1).square().mean() for f in fake]).mean()


def feature_matching(real: Features, fake: Features) -> Tensor:
    """Mean absolute difference of the discriminators' inner layers (Larsen et al., 2016; MelGAN).

    Each layer's difference is divided by the mean size of the real features (Défossez et al.,
    EnCodec, 2022), so that layers of any scale count alike.  The real side gets no gradient.
    """
    terms = []
    for ours, theirs in zip(fake, real, strict=True):
        for f, r in zip(ours, theirs, strict=True):
            r = r.detach()
            terms.append((f - r).abs().mean() / (r.abs().mean() + 1e-5))
    return torch.stack(terms).mean()
