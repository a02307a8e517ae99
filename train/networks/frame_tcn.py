"""Frame TCN: causal gated convolutions over STFT frames that say how loud every bin is to become.

The network hears log magnitudes relative to the frame's own level and answers, band by band, with a
gain and with how much of the bands' own relief to level out: 0 keeps it (a mask), 1 replaces it by
the gain alone (as a vocoder does).  What it answers reaches the bins through
:mod:`train.networks.clean_mask`, so partials keep their pitch and no tone comes that was not
played; silence stays silence.  Breath, bow and hiss, which no gain can make from a tone, come from
a noise table with a gain of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bands import band_matrices
from .clean_mask import FRAMES, Mask, Soften, Steady, limited
from .layers import Film, GatedBlock, Streamable, blend_weights
from .noise import NoiseTable

COMPRESSION = 0.3  # power applied to magnitudes at the input, as Ephrat et al., 2018
FLOOR = 1e-6  # added to powers, so that digital silence has a logarithm
LOWEST, HIGHEST = -9.0, 4.0  # natural logarithm of the noise's gain
RISE = 1.5  # power over the last frame's from which something is new
NEW = 12.0  # what wholly new power adds to the rate of forgetting at the beginning
SOFT = 1 / 8  # of n_fft: fall of the window that the network hears through


def novelty(power: Tensor, before: Tensor) -> Tensor:
    """Share of a frame's power that was not there a frame ago, 0..1 ``[b, t, 1]``.

    Parameters
    ----------
    power : Tensor [shape=(b, t, bands)]
    before : Tensor [shape=(b, 1, bands)]
        Of the frame before the first.
    """
    last = torch.cat([before, power[:, :-1]], dim=1)
    more = torch.relu(power - RISE * last).sum(dim=2, keepdim=True)
    return more / (power.sum(dim=2, keepdim=True) + FLOOR)


class FrameTCN(Streamable):
    """Spectrum in, spectrum out.

    Shape: ``x [batch, 2, t, bins] -> y [batch, 2, t, bins]`` (real and imaginary plane).

    Parameters
    ----------
    bins, narrow, wide : int
        Frequency bins; how many of the lowest are bands of their own; bands above them.
    hidden : int
        Channels of the temporal stack.
    dilations : tuple of int [frames]
        One gated block each; together they hear ``1 + sum(dilations)`` frames.
    noise : bool
        Give the network a noise table.
    dry : bool
        Let the input's own bins through; without them noise alone is heard.
    n_controls : int
        Blend weights that steer every block (FiLM).

    Attributes
    ----------
    receptive_field : int [frames]
    """

    pool: Tensor

    def __init__(
        self,
        bins: int,
        hidden: int,
        dilations: tuple[int, ...],
        *,
        narrow: int = 192,
        wide: int = 64,
        noise: bool = False,
        dry: bool = True,
        n_controls: int = 0,
    ) -> None:
        super().__init__()
        self.bins, self.narrow, self.bands = bins, narrow, narrow + wide
        pool, to_bins = band_matrices(bins, narrow, wide)
        self.register_buffer("pool", pool, persistent=False)
        self.mask, self.soften = Mask(to_bins), Soften(bins, round(SOFT * 2 * (bins - 1)))
        self.encode = nn.Linear(self.bands + 1, hidden)
        self.blocks = nn.ModuleList(GatedBlock(hidden, d) for d in dilations)
        self.state_shapes = [block.state_shape for block in self.blocks]
        if not (dry or noise):
            raise ValueError("a network without dry bins needs noise")
        self.forget = nn.Linear(hidden + 1, 1)
        nn.init.normal_(self.forget.weight, std=1e-3)
        with torch.no_grad():  # what is new ends the memory from the first step of a training on
            self.forget.weight[:, -1] = NEW
        nn.init.constant_(self.forget.bias, -5.0)
        self.steady = Steady((dry + noise) * self.bands)
        self.state_shapes += [*self.steady.state_shapes, (1, self.bands)]
        self.receptive_field = 1 + sum(dilations) + FRAMES - 1
        self.noise = NoiseTable(bins) if noise else None
        if self.noise is not None:
            self.state_shapes.append(self.noise.state_shape)
        self.dry = dry
        self.heads = 2 * dry + noise
        self.decode = nn.Linear(hidden, self.heads * self.bands)
        nn.init.normal_(self.decode.weight, std=1e-2)
        nn.init.zeros_(self.decode.bias)
        self.n_controls = n_controls
        self.films = nn.ModuleList(Film(n_controls, hidden) for _ in dilations if n_controls)

    def _to_bands(self, power: Tensor) -> Tensor:
        """Mean power per band ``[batch, t, bins] -> [batch, t, bands]``."""
        return torch.cat([power[..., : self.narrow], power[..., self.narrow :] @ self.pool], dim=2)

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Measure, encode, remember, decode, steady, and scale the input's bins."""
        films: list[tuple[Tensor, Tensor] | None] = [None] * len(self.blocks)
        if self.n_controls:
            weights, rest = blend_weights(rest[0]), rest[1:]
            films = [film(weights) for film in self.films]
        states = list(rest)
        power = self.soften(x).square().sum(dim=1)  # [batch, t, bins]
        level = power.mean(dim=2, keepdim=True) + FLOOR
        heard = self._to_bands(power)
        relief = torch.log(heard / level + FLOOR)
        squeezed = torch.exp(0.5 * COMPRESSION * relief)
        h = self.encode(torch.cat([squeezed, 0.2 * torch.log(level)], dim=2))
        new = []
        for block, film in zip(self.blocks, films, strict=True):
            h, state = block(h, states.pop(0), film)
            new.append(state)
        heads = self.decode(h).split(self.bands, dim=2)
        wanted = []
        if self.dry:
            levelled = 0.5 * torch.sigmoid(heads[1] - 1.0) * relief
            wanted.append(limited(heads[0] - 1.0 - levelled))
        if self.noise is not None:
            wanted.append((heads[-1] - 3.0).clamp(LOWEST, HIGHEST))
        before = states.pop(2)
        forget = F.softplus(self.forget(torch.cat([h, novelty(heard, before)], dim=2)))
        gains, *held = self.steady(torch.cat(wanted, dim=2), forget, states.pop(0), states.pop(0))
        new += [*held, heard[:, -1:]]
        y = self.mask(x, gains[..., : self.bands]) if self.dry else torch.zeros_like(x)
        if self.noise is not None:
            noise, state = self.noise(level, states.pop(0))
            new.append(state)
            loud = torch.sqrt(level - FLOOR).unsqueeze(1)
            y = y + self.mask(noise * loud, gains[..., -self.bands :])
        return (y, *new)
