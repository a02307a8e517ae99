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
    """Dilated causal convolution over time.

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
    """RMS norm over channels, each time step for itself (Zhang & Sennrich, 2019): no state."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Scale every frame ``x [batch, channels, t]`` to unit RMS."""
        power = x.square().mean(dim=1, keepdim=True)
        return x * torch.rsqrt(power + 1e-5) * self.weight


class GatedBlock(nn.Module):
    """Residual block: norm, dilated causal convolution, gated linear unit (Dauphin, 2017)."""

    def __init__(self, channels: int, dilation: int, kernel: int = 2) -> None:
        super().__init__()
        self.norm = FrameNorm(channels)
        self.conv = CausalConv(channels, 2 * channels, kernel, dilation)
        self.state_shape = self.conv.state_shape

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Shape: ``x [batch, channels, t]``."""
        y, state = self.conv(self.norm(x), state)
        return x + F.glu(y, dim=1), state


class Streamable(nn.Module):
    """A network ``forward(x, *states) -> (y, *states)`` that knows its states' shapes.

    Attributes
    ----------
    state_shapes : list of tuple
        Without the batch axis, in the order of the arguments.
    """

    state_shapes: list[tuple[int, ...]]

    def initial_state(self, batch: int) -> list[Tensor]:
        """Zeros for every state."""
        return [torch.zeros(batch, *shape) for shape in self.state_shapes]

    def settled_state(self, silence: Tensor) -> list[Tensor]:
        """State after ``silence [1, ...]``, which must last until nothing changes any more."""
        with torch.no_grad():
            return list(self(silence, *self.initial_state(1))[1:])

    def offline(self, x: Tensor, states: list[Tensor] | None = None) -> Tensor:
        """Run a whole batch of signals and return the output alone.

        `states` (batch 1) default to zeros, as in training, where segments begin inside sound.
        """
        first = self.initial_state(1) if states is None else states
        begin = [s.to(x).expand(x.shape[0], *s.shape[1:]) for s in first]
        return self(x, *begin)[0]  # type: ignore[no-any-return]
