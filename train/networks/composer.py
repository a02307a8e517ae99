"""A composer: note by note, what begins on this tick, given all ticks before it.

A recurrent network over ticks (Graves, 2013), its gated unit that of Cho et al. (2014).  A tick has
a lead, the highest note that begins (or none), and notes below it, each likely or not given the
lead; so chords hang together and single lines stay single.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BEAT = 4  # ticks


class Composer(nn.Module):
    """Logits of lead and further notes for every tick.

    Parameters
    ----------
    slots, scales, hidden : int
        Relative pitches; kinds of scale; size of the memory.
    """

    def __init__(self, slots: int, scales: int, hidden: int) -> None:
        super().__init__()
        self.slots, self.scales, self.hidden = slots, scales, hidden
        self.cell = nn.GRU(slots + BEAT + scales + 1, hidden, batch_first=True)
        self.lead = nn.Linear(hidden, slots + 1)  # the last one: nothing begins
        self.below = nn.Linear(hidden, slots)
        self.given = nn.Linear(slots + 1, slots, bias=False)

    def inputs(self, before: Tensor, beat: Tensor, scale: Tensor, density: Tensor) -> Tensor:
        """What the memory hears on a tick ``[..., slots + BEAT + scales + 1]``.

        Parameters
        ----------
        before : Tensor [shape=(..., slots)]
            1 for what began on the tick before.
        beat : Tensor [shape=(..., BEAT)], scale : Tensor [shape=(..., scales)]
            One-hot.
        density : Tensor [shape=(..., 1)]
        """
        return torch.cat([before, beat, scale, 2.0 * density - 1.0], dim=-1)

    def forward(
        self, onsets: Tensor, beat: Tensor, scale: Tensor, density: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Teacher forcing over whole pieces.

        Parameters
        ----------
        onsets : Tensor [shape=(batch, ticks, slots)]
        beat, scale, density : Tensor
            As for :meth:`inputs`, for every tick.

        Returns
        -------
        Tensor [shape=(batch, ticks, slots + 1)], Tensor [shape=(batch, ticks)]
            Logits of the lead, and which it was.
        Tensor [shape=(batch, ticks, slots)]
            Logits of the other notes, the true lead given.
        """
        before = F.pad(onsets, (0, 0, 1, 0))[:, :-1]
        memory, _ = self.cell(self.inputs(before, beat, scale, density))
        lead = leads(onsets)
        return self.lead(memory), lead, self.others(memory, F.one_hot(lead, self.slots + 1).float())

    def others(self, memory: Tensor, lead: Tensor) -> Tensor:
        """Logits of further notes, given the lead ``[..., slots + 1]`` (one-hot)."""
        return self.below(memory) + self.given(lead)

    def remember(self, x: Tensor, memory: Tensor) -> Tensor:
        """One step of the cell, in plain operations: ``x [b, inputs], memory [b, hidden]``."""
        c = self.cell
        heard = F.linear(x, c.weight_ih_l0, c.bias_ih_l0).chunk(3, dim=1)
        held = F.linear(memory, c.weight_hh_l0, c.bias_hh_l0).chunk(3, dim=1)
        reset, update = (torch.sigmoid(a + b) for a, b in zip(heard[:2], held[:2], strict=True))
        new = torch.tanh(heard[2] + reset * held[2])
        return new + update * (memory - new)


def leads(onsets: Tensor) -> Tensor:
    """Index of the highest onset of each tick, `slots` for none ``[..., slots] -> [...]``."""
    slots = onsets.shape[-1]
    weight = torch.arange(1, slots + 1, dtype=onsets.dtype, device=onsets.device)
    highest = (onsets * weight).amax(dim=-1).long() - 1
    return torch.where(highest < 0, slots, highest)


def likelihood(
    lead_logits: Tensor, lead: Tensor, other_logits: Tensor, onsets: Tensor, from_tick: int = 0
) -> Tensor:
    """Negative log likelihood in nats per tick, notes at and above the lead left out."""
    slots = onsets.shape[-1]
    first = F.cross_entropy(lead_logits[:, from_tick:].flatten(0, 1), lead[:, from_tick:].flatten())
    where = torch.arange(slots, device=onsets.device) < lead.unsqueeze(-1)
    where = where & (lead < slots).unsqueeze(-1)
    each = F.binary_cross_entropy_with_logits(other_logits, onsets, reduction="none") * where
    return first + each[:, from_tick:].sum(dim=2).mean()
