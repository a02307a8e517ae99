"""The ear: which notes are played, hop by hop.

Spectra of four windows that end at the newest sample, a small network that sees every pitch with
its harmonics and shares its weights over pitches, and a decoder that turns probabilities into
notes.  Features and network after Bittner et al. (ICASSP 2022: harmonic stacking) and Kwon et al.
(ISMIR 2020: causal note states), made causal and small.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .decoder import ROWS, Decoder
from .layers import Streamable
from .spectra import BINS, PAST, PER_SEMITONE, Spectra, first_bins, harmonic_bins

HOP, LOWEST, PITCHES = 256, 28, 69  # samples at 48 kHz; MIDI pitches 28 (E1) to 96 (C7)
__all__ = ["HOP", "LOWEST", "PITCHES", "ROWS", "Ear"]
HARMONICS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
LOCAL = 20  # numbers of each bin and its neighbours
AGO = (1, 3)  # frames between the spectra whose differences are seen
DILATIONS = (1, 2, 4, 8)
SETTLING = 128  # hops of silence after which nothing changes


class PitchNorm(nn.Module):
    """RMS norm over channels (Zhang & Sennrich, 2019), in the form that ONNX Runtime fuses."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale ``x [..., channels]`` to unit RMS."""
        return x / torch.sqrt(x.pow(2).mean(dim=-1, keepdim=True) + 1e-5) * self.weight


