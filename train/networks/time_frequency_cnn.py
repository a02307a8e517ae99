"""Time-frequency CNN: small dense convolutions over complex frames, as speech enhancers use them.

Two frames by three bins a kernel; down to an eighth of the bins and back with skips (the shape of
Ronneberger's U-Net, 2015, without looking ahead).  Few weights, many products: the same kernel
slides over all bins, so it learns what is alike everywhere and not what an instrument does where.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Streamable

COMPRESSION = 0.3
HEADS = ("mask", "mapping", "hybrid")


class CausalConv2d(nn.Module):
    """Two frames (now and `dilation` ago) by three bins.

    Shape: ``x [batch, inputs, t, bins] -> [batch, outputs, t, bins / stride]``, state ``[batch,
    inputs, dilation, bins]``.
    """

    def __init__(
        self, inputs: int, outputs: int, bins: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.dilation, self.state_shape = dilation, (inputs, dilation, bins)
        self.conv = nn.Conv2d(
            inputs, outputs, (2, 3), (1, stride), padding=(0, 1), dilation=(dilation, 1)
        )

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve; the new state is the newest frames."""
        full = torch.cat([state, x], dim=2)
        return self.conv(full), full[:, :, -self.dilation :]


class TimeFrequencyCNN(Streamable):
    """Spectrum in, spectrum out.

    Shape: ``x [batch, 2, t, bins] -> y [batch, 2, t, bins]``, `bins` a multiple of 8 and one more
    (the Nyquist bin is left out and comes back as zero).

    Parameters
    ----------
    bins, channels : int
    head : str
        ``mask`` multiplies the input by complex numbers, ``mapping`` answers with the spectrum
        itself, ``hybrid`` adds both.
    dilations : tuple of int [frames]
    max_gain : float
        Largest factor of the mask.
    """

    def __init__(
        self,
        bins: int,
        channels: int = 16,
        head: str = "hybrid",
        dilations: tuple[int, ...] = (1, 2, 4, 8, 16),
        max_gain: float = 8.0,
    ) -> None:
        super().__init__()
        if head not in HEADS or (bins - 1) % 8:
            raise ValueError(f"head must be one of {HEADS} and bins - 1 a multiple of 8")
        self.head, self.max_gain, n = head, max_gain, bins - 1
        widths = (3, channels, channels)
        self.down = nn.ModuleList(
            CausalConv2d(w, channels, n >> k, stride=2) for k, w in enumerate(widths)
        )
        self.middle = nn.ModuleList(
            CausalConv2d(channels, channels, n // 8, dilation=d) for d in dilations
        )
        self.up = nn.ModuleList(
            nn.Conv2d(w, channels, (1, 3), padding=(0, 1))
            for w in (2 * channels, 2 * channels, channels)
        )
        planes = {"mask": 2, "mapping": 2, "hybrid": 4}[head]
        self.out = nn.Conv2d(channels, planes, (1, 3), padding=(0, 1))
        self.state_shapes = [layer.state_shape for layer in (*self.down, *self.middle)]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Normalise, narrow, remember, widen, answer."""
        frames, held, new = x[..., :-1], list(states), []
        power = frames.square().sum(dim=1, keepdim=True)
        level = torch.sqrt(power.mean(dim=3, keepdim=True) + 1e-6)
        magnitude = torch.sqrt(power / level.square() + 1e-6)
        squeezed = magnitude.pow(COMPRESSION)
        scaled = frames / level
        h, skips = torch.cat([squeezed, scaled * (squeezed / magnitude)], dim=1), []
        for layer in self.down:
            h, state = layer(h, held.pop(0))
            h = F.silu(h)
            skips.append(h)
            new.append(state)
        for layer in self.middle:
            z, state = layer(h, held.pop(0))
            h = h + F.silu(z)
            new.append(state)
        for conv, skip in zip(self.up, (skips[1], skips[0], None), strict=True):
            h = h.unsqueeze(4).expand(-1, -1, -1, -1, 2).flatten(3)  # every bin twice
            h = F.silu(conv(h if skip is None else torch.cat([h, skip], dim=1)))
        planes = self.out(h)
        y = torch.zeros_like(scaled)
        if self.head != "mapping":
            mask = self.max_gain * torch.tanh(planes[:, :2] / self.max_gain)
            real = scaled[:, :1] * mask[:, :1] - scaled[:, 1:] * mask[:, 1:]
            imaginary = scaled[:, :1] * mask[:, 1:] + scaled[:, 1:] * mask[:, :1]
            y = torch.cat([real, imaginary], dim=1)
        if self.head != "mask":
            y = y + planes[:, -2:]
        return (F.pad(y * level, (0, 1)), *new)
