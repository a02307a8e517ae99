"""From probabilities to notes: what is struck, what sounds, how far it is bent.

Everything is arithmetic over pitches with a state, without a branch, so that it is part of a graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROWS = ("onset", "active", "level", "bend")
OVERTONES = (12, 19, 24, 28, 31)  # semitones of the harmonics 2 to 6
MEMORY = 3  # hops before this one in which a lower note's onset counts
QUIET = 4  # hops without activity after which a note ends
YOUNG = 14.0  # hops in which a note may still turn out to be a harmonic of another


class Decoder(nn.Module):
    """Probabilities to notes, one hop a step.

    Parameters
    ----------
    lowest, pitches : int

    Attributes
    ----------
    settings : ndarray-like [5], float32
        Onset probability that fires; the part added to it while nothing was struck; activity below
        which a note counts as quiet; how sure a note must be to sound beside a lower one of which
        it is a harmonic; activity below which a young note gives way to such a one.
    """

    def __init__(self, lowest: int, pitches: int) -> None:
        super().__init__()
        self.state_shape = (MEMORY + 8, pitches)
        self.register_buffer("settings", torch.tensor([0.6, 0.1, 0.3, 0.9, 0.5]))
        here = torch.arange(pitches)
        apart = here[None, :] - here[:, None]  # [lower, higher]
        above = sum((apart == k).float() for k in OVERTONES)
        self.register_buffer("above", above, persistent=False)
        related = ((above + above.T) > 0).float()
        self.register_buffer("related", related, persistent=False)

    def forward(
        self, heads: Tensor, struck: Tensor, level: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """``heads [b, pitches, 4], struck, level [b, 1] -> notes [b, 4, pitches]``, new state."""
        threshold, extra, quiet, sure, young = self.settings.unbind()
        onset, active = torch.sigmoid(heads[:, :, 0]), torch.sigmoid(heads[:, :, 1])
        velocity = heads[:, :, 2].clamp(0.02, 1.0)
        bent = heads[:, :, 3].clamp(-1.0, 1.0)
        recent, (spent, on, silent, age, settled, bend, loud, hit) = (
            state[:, :MEMORY],
            state[:, MEMORY:].unbind(dim=1),
        )
        hit = torch.maximum(torch.sigmoid(struck).expand_as(hit), 0.85 * hit)
        best = torch.maximum(onset, recent.amax(dim=1))
        below = (best.unsqueeze(2) * self.above).amax(dim=1)  # the surest lower note
        may = (spent < 0.5) & (onset > threshold + extra * (1.0 - hit))
        fire = (may & ((best > below) | (onset > sure))).float()
        # a young note ends where the one it belongs to is struck after it; that one then stays
        told = (fire.unsqueeze(2) * self.related).amax(dim=1)
        wrong = on * told * ((age < YOUNG) & (settled < 0.5) & (active < young)).float()
        rights = (wrong.unsqueeze(2) * self.related).amax(dim=1) * fire
        settled = torch.maximum(settled * (1.0 - fire), rights)
        spent = torch.where(onset < 0.5 * threshold, torch.zeros_like(spent), spent)
        spent = torch.maximum(spent, fire)
        silent = (silent + 1.0) * (active < quiet).float() * (1.0 - fire)
        alive = on * (1.0 - wrong) * (silent < QUIET).float()
        on = torch.maximum(fire, alive)
        age = (age + 1.0).clamp(max=1000.0) * (1.0 - fire)
        bend = on * torch.where(fire > 0.5, bent, bend + 0.3 * (bent - bend))
        loud = loud + 0.4 * (level - loud)
        notes = torch.stack([fire * velocity, on, loud, bend], dim=1)
        kept = torch.stack([spent, on, silent, age, settled, bend, loud, hit], dim=1)
        return notes, torch.cat([recent[:, 1:], onset.unsqueeze(1), kept], dim=1)
