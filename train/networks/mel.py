"""Networks that look at log-mel pictures: discriminators at several scales, and what knows content.

The pictures are free of level: how loud a sound is says nothing of whose it is, and a converter
cannot win by being louder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from realtime.errors import ConfigError

from ..losses.mel import mel_matrix
from ..losses.spectral import magnitudes

RATE = 48000
FLOOR = 1e-5  # power under a recording's own mean at which bands count as silent (-50 dB)
NORMS = {"weight": weight_norm, "spectral": spectral_norm, "none": lambda layer: layer}


class LogMel(nn.Module):
    """``x [batch, n] -> [batch, bands, frames]``: log power per band over the recording's mean."""

    matrix: Tensor

    def __init__(self, n_fft: int, hop: int, bands: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("matrix", mel_matrix(n_fft, bands, RATE).T.clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Measure; silence is flat and has finite gradients."""
        power = self.matrix.to(x) @ magnitudes(x, self.n_fft, self.hop).square()
        level = power.mean(dim=(1, 2), keepdim=True) + 1e-6
        return torch.log(power / level + FLOOR)


class MelDiscriminator(nn.Module):
    """Strided convolutions over a log-mel picture: ``x [batch, n] -> score, features``.

    Parameters
    ----------
    n_fft, hop, bands : int
    channels : int
        Of the first layer; doubled once.
    norm : str
        ``weight``; ``spectral``: the kernel as a matrix ``[out, in * rows * columns]`` has norm one
        (Miyato et al., 2018), which bounds the convolution's own norm by the root of how often the
        kernel covers a place, not by one (Tsuzuku et al., 2018); or ``none``.
    """

    def __init__(
        self, n_fft: int, hop: int, bands: int = 96, channels: int = 16, norm: str = "weight"
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ConfigError(f"no norm '{norm}' of discriminators; there are {', '.join(NORMS)}")
        self.picture = LogMel(n_fft, hop, bands)
        wrap, widths = NORMS[norm], [1, channels, 2 * channels, 2 * channels, 2 * channels]
        self.layers = nn.ModuleList(
            wrap(nn.Conv2d(a, b, (5, 5), stride=2 if i < 3 else (2, 1), padding=2))
            for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False))
        )
        self.head = wrap(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def view(self, x: Tensor) -> Tensor:
        """The picture ``[batch, bands, frames]`` it looks at."""
        return 0.5 * self.picture(x) + 2.0  # about zero mean and unit variance

    def judge(self, view: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of a picture."""
        h, features = view.unsqueeze(1), []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return self.head(h), features

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of a sound."""
        return self.judge(self.view(x))


class ContentEncoder(nn.Module):
    """Vectors that know a place of a recording: ``x [batch, n] -> [batch, places, channels]``.

    Two convolutions over time on a log-mel picture, each place about 43 ms (stride of 4 frames).
    """

    def __init__(self, bands: int = 96, hidden: int = 96, channels: int = 48) -> None:
        super().__init__()
        self.picture = LogMel(2048, 512, bands)
        self.first = nn.Conv1d(bands, hidden, 5, stride=2, padding=2)
        self.second = nn.Conv1d(hidden, channels, 5, stride=2, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        """Embed."""
        h = F.leaky_relu(self.first(0.5 * self.picture(x) + 2.0), 0.2)
        return self.second(h).transpose(1, 2)
