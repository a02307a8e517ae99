"""Latent autoencoder: a frame's envelope through a few numbers, rebuilt in a style.

The encoder hears the frames so far and says, once per hop, a handful of numbers: the frame's level
and the latent proper.  Knobs shift them, the style's decoder turns them into how loud every band is
to be, how far its partials stand out, and how much noise there is.  The carrier, the input's own
spectrum with its envelope divided out, passes beside the latent: it brings phases, pitches and the
relief inside a band, and no band's level.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .envelope import QUIETEST, Envelope
from .layers import Film, GatedBlock, Streamable, blend_weights
from .noise import NoiseTable

FLOOR = 1e-6  # added to powers, so that digital silence has a logarithm
LEVEL_SCALE = 0.25  # of the logarithm of power, as the first of the numbers
BOUND = 3.0  # of every latent, by tanh
LOUDEST, QUIETEST_GAIN = 5.0, -12.0  # natural logarithm of a band's amplitude over the frame's


def cepstral(bands: int, numbers: int) -> tuple[nn.Linear, nn.Linear]:
    """Layers that begin as a cepstrum of log band powers and its inverse, to log amplitudes.

    With them the network is a fair autoencoder before its first step (a truncated cosine transform
    of log bands is near their principal components; Davis & Mermelstein, 1980).  Coefficient k is
    divided by ``7 / sqrt(1 + k)``, which is about its deviation in music; the mean spectrum is
    taken to fall evenly by 16 nepers of power.
    """
    order, band = torch.arange(numbers)[:, None], torch.arange(bands)[None]
    basis = (2.0 / bands) ** 0.5 * torch.cos(torch.pi * order * (band + 0.5) / bands)
    basis[0] *= 0.5**0.5
    size = 7.0 / torch.sqrt(1.0 + order)
    falling = torch.linspace(2.0, -14.0, bands)
    there, back = nn.Linear(bands, numbers), nn.Linear(numbers, bands)
    with torch.no_grad():
        there.weight.copy_(basis / size)
        there.bias.copy_(-there.weight @ falling)
        back.weight.copy_(0.5 * (basis * size).T)
        back.bias.copy_(0.5 * falling)
    return there, back


class LatentNet(Streamable):
    """Spectrum in, spectrum out, through `latent` numbers per frame.

    Shape: ``x [batch, 2, t, bins], controls [1 or batch, styles + knobs + 1] -> y as x``.

    Parameters
    ----------
    bins : int
    styles, latent, knobs : int
        Style embeddings; numbers per frame, the level among them; directions with a knob.
    inner, outer : int
        Channels of the encoder's and the decoder's blocks.
    hears, remembers : tuple of int [frames]
        Dilations of the encoder's and the decoder's blocks.
    blur : float
        Deviation of the noise that training adds to the latent: it bounds what one number can
        carry (a Gaussian channel) and makes near latents sound alike.
    bands : tuple of int
        See :class:`train.networks.envelope.Envelope`.

    Attributes
    ----------
    mean, scale : Tensor [shape=(latent,)]
        Of the latent over the training's inputs; :meth:`tune` sets them and what follows.
    style_mean, style_scale : Tensor [shape=(styles, latent)]
        Of each style's own sound.
    directions : Tensor [shape=(knobs, latent)]
        What a knob at 1 adds.
    """

    mean: Tensor
    scale: Tensor
    style_mean: Tensor
    style_scale: Tensor
    directions: Tensor

    def __init__(
        self,
        bins: int,
        styles: int,
        latent: int = 16,
        knobs: int = 6,
        *,
        inner: int = 128,
        outer: int = 144,
        hears: tuple[int, ...] = (1, 2, 4, 8),
        remembers: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64),
        blur: float = 0.1,
        bands: tuple[int, int, int] = (18, 22, 5),
    ) -> None:
        super().__init__()
        self.styles, self.latent, self.knobs, self.blur = styles, latent, knobs, blur
        self.n_controls = styles + knobs + 1
        self.envelope = Envelope(bins, *bands)
        self.bands = self.envelope.bands
        self.hear = nn.Linear(self.bands + 1, inner)
        self.encoder = nn.ModuleList(GatedBlock(inner, d) for d in hears)
        self.squeeze = nn.Linear(inner, latent - 1)
        self.cepstrum, self.expand = cepstral(self.bands, latent - 1)
        self.unfold = nn.Linear(latent, outer)
        self.decoder = nn.ModuleList(GatedBlock(outer, d) for d in remembers)
        self.films = nn.ModuleList(Film(styles, outer) for _ in remembers)
        self.decode = nn.Linear(outer, 3 * self.bands)
        for layer in (self.squeeze, self.decode):
            nn.init.normal_(layer.weight, std=1e-2)
            nn.init.zeros_(layer.bias)
        self.noise = NoiseTable(bins)
        blocks = [*self.encoder, *self.decoder]
        self.state_shapes = [b.state_shape for b in blocks] + [self.noise.state_shape]
        for name, value in (
            ("mean", torch.zeros(latent)),
            ("scale", torch.ones(latent)),
            ("style_mean", torch.zeros(styles, latent)),
            ("style_scale", torch.ones(styles, latent)),
            ("directions", torch.zeros(knobs, latent)),
        ):
            self.register_buffer(name, value, persistent=False)

    def encode(
        self, power: Tensor, level: Tensor, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Latent ``[batch, t, latent]`` of frames of a `power` and mean power `level`, states."""
        logarithm = torch.log(level)
        bands = torch.log(self.envelope.levels(power).float() / level + FLOOR)
        h = self.hear(torch.cat([0.25 * bands + 1.0, 0.2 * logarithm], dim=2))
        new = []
        for block, state in zip(self.encoder, states, strict=True):
            h, state = block(h, state)
            new.append(state)
        inner = self.squeeze(h).float() + self.cepstrum(bands).float()
        inner = BOUND * torch.tanh(inner / BOUND)
        if self.training and self.blur:
            inner = inner + self.blur * torch.randn_like(inner)
        return torch.cat([LEVEL_SCALE * logarithm, inner], dim=2), new

    def adjust(self, z: Tensor, weights: Tensor, turned: Tensor) -> Tensor:
        """Move a latent towards the style's statistics and along the knobs' directions.

        Parameters
        ----------
        z : Tensor [shape=(batch, t, latent)]
        weights : Tensor [shape=(1 or batch, styles)]
        turned : Tensor [shape=(1 or batch, knobs + 1)]
            The knobs, and last how far towards the statistics (AdaIN, Huang & Belongie, 2017).
        """
        normal = (z - self.mean) / self.scale
        means, scales = weights @ self.style_mean, weights @ self.style_scale
        there = means.unsqueeze(1) + scales.unsqueeze(1) * normal
        match = turned[:, self.knobs :].unsqueeze(1)
        z = z + match * (there - z)
        return z + (turned[:, : self.knobs] @ self.directions).unsqueeze(1)

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Measure, encode, adjust, decode, and give the carrier its new envelope."""
        controls, states = rest[0], list(rest[1:])
        weights = blend_weights(controls[:, : self.styles])
        power = x.square().sum(dim=1)  # [batch, t, bins]
        level = power.mean(dim=2, keepdim=True) + FLOOR
        cut = len(self.encoder)
        z, new = self.encode(power, level, states[:cut])
        z = self.adjust(z, weights, controls[:, self.styles :])
        h, states = self.unfold(z), states[cut:]
        for block, film in zip(self.decoder, self.films, strict=True):
            h, state = block(h, states.pop(0), film(weights))
            new.append(state)
        heads = self.decode(h).float().split(self.bands, dim=2)
        loud = self.envelope.to_bins(heads[0] + self.expand(z[..., 1:]).float()).float()
        contrast, hiss = (self.envelope.to_bins(head).float() for head in heads[1:])
        loudness = (0.5 / LEVEL_SCALE) * z[..., :1]  # logarithm of the frame's amplitude
        carrier, relief = self.envelope.carrier(x, power, QUIETEST * level + FLOOR)
        sharper = torch.tanh(contrast) * 0.5 * relief  # from none of the relief to twice as much
        gain = loud.clamp(QUIETEST_GAIN, LOUDEST) + sharper.clamp(-8.0, 4.0)
        noise, state = self.noise(level, states.pop(0))
        new.append(state)
        sounding = torch.sqrt((level - FLOOR) / level)  # 0 in digital silence, else 1
        amount = torch.exp((loud + hiss - 3.0).clamp(QUIETEST_GAIN, LOUDEST) + loudness) * sounding
        y = carrier * torch.exp(gain + loudness).unsqueeze(1) + noise * amount.unsqueeze(1)
        return (y, *new)
