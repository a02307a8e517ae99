"""Layers with explicit state.

Every layer maps ``(x, state) -> (y, state)``; the state holds what the layer must remember of the
past and is never kept inside the module.  A whole signal and its hops one by one run through the
same code, so streaming equals offline by construction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CausalConv(nn.Module):
    """Dilated causal convolution over samples.

    Shape: ``x [batch, inputs, t] -> y [batch, outputs, t]``, state ``[batch, inputs, past]`` with
    ``past = (kernel - 1) * dilation``.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.state_shape = (inputs, self.past)
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve; the new state is the newest `past` inputs."""
        full = torch.cat([state, x], dim=2)
        return self.conv(full), full[:, :, -self.past :]


class FrameNorm(nn.Module):
    """RMS norm over channels, each frame for itself (Zhang & Sennrich, 2019): no state."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale every frame ``x [batch, t, channels]`` to unit RMS."""
        power = x.square().mean(dim=2, keepdim=True)
        return x * torch.rsqrt(power + 1e-5) * self.weight


class Film(nn.Module):
    """Feature-wise scale and shift by the style's controls (FiLM, Perez et al., AAAI 2018)."""

    def __init__(self, controls: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(controls, 2 * channels)
        nn.init.normal_(self.linear.weight, std=0.1)
        nn.init.zeros_(self.linear.bias)

    def forward(self, controls: Tensor) -> tuple[Tensor, Tensor]:
        """``controls [batch, c] ->`` scale around 1 and shift around 0, each ``[batch, ch]``."""
        scale, shift = self.linear(controls).chunk(2, dim=1)
        return 1.0 + scale, shift

    def moving(self, controls: Tensor, away: Tensor, fading: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift per sample ``[batch, ch, t]`` while controls are still on their way.

        They are ``controls + away * fading``: ``controls, away [batch, c]``, ``fading [batch, 1,
        t]``.  The layer is linear, so its outputs take the same way.
        """
        at = self.linear(controls).unsqueeze(2)
        rest = nn.functional.linear(away, self.linear.weight).unsqueeze(2)
        scale, shift = (at + rest * fading).chunk(2, dim=1)
        return 1.0 + scale, shift


class GatedBlock(nn.Module):
    """Residual block: norm, causal convolution of two taps, gated linear unit (Dauphin, 2017).

    Frames lie along the second axis, ``[batch, t, channels]``, so that the two taps are one matrix
    product; that trains faster than a convolution and streams as fast.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = FrameNorm(channels)
        self.mix = nn.Linear(2 * channels, 2 * channels)
        self.dilation = dilation
        self.state_shape = (dilation, channels)

    def forward(
        self, x: Tensor, state: Tensor, film: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Shape: ``x [batch, t, channels]``; the state holds the newest `dilation` frames."""
        h = self.norm(x)
        if film is not None:
            h = h * film[0].unsqueeze(1) + film[1].unsqueeze(1)
        full = torch.cat([state, h], dim=1)
        taps = torch.cat([full[:, : -self.dilation], full[:, self.dilation :]], dim=2)
        return x + F.glu(self.mix(taps), dim=2), full[:, -self.dilation :]


class Streamable(nn.Module):
    """A network ``forward(x, *states) -> (y, *states)`` that knows its states' shapes.

    A network with controls takes them second: ``forward(x, controls, *states)``.

    Attributes
    ----------
    state_shapes : list of tuple
        Without the batch axis, in the order of the arguments.
    n_controls : int
    hop_by_hop : bool
        Its graph takes one hop at a time and no more.
    """

    state_shapes: list[tuple[int, ...]]
    n_controls: int = 0
    hop_by_hop: bool = False

    def initial_state(self, batch: int) -> list[Tensor]:
        """Zeros for every state."""
        return [torch.zeros(batch, *shape) for shape in self.state_shapes]

    def step(
        self, x: Tensor, states: list[Tensor], controls: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """One call of the network, with ``controls [1 or batch, c]`` where it has any."""
        if self.n_controls:
            if controls is None:
                raise ValueError(f"this network needs {self.n_controls} controls")
            y, *new = self(x, controls, *states)
        else:
            y, *new = self(x, *states)
        return y, new

    def settled_state(self, silence: Tensor, controls: Tensor | None = None) -> list[Tensor]:
        """State after ``silence [1, ...]``, which must last until nothing changes any more."""
        with torch.no_grad():
            return self.step(silence, self.initial_state(1), controls)[1]

    def offline(
        self, x: Tensor, states: list[Tensor] | None = None, controls: Tensor | None = None
    ) -> Tensor:
        """Run a whole batch of signals and return the output alone.

        `states` (batch 1) default to zeros, as in training, where segments begin inside sound.
        """
        first = self.initial_state(1) if states is None else states
        begin = [s.to(x).expand(x.shape[0], *s.shape[1:]) for s in first]
        return self.step(x, begin, controls)[0]


def go_on(network: Streamable, x: Tensor, left: list[Tensor] | None, anew: float) -> list[Tensor]:
    """States for a batch ``x [rows, ...]`` of a training in which rows go on from one another.

    Each begins with what a row of the step before left, whichever, and a share `anew` with what a
    network has that heard nothing; all of them where `left` is None or of another number of rows.
    What is learnt then holds for hours of sound; from zeros alone it holds for a segment.
    """
    rows = len(x)
    fresh = [s.to(x).repeat(rows, *[1] * (s.dim() - 1)) for s in network.initial_state(1)]
    if left is None or len(left[0]) != rows:
        return fresh
    order, new = torch.randperm(rows), torch.rand(rows) < anew
    return [
        torch.where(new.to(x.device).view(-1, *[1] * (s.dim() - 1)), s, old.to(s)[order])
        for s, old in zip(fresh, left, strict=True)
    ]


def blend_weights(controls: Tensor) -> Tensor:
    """Non-negative weights ``[batch, c]`` that sum to 1 (nothing asked for: equal parts)."""
    positive = controls.clamp(min=0.0) + 1e-6
    return positive / positive.sum(dim=1, keepdim=True)
