"""A generator: noise in, music out.  A composer decides on every tick, partials sound it.

All randomness is the input: the same noise from the same state is the same music.  One call is one
hop, as each tick follows from the one before.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .composer import BEAT, Composer
from .layers import Streamable
from .partials import Partials, shares

OCTAVE = 12
CLOSEST = 1e-6  # of a uniform number to 0 and 1


class Generator(Streamable):
    """Noise to samples.

    Shape: ``x [batch, 1, hop] -> y [batch, 1, hop]``; controls: style weights, then root (0..11),
    scale (an index), tempo in beats per minute, density (0..1), wildness (temperature of the
    choice; 1 is what was learnt).

    Parameters
    ----------
    slots, below, scales, hidden : int
        See :class:`train.networks.composer.Composer`; slot of the root.
    lowest, partials, styles, hop, rate : int
        See :class:`train.networks.partials.Partials`; `lowest` is the pitch of slot 0 at root 0.
    """

    def __init__(
        self,
        slots: int,
        below: int,
        scales: int,
        *,
        hidden: int = 128,
        lowest: int = 37,
        partials: int = 12,
        styles: int = 4,
        hop: int = 128,
        rate: int = 48000,
        level: float = 0.35,
    ) -> None:
        super().__init__()
        self.slots, self.below, self.styles, self.hop = slots, below, styles, hop
        self.rate, self.level = rate, level
        self.composer = Composer(slots, scales, hidden)
        self.synth = Partials(lowest, slots + OCTAVE - 1, partials, styles, hop, rate)
        self.n_controls = styles + 5
        # clock (share of a tick), tick in the beat, what began last, memory; then the synth's
        self.state_shapes = [(1,), (BEAT,), (slots,), (hidden,), *self.synth.state_shapes]

    def initial_state(self, batch: int) -> list[Tensor]:
        """Silence before the first tick, which comes with the first hop."""
        states = super().initial_state(batch)
        states[0] = torch.ones(batch, 1)
        states[1][:, -1] = 1.0
        return states

    def settled_state(self, silence: Tensor, controls: Tensor | None = None) -> list[Tensor]:
        """A generator begins at its beginning: there is no silence to settle in."""
        return self.initial_state(1)

    def choose(
        self, memory: Tensor, noise: Tensor, wildness: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw what begins: lead by Gumbel's maximum, the rest one by one.

        Returns
        -------
        Tensor [shape=(batch, slots)]
            1 for what begins.
        """
        uniform = (0.5 + 0.5 * noise).clamp(CLOSEST, 1.0 - CLOSEST)
        first, second = (
            uniform[:, : self.slots + 1],
            uniform[:, self.slots + 1 : 2 * self.slots + 1],
        )
        gumbel = -torch.log(-torch.log(first))
        best = torch.argmax(self.composer.lead(memory) / wildness + gumbel, dim=1, keepdim=True)
        slot = torch.arange(self.slots + 1, device=best.device)
        lead = (slot == best).float()
        likely = torch.sigmoid(self.composer.others(memory, lead) / wildness)
        lower = (slot[:-1] < best) & (best < self.slots)
        others = ((second < likely) & lower).float()
        return lead[:, :-1] + others, lead, uniform

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """One hop."""
        controls, states = rest[0], list(rest[1:])
        clock, beat, before, memory, *sound = states
        weights = shares(controls[:, : self.styles])
        root, scale, tempo, density, wildness = (
            controls[:, self.styles + k : self.styles + k + 1] for k in range(5)
        )
        clock = clock + tempo * (BEAT * self.hop / (60.0 * self.rate))
        tick = (clock >= 1.0).float()
        clock = torch.clamp(clock - tick, 0.0, 1.0)
        turned = torch.roll(beat, 1, dims=1)
        beat = tick * turned + (1.0 - tick) * beat
        scales = torch.arange(self.composer.scales, device=x.device)
        kind = (scales == torch.round(scale)).float().expand(x.shape[0], -1)
        heard = self.composer.inputs(before, beat, kind, density.expand(x.shape[0], 1))
        memory = memory + tick * (self.composer.remember(heard, memory) - memory)
        begins, _, uniform = self.choose(memory, x[:, 0], wildness.clamp(min=0.05))
        before = tick * begins + (1.0 - tick) * before
        loudness = 0.55 + 0.3 * uniform[:, -1:] + 0.15 * beat[:, :1]
        struck = self._moved(tick * begins * loudness, root)
        y, *sound = self.synth(struck, weights, *sound)
        y = torch.tanh(self.level * y)
        return (y.unsqueeze(1), clock, beat, before, memory, *sound)

    def _moved(self, slots: Tensor, root: Tensor) -> Tensor:
        """Relative pitches to notes of the synth: `root` semitones up."""
        wide = F.pad(slots, (OCTAVE - 1, OCTAVE - 1))
        places = torch.arange(self.synth.notes, device=slots.device) + (OCTAVE - 1)
        index = places.unsqueeze(0) - torch.round(root).long()
        return torch.gather(wide, 1, index.expand(slots.shape[0], -1))

    def offline(
        self, x: Tensor, states: list[Tensor] | None = None, controls: Tensor | None = None
    ) -> Tensor:
        """Hop after hop."""
        first = self.initial_state(1) if states is None else states
        now = [s.to(x).expand(x.shape[0], *s.shape[1:]) for s in first]
        out = []
        for part in torch.split(x, self.hop, dim=2):
            y, now = self.step(part, now, controls)
            out.append(y)
        return torch.cat(out, dim=2)
