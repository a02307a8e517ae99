"""Which notes sound: a fixed number of slots that notes take, hold, leave, and lose to others.

All of it as tensor operations, hop by hop, with the state in the open.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FIELDS = ("pitch", "age", "velocity", "since", "owner", "peak", "bend")  # rows of a slot's state
FREE = -1.0  # pitch of a slot that no note has had
AT_ONCE = 6  # notes that may begin in one hop
GRACE = 0.05  # seconds that a new note sounds though the ear does not call it active yet
REGAINED = 0.15  # seconds in which a note that was lost may come back without a new onset


class Slots(nn.Module):
    """Notes as an ear tells them to slots.

    Parameters
    ----------
    slots, notes : int
    hop_s : float [s]
    """

    every: Tensor

    def __init__(self, slots: int, notes: int, hop_s: float) -> None:
        super().__init__()
        self.slots, self.notes, self.hop_s = slots, notes, hop_s
        self.register_buffer("every", torch.arange(notes).float(), persistent=False)
        self.state_shape = (len(FIELDS), slots)

    def initial_state(self, batch: int) -> Tensor:
        """Free slots ``[batch, fields, slots]``."""
        state = torch.zeros(batch, *self.state_shape)
        state[:, FIELDS.index("pitch")] = FREE
        state[:, FIELDS.index("since")] = 100.0
        return state

    def forward(
        self, notes: Tensor, state: Tensor, loud: Tensor, lead: Tensor, slow: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One hop.

        Parameters
        ----------
        notes : Tensor [shape=(batch, 4, notes)]
            Onset (velocity, else 0), active, level and bend of every pitch.
        state : Tensor [shape=(batch, fields, slots)]
        loud : Tensor [shape=(batch, slots)]
            What is heard of each slot: the faintest is taken first, one that is held last.
        lead : Tensor [shape=(1, 1), s]
            Age at which notes begin.
        slow : Tensor [shape=(1, 1)]
            By how much the first third of a second is stretched.

        Returns
        -------
        Tensor [shape=(batch, fields, slots)]
            The new state.
        Tensor [shape=(batch, slots)]
            1 where a note begins.
        Tensor [shape=(batch, slots)]
            Share of a note's highest level that the ear hears now.
        """
        pitch, age, velocity, since, owner, peak, bend = (state[:, k] for k in range(len(FIELDS)))
        # nothing is equal, so that every machine chooses the same
        value, index = torch.topk(notes[:, 0] - 1e-6 * (1.0 + self.every), AT_ONCE, dim=1)
        held = owner * (since <= 0.0).float()
        place = self.every[: self.slots]
        take = torch.topk(-loud - 1000.0 * held - 1e-3 * place, AT_ONCE, dim=1).indices
        taken = (take.unsqueeze(1) == place[:, None]) & (value.unsqueeze(1) > 0.0)
        chosen = taken.float()  # [batch, slots, AT_ONCE]
        begins = chosen.sum(dim=2)
        pitch = torch.where(begins > 0.0, (chosen * index.unsqueeze(1)).sum(dim=2), pitch)
        velocity = torch.where(begins > 0.0, (chosen * value.unsqueeze(1)).sum(dim=2), velocity)
        here = (pitch.unsqueeze(2) == self.every).float()
        struck, active, level, bends = (here @ notes.transpose(1, 2)).unbind(dim=2)
        # who is struck anew goes to another slot: the old one may only die away
        owner = torch.where(begins > 0.0, 1.0, owner * (struck <= 0.0).float())
        age = age + self.hop_s * torch.where(age < 1.0 / 3.0, 1.0 / slow, 1.0)
        age = torch.where(begins > 0.0, lead + self.hop_s, age)
        young = (age < lead + GRACE).float()
        back = (since < REGAINED).float() * active
        holds = owner * torch.maximum(torch.maximum(begins, young * (since <= 0.0).float()), back)
        since = torch.where(holds > 0.0, 0.0, since + self.hop_s)
        peak = torch.where(begins > 0.0, level, torch.maximum(peak, level))
        share = torch.where(holds > 0.0, (level + 1e-6) / (peak + 1e-6), 1.0)
        bend = torch.where(holds > 0.0, bends, bend)
        new = torch.stack([pitch, age, velocity, since, owner, peak, bend], dim=1)
        return new, begins, share
