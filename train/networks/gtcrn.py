"""GTCRN, the grouped temporal convolutional recurrent network, at every hop of a short transform.

Rong et al., "GTCRN: a speech enhancement model requiring ultralow computational resources" (ICASSP
2024): bands of equal rectangular bandwidth, a convolutional encoder and decoder over frequency with
dilated taps over time, and recurrent units over frequency and over time between them.  Its frames
are 32 ms long and 16 ms apart.  Here a frame comes every 1 / :data:`PHASES` of that time, and the
memory is that of six networks which take turns: a frame remembers those that are 16 ms, 32 ms, …
older, as the network has learnt.  The paper's groups of two small recurrent units are one unit
each, with zeros between the groups where training begins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .recurrent import Recurrent, TwoWays

PHASES = 6  # hops from a frame to the next of the same turn
BINS, BANDS = 257, 129  # bins of 31.25 Hz; the lowest 65 are bands of their own
LOW, WIDTH, CHANNELS, DILATIONS = 65, 33, 16, (1, 2, 5)
HALF = CHANNELS // 2
State = tuple[Tensor, Tensor]


def rows(x: Tensor) -> Tensor:
    """Frames become rows of a batch: ``[b, t, ...] -> [b * t, ...]``."""
    return x.flatten(0, 1)


def taking_turns(cell: Recurrent, x: Tensor, queue: Tensor) -> State:
    """A recurrent unit in which each frame goes on from the one :data:`PHASES` before it.

    Shape: ``x [b, t, channels], queue [b, PHASES, hidden]``, oldest first ``-> y [b, t, hidden]``
    and the new queue.
    """
    b, t = x.shape[0], x.shape[1]
    parts = []
    whole = t // PHASES
    if whole:
        turns = x[:, : whole * PHASES].reshape(b, whole, PHASES, -1).transpose(1, 2)
        y, last = cell(rows(turns), rows(queue))
        y = y.reshape(b, PHASES, whole, -1).transpose(1, 2)
        parts.append(y.reshape(b, whole * PHASES, -1))
        queue = last.reshape(b, PHASES, -1)
    rest = t - whole * PHASES
    if rest:
        y, last = cell(rows(x[:, whole * PHASES :]).unsqueeze(1), rows(queue[:, :rest]))
        parts.append(y.reshape(b, rest, -1))
        queue = torch.cat([queue[:, rest:], last.reshape(b, rest, -1)], dim=1)
    return (torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]), queue


class Attention(nn.Module):
    """Temporal recurrent attention: a gain for every channel by its power so far."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.gain = Recurrent(HALF, CHANNELS), nn.Linear(CHANNELS, HALF)
        self.state_shape = (PHASES, CHANNELS)

    def forward(self, x: Tensor, queue: Tensor) -> State:
        """``x [b, t, 8, width]`` in, the same out."""
        y, queue = taking_turns(self.cell, x.square().mean(dim=3), queue)
        return x * torch.sigmoid(self.gain(y)).unsqueeze(3), queue


class GroupedBlock(nn.Module):
    """Half of the channels through a depthwise convolution over time and bands, then shuffled."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.apart = PHASES * dilation
        self.widen = nn.Conv1d(HALF, CHANNELS, 3, padding=1)
        self.bend, self.bend_again = nn.PReLU(), nn.PReLU()
        self.deep = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=(0, 1), groups=CHANNELS)
        self.narrow = nn.Conv1d(CHANNELS, HALF, 1)
        self.attention = Attention()
        self.state_shapes = [(2 * self.apart, CHANNELS, WIDTH), self.attention.state_shape]

    def forward(self, x: Tensor, past: Tensor, queue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``x [b, t, 16, width]`` in, the same out."""
        b, t = x.shape[0], x.shape[1]
        first, second = x[:, :, :HALF], x[:, :, HALF:]
        h = self.bend(self.widen(rows(first)))
        full = torch.cat([past, h.reshape(b, t, CHANNELS, WIDTH)], dim=1)
        if t == 1:
            taps = full[:, :: self.apart].transpose(1, 2)
        else:
            frames = [full[:, k * self.apart : k * self.apart + t] for k in range(3)]
            taps = rows(torch.stack(frames, dim=3))
        deep = self.deep(taps)[:, :, 0]
        h = self.narrow(self.bend_again(deep)).reshape(b, t, HALF, WIDTH)
        h, queue = self.attention(h, queue)
        mixed = torch.stack([h, second], dim=3).flatten(2, 3)
        return mixed, full[:, t:], queue


