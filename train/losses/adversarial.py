"""What discriminators and the network they judge minimise.

Scores are lists, one tensor of any shape per discriminator; features are lists of lists of tensors,
one per layer.  A score `s` is a logit where probabilities are spoken of: ``D(x) = sigmoid(s)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Scores = Sequence[Tensor]
Features = Sequence[Sequence[Tensor]]


def minimax_discriminator(real: Scores, fake: Scores) -> Tensor:
    """Minus the value of the game, mean over scales (Goodfellow et al., 2014, eq. 1).

    ``V = E log D(x) + E log(1 - D(G(z)))`` is what the discriminator *raises*, so its loss is
    ``-V = mean softplus(-s_real) + mean softplus(s_fake)``; 2 log 2 where it cannot tell.
    """
    terms = [F.softplus(-r).mean() + F.softplus(f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def minimax_generator(fake: Scores) -> Tensor:
    """``mean log(1 - D(fake)) = -mean softplus(s)``: what the generator lowers in the same game.

    Its gradient by the score is ``-sigmoid(s)``, which vanishes just where the discriminator is
    sure of itself (ibid., section 3): here for comparison, :func:`non_saturating_generator` to use.
    """
    return -torch.stack([F.softplus(f).mean() for f in fake]).mean()


def non_saturating_generator(fake: Scores) -> Tensor:
    """``-mean log D(fake) = mean softplus(-s)`` (Goodfellow et al., 2014, section 3).

    The same fixed point as the minimax loss; the gradient ``-sigmoid(-s)`` is largest where the
    discriminator is sure.
    """
    return torch.stack([F.softplus(-f).mean() for f in fake]).mean()


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


def r1_penalty(scores: Scores, views: Sequence[Tensor]) -> Tensor:
    """R1, ``1/2 mean |dD(x)/dx|^2`` on real sounds alone (Mescheder et al., 2018, eq. 9).

    It keeps the discriminator flat where the real sounds are, so that the game settles.

    Parameters
    ----------
    scores : sequence of Tensor [shape=(batch, ...)]
        Of each discriminator, for real sounds; a patch score is averaged over its patches.
    views : sequence of Tensor [shape=(batch, ...)]
        What each discriminator saw, requiring gradients.  For spectral ones these are the
        log pictures, not the samples: the logarithm's slope at silence has no bound.
    """
    sums = [s.flatten(1).mean(dim=1).sum() for s in scores]
    slopes = torch.autograd.grad(sums, list(views), create_graph=True)
    return torch.stack([0.5 * g.flatten(1).square().sum(dim=1).mean() for g in slopes]).mean()


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


def mean_matching(real: Features, fake: Features) -> Tensor:
    """Feature matching without pairs (Salimans et al., 2016, section 3.1): means over a batch.

    The means are over recordings and time, one per layer, channel and row of the picture, so that
    what is compared is how much there is of a feature and not where.  Scaled as
    :func:`feature_matching`; the real side gets no gradient.

    Parameters
    ----------
    real, fake : features of shape ``[batch, channels, rows, time]``
        Of different performances.
    """
    terms = []
    for ours, theirs in zip(fake, real, strict=True):
        for f, r in zip(ours, theirs, strict=True):
            r = r.detach()
            apart = f.mean(dim=(0, 3)) - r.mean(dim=(0, 3))
            terms.append(apart.abs().mean() / (r.abs().mean() + 1e-5))
    return torch.stack(terms).mean()


class Game(NamedTuple):
    """A pair of losses; `middle`: score between real and fake; `chance`: the guesser's loss."""

    discriminator: Callable[[Scores, Scores], Tensor]
    generator: Callable[[Scores], Tensor]
    middle: float
    chance: float


GAMES = {
    "hinge": Game(hinge_discriminator, hinge_generator, 0.0, 2.0),
    "lsgan": Game(lsgan_discriminator, lsgan_generator, 0.5, 0.5),
    "non-saturating": Game(minimax_discriminator, non_saturating_generator, 0.0, 1.3862944),
    "minimax": Game(minimax_discriminator, minimax_generator, 0.0, 1.3862944),
}
