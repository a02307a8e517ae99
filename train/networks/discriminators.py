"""Networks that tell a style's own sound from an imitation.  They are never exported.

Two views: magnitude spectrograms at several resolutions (Jang et al., UnivNet, 2021) and waveforms
at several rates (Kumar et al., MelGAN, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from realtime.errors import ConfigError

from ..losses.adversarial import GAMES, feature_matching
from ..losses.spectral import RESOLUTIONS, magnitudes

Verdict = tuple[Tensor, list[Tensor]]  # score of any shape, features of the inner layers


class SpectralDiscriminator(nn.Module):
    """Convolutions over a log-magnitude spectrogram: ``x [batch, n] -> score, features``."""

    def __init__(self, n_fft: int, hop: int, channels: int = 32) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        widths = [1, channels, channels, channels, channels]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (9, 3), stride=(2, 1) if i else 1, padding=(4, 1)))
            for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False))
        )
        self.head = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, x: Tensor) -> Verdict:
        """Score every patch of the picture."""
        h, features = torch.log(magnitudes(x, self.n_fft, self.hop)).unsqueeze(1), []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.1)
            features.append(h)
        return self.head(h), features


class WaveformDiscriminator(nn.Module):
    """Grouped, strided convolutions over samples, after halving the rate `halvings` times."""

    def __init__(self, halvings: int, channels: int = 16) -> None:
        super().__init__()
        self.halvings = halvings
        widths = [channels, 4 * channels, 16 * channels]
        layers = [nn.Conv1d(1, channels, 15, padding=7)]
        for a, b in zip(widths, widths[1:], strict=False):
            layers.append(nn.Conv1d(a, b, 41, stride=4, groups=a // 4, padding=20))
        layers.append(nn.Conv1d(widths[-1], widths[-1], 5, padding=2))
        self.layers = nn.ModuleList(weight_norm(layer) for layer in layers)
        self.head = weight_norm(nn.Conv1d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Verdict:
        """Score every few samples."""
        h, features = x.unsqueeze(1), []
        for _ in range(self.halvings):
            h = F.avg_pool1d(h, 4, stride=2, padding=1, count_include_pad=False)
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return self.head(h), features


class Adversary(nn.Module):
    """Several discriminators and how much they count.

    Parameters
    ----------
    discriminators : sequence of nn.Module
        ``x [batch, n] -> score, features``.
    kind : str
        Name in :data:`train.losses.adversarial.GAMES`.
    weight, feature_weight : float
        Of the adversarial term and of feature matching, beside the recipe's own loss.
    begin : float
        Progress 0..1 from which they take part: before, the network learns the target's rough
        spectrum faster without them.
    rate : float
        Learning rate of the discriminators.
    """

    second = "features"  # what the log calls the second of the generator's terms

    def __init__(
        self,
        discriminators: Sequence[nn.Module],
        kind: str = "hinge",
        weight: float = 0.1,
        feature_weight: float = 1.0,
        begin: float = 0.5,
        rate: float = 2e-4,
    ) -> None:
        super().__init__()
        if kind not in GAMES:
            raise ConfigError(f"no adversarial loss '{kind}'; there are {', '.join(GAMES)}")
        self.discriminators = nn.ModuleList(discriminators)
        self.kind, self.weight, self.feature_weight = kind, weight, feature_weight
        self.begin, self.rate = begin, rate

    def forward(self, x: Tensor) -> list[Verdict]:
        """What each discriminator says of ``x [batch, n]``."""
        return [d(x) for d in self.discriminators]

    def discriminator_loss(self, verdicts: list[Verdict]) -> Tensor:
        """Loss of verdicts on as many real as imitated sounds, in this order along the batch."""
        halves = [score.chunk(2) for score, _ in verdicts]
        return GAMES[self.kind].discriminator([h[0] for h in halves], [h[1] for h in halves])

    def generator_terms(self, y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Adversarial term and feature matching of an imitation and what it should be."""
        with torch.no_grad():
            real = [features for _, features in self(target)]
        fake = self(y)
        fooled = GAMES[self.kind].generator([score for score, _ in fake])
        return fooled, feature_matching(real, [features for _, features in fake])

    def figures(self, y: Tensor, target: Tensor) -> Tensor | None:
        """What tells a collapse of this step, one number each; None: nobody watches."""
        return None

    def note(self, figures: Tensor) -> None:
        """Raise :class:`train.networks.collapse.Collapse` where these are hopeless."""


def spectral_adversary(channels: int = 32, **settings: float | str) -> Adversary:
    """One spectral discriminator per resolution of the STFT distance."""
    views = [SpectralDiscriminator(n_fft, hop, channels) for n_fft, hop in RESOLUTIONS]
    return Adversary(views, **settings)  # type: ignore[arg-type]


def waveform_adversary(scales: int = 3, channels: int = 16, **settings: float | str) -> Adversary:
    """MelGAN's discriminators at the full rate, a half, a quarter..."""
    views = [WaveformDiscriminator(halvings, channels) for halvings in range(scales)]
    return Adversary(views, **settings)  # type: ignore[arg-type]