def beside(x: Tensor) -> Tensor:
    """Every band's neighbours as channels of their own: ``[b, t, c, w] -> [b, t, 3 c, w]``."""
    padded = F.pad(x, (1, 1))
    three = [padded[..., :-2], x, padded[..., 2:]]
    return torch.stack(three, dim=3).flatten(2, 3)


class DualPath(nn.Module):
    """Recurrent over the bands of a frame, both ways, then over time."""

    def __init__(self) -> None:
        super().__init__()
        self.across, self.over = TwoWays(CHANNELS, HALF), Recurrent(CHANNELS)
        self.mix, self.mix_again = nn.Linear(CHANNELS, CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.norm, self.norm_again = (nn.LayerNorm((WIDTH, CHANNELS), eps=1e-8) for _ in range(2))
        self.state_shape = (WIDTH, PHASES, CHANNELS)

    def forward(self, x: Tensor, queue: Tensor) -> State:
        """``x [b, t, width, 16]`` in, the same out."""
        b, t = x.shape[0], x.shape[1]
        h = self.across(rows(x)).reshape(b, t, WIDTH, CHANNELS)
        x = x + self.norm(self.mix(h))
        h, new = taking_turns(self.over, rows(x.transpose(1, 2)), rows(queue))
        h = h.reshape(b, WIDTH, t, CHANNELS).transpose(1, 2)
        return x + self.norm_again(self.mix_again(h)), new.reshape(b, WIDTH, PHASES, CHANNELS)


class GTCRN(nn.Module):
    """Spectra of 32 ms in, a complex mask for every band out.

    Shape: ``x [b, 2, t, BINS] -> [b, 2, t, BANDS]``; frames are 1 / :data:`PHASES` of 16 ms apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.Linear(BINS - LOW, BANDS - LOW, bias=False)
        self.first = nn.Conv1d(9, CHANNELS, 5, stride=2, padding=2)
        self.bend = nn.PReLU()
        self.second = nn.Conv1d(CHANNELS, CHANNELS, 5, stride=2, padding=2, groups=2)
        self.bend_again = nn.PReLU()
        self.down = nn.ModuleList(GroupedBlock(d) for d in DILATIONS)
        self.middle = nn.ModuleList(DualPath() for _ in range(2))
        self.up = nn.ModuleList(GroupedBlock(d) for d in reversed(DILATIONS))
        self.third = nn.ConvTranspose1d(CHANNELS, CHANNELS, 5, stride=2, padding=2, groups=2)
        self.bend_last = nn.PReLU()
        self.last = nn.ConvTranspose1d(CHANNELS, 2, 5, stride=2, padding=2)
        blocks = [*self.down, *self.up]
        self.state_shapes = [s for block in blocks for s in block.state_shapes]  # type: ignore
        self.state_shapes += [path.state_shape for path in self.middle]  # type: ignore

    def forward(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Encode, remember, decode."""
        b, t = x.shape[0], x.shape[2]
        x = x.transpose(1, 2)
        size = x.square().sum(dim=2, keepdim=True).clamp(min=1e-12).sqrt()
        h = torch.cat([size, x], dim=2)
        h = torch.cat([h[..., :LOW], self.pool(h[..., LOW:])], dim=3)
        h1 = self.bend(self.first(rows(beside(h))))
        h2 = self.bend_again(self.second(h1))
        kept = [h2.reshape(b, t, CHANNELS, WIDTH)]
        new: list[Tensor] = []
        for k, block in enumerate(self.down):
            h, *after = block(kept[-1], *states[2 * k : 2 * k + 2])
            kept.append(h)
            new += after
        h = kept[-1].transpose(2, 3)
        paths = []
        for path, state in zip(self.middle, states[12:], strict=True):
            h, after = path(h, state)
            paths.append(after)
        h = h.transpose(2, 3)
        for k, block in enumerate(self.up):
            h, *after = block(h + kept.pop(), *states[6 + 2 * k : 8 + 2 * k])
            new += after
        h = self.bend_last(self.third(rows(h + kept.pop())))
        mask = torch.tanh(self.last(h + h1)).reshape(b, t, 2, BANDS)
        return mask.transpose(1, 2), [*new, *paths]
