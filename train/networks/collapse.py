"""Sees when an adversarial training has gone wrong, before it fills the disk with noise.

Four figures a step, judged over a window of steps: how often the discriminators are right and how
little is left of their loss; the outputs' level against the inputs'; how much their spectra move,
against the inputs'; and how far that movement follows the inputs'.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realtime.errors import ConfigError

from ..losses.adversarial import Game, Scores
from .mel import LogMel

RIGHT, LEFT = 0.99, 0.02  # share of right verdicts; part of a guesser's loss that is left
LOUDEST, QUIETEST = 15.0, -30.0  # dB over the input
STILL, DEAF = 0.1, 0.1  # spread over the input's; correlation with the input
FIGURES = ("right", "left", "level", "spread", "follows")


class Collapse(ConfigError):
    """The training is not going to recover; the message says what happened and what to try."""


class Watch(nn.Module):
    """Remembers the last `window` steps; its memory is part of a checkpoint.

    Parameters
    ----------
    window : int
        Steps over which the median is taken; nothing is said before they are through.
    """

    seen: Tensor
    count: Tensor

    def __init__(self, window: int = 100) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(window, len(FIGURES)))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.picture = LogMel(1024, 512, 32)

    def forward(self, rivals: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """One step's figures: `rivals` from :func:`balance`, the rest of sounds ``[batch, n]``."""
        return torch.cat([rivals.to(y), self._sounds(x, y)])

    def _sounds(self, x: Tensor, y: Tensor) -> Tensor:
        level = 10 * torch.log10((y.square().mean() + 1e-10) / (x.square().mean() + 1e-10))
        a, b = (m - m.mean(dim=2, keepdim=True) for m in (self.picture(x), self.picture(y)))
        spread = b.square().mean().sqrt() / (a.square().mean().sqrt() + 1e-6)
        sizes = a.square().mean(dim=(1, 2)) * b.square().mean(dim=(1, 2))
        follows = ((a * b).mean(dim=(1, 2)) / (sizes + 1e-9).sqrt()).mean()
        return torch.stack([level, spread, follows])

    def note(self, figures: Tensor) -> None:
        """Take one step's figures to heart.

        Raises
        ------
        Collapse
            They are not numbers, or the window's medians are out of bounds.
        """
        if not torch.isfinite(figures).all():
            raise Collapse("the output is not a number any more; lower learning_rate")
        self.seen[int(self.count) % len(self.seen)] = figures.to(self.seen)
        self.count += 1
        if self.count >= len(self.seen):
            said = complaint(self.seen.median(dim=0).values)
            if said:
                raise Collapse(f"{said} (medians of the last {len(self.seen)} steps)")


def balance(game: Game, real: Scores, fake: Scores) -> Tensor:
    """Share of patches judged rightly, and the loss as a part of a guesser's ``[2]``."""
    with torch.no_grad():
        hits = [
            ((r > game.middle).float().mean() + (f < game.middle).float().mean()) / 2
            for r, f in zip(real, fake, strict=True)
        ]
        left = game.discriminator(real, fake) / game.chance
        return torch.stack([torch.stack(hits).mean(), left])


def complaint(medians: Tensor) -> str:
    """What is wrong with these figures, and what to try; empty if nothing is."""
    right, left, level, spread, follows = medians.tolist()
    if level > LOUDEST:
        return (
            f"the output is {level:.0f} dB louder than the input and out of control;"
            " lower learning_rate or adversarial"
        )
    if level < QUIETEST:
        return f"the output died away ({level:.0f} dB under the input); lower adversarial"
    if spread < STILL:
        return (
            f"the output is one unchanging sound ({spread:.0%} of the input's movement);"
            " raise content or lower adversarial"
        )
    if follows < DEAF:
        return (
            f"the output no longer follows the input (correlation {follows:.2f});"
            " raise content or lower adversarial"
        )
    if right > RIGHT and left < LEFT:
        return (
            f"the discriminators are right {right:.1%} of the time and learn nothing any more;"
            " raise gamma, lower rate, or give more recordings"
        )
    return ""