class Block(nn.Module):
    """Residual block over ``x [b, t, pitches, channels]``: three moments, intervals, two layers.

    What pitches say to each other depends on the interval between them alone.
    """

    def __init__(self, channels: int, kept: int, groups: int, hidden: int, dilation: int) -> None:
        super().__init__()
        self.norm, self.dilation = PitchNorm(channels), dilation
        self.keep = nn.Linear(channels, kept, bias=False)
        self.say = nn.Linear(channels, groups)
        self.intervals = nn.Parameter(torch.randn(groups, 2 * PITCHES - 1) * 0.02)
        here = torch.arange(PITCHES)
        self.register_buffer("interval", here[:, None] - here + PITCHES - 1, persistent=False)
        self.inner = nn.Linear(channels + 2 * kept + groups, hidden)
        self.outer = nn.Linear(hidden, channels)
        nn.init.normal_(self.outer.weight, std=0.02)
        self.state_shape = (2 * dilation, PITCHES, kept)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The state holds the newest ``2 * dilation`` frames of what is kept."""
        d, b, t = self.dilation, x.shape[0], x.shape[1]
        h = self.norm(x)
        full = torch.cat([state, self.keep(h)], dim=1)
        said = F.relu(self.say(h)).flatten(0, 1).transpose(1, 2)  # [b t, groups, pitches]
        mix = self.intervals[:, self.interval]  # [groups, pitches, pitches]
        told = (said.transpose(0, 1) @ mix.to(said)).permute(1, 2, 0).reshape(b, t, PITCHES, -1)
        z = torch.cat([h, full[:, d:-d], full[:, : -2 * d], told], dim=3)
        return x + self.outer(F.relu(self.inner(z))), full[:, -2 * d :]


class Ear(Streamable):
    """Samples in, notes out, one hop a step.

    Shape: ``x [batch, 256] -> notes [batch, 4, 69]`` at 48 kHz, for MIDI pitches 28 to 96:

    - ``onset``: the velocity (0 to 1) in the hop where a note is heard to be struck, else 0;
    - ``active``: 1 while a note sounds, else 0;
    - ``level``: smoothed level of the input, linear RMS amplitude, the same for all pitches;
    - ``bend``: deviation from equal temperament in semitones, 0 where no note sounds.

    Control: ``gliding`` (0 to 1), see :class:`train.networks.decoder.Decoder`.

    A velocity of 1 is a note of -10 dB (RMS, full scale 0), and one of 0 lies 45 dB below it.
    """

    hop, n_controls = HOP, 1

    def __init__(self, channels: int = 48, kept: int = 16, groups: int = 8, hidden: int = 96):
        super().__init__()
        self.spectra = Spectra()
        seen = self.spectra.windows * (1 + len(AGO))
        self.local = nn.Conv1d(seen, LOCAL, 5, padding=2)
        at = harmonic_bins(LOWEST, PITCHES, HARMONICS)
        self.first = [int(a) for a in first_bins(LOWEST, HARMONICS)]
        self.register_buffer("at", at.reshape(-1), persistent=False)
        self.gather = nn.Linear(LOCAL * len(HARMONICS), channels)
        self.place = nn.Parameter(torch.zeros(PITCHES, channels))
        self.blocks = nn.ModuleList(Block(channels, kept, groups, hidden, d) for d in DILATIONS)
        self.norm = PitchNorm(channels)
        self.heads = nn.Linear(channels, 4)
        self.struck = nn.Sequential(nn.Linear(2 * channels, 16), nn.ReLU(), nn.Linear(16, 1))
        with torch.no_grad():
            self.heads.weight.mul_(0.1)
            self.heads.bias.copy_(torch.tensor([-4.0, -3.0, 0.5, 0.0]))
        self.decoder = Decoder(LOWEST, PITCHES)
        self.state_shapes = [
            (PAST,),
            (max(AGO), self.spectra.windows, BINS),
            *(block.state_shape for block in self.blocks),  # type: ignore[misc]
            self.decoder.state_shape,
        ]

    def features(self, x: Tensor, past: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log spectra and how they change ``[b, t, windows * 3, bins]``, and both new states."""
        full = torch.cat([past, x], dim=1)
        levels = self.spectra(full)
        every = torch.cat([before, levels], dim=1)
        last = max(AGO)
        end = every.shape[1]
        changes = [levels - every[:, last - k : end - k] for k in AGO]
        return torch.cat([levels, *changes], dim=2), full[:, -PAST:], every[:, -last:]

    def judge(self, features: Tensor, states: list[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Four logits per pitch ``[b, t, 69, 4]``, the logit of "struck" ``[b, t]``, new states.

        The four: onset, activity, velocity as a number, bend in semitones as a number.
        """
        b, t = features.shape[:2]
        y = F.relu(self.local(features.flatten(0, 1)))
        x = self._harmonics(y, t == 1).reshape(b, t, PITCHES, -1) + self.place
        new = []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            new.append(state)
        pooled = torch.cat([x.amax(dim=2), x.mean(dim=2)], dim=2)
        heads = self.heads(self.norm(x))
        return heads, self.struck(pooled)[:, :, 0], new

    def _harmonics(self, y: Tensor, one: bool) -> Tensor:
        """``[n, local, bins] -> [n, pitches, channels]``; above the highest bin is silence."""
        if one:  # rows are gathered faster by a graph than columns
            rows = F.pad(y, (0, 1)).transpose(1, 2).index_select(1, self.at)
            rows = rows.reshape(-1, PITCHES, len(HARMONICS) * LOCAL)
            weight = self.gather.weight.unflatten(1, (LOCAL, -1)).transpose(1, 2).flatten(1)
            return F.linear(rows, weight, self.gather.bias)
        first, span = self.first, PER_SEMITONE * (PITCHES - 1) + 1  # slices: their gradient is fast
        y = F.pad(y, (0, max(first) + span - BINS))
        found = torch.stack([y[:, :, a : a + span : PER_SEMITONE] for a in first], dim=3)
        return self.gather(found.permute(0, 2, 1, 3).flatten(2))

    def hear(self, x: Tensor) -> Tensor:
        """Logits of whole signals ``[b, t * 256] -> [b, t, 70, 4]`` from silence, for training.

        As :meth:`judge` has them; the last row's first is "struck".
        """
        past, before, *states, _ = (
            s.to(x).expand(len(x), *s.shape[1:]) for s in self.initial_state(1)
        )
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            features, _, _ = self.features(x, past, before)
        heads, struck, _ = self.judge(features, states)
        return torch.cat([heads, struck[:, :, None, None].expand(-1, -1, 1, 4)], dim=2)

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """One hop ``[b, 256]`` or ``[b, 1, 256]``; the control, then states as
        :attr:`state_shapes` says.
        """
        x = x.flatten(1)
        gliding, past, before, *middle, decided = states
        features, past, before = self.features(x, past, before)
        heads, struck, middle = self.judge(features, middle)
        level = past[:, -4 * HOP :].square().mean(dim=1, keepdim=True).sqrt()
        notes, decided = self.decoder(heads[:, 0], struck[:, :1], level, gliding, decided)
        return (notes, past, before, *middle, decided)

    def offline(
        self, x: Tensor, states: list[Tensor] | None = None, controls: Tensor | None = None
    ) -> Tensor:
        """Whole signals ``[b, 1, t * 256]`` hop by hop; notes side by side ``[b, 4, t * 69]``."""
        now = self.initial_state(len(x)) if states is None else states
        now = [s.to(x).expand(len(x), *s.shape[1:]) for s in now]
        found = []
        for hop in x.split(HOP, dim=2):
            notes, now = self.step(hop, now, controls)
            found.append(notes)
        return torch.cat(found, dim=2)

    def settled_state(self, silence: Tensor, controls: Tensor | None = None) -> list[Tensor]:
        """State after more silence than it remembers."""
        states = self.initial_state(1)
        with torch.no_grad():
            for _ in range(SETTLING):
                states = self.step(torch.zeros_like(silence), states, controls)[1]
        return states
