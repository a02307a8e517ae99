"""The opponent of a converter for whose inputs nobody has the wanted result.

Along the batch lie, in this order, what the rows are: inputs A, recordings B of the wanted sound
(of other performances), their conversions G(A) and, where identity is asked for, G(B).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..losses.adversarial import GAMES, mean_matching, r1_penalty
from ..losses.contrastive import patch_nce
from .collapse import Watch, balance
from .discriminators import Adversary
from .mel import ContentEncoder, MelDiscriminator

SCALES = ((512, 256, 64), (1024, 512, 96), (2048, 1024, 128))  # (n_fft, hop, bands)


class Reply(NamedTuple):
    """Scores of B and of G(A), the contrast of G(A) with A, and the slope on B."""

    real: list[Tensor]
    fake: list[Tensor]
    contrast: Tensor
    slope: Tensor


class UnpairedAdversary(Adversary):
    """Log-mel discriminators between B and G(A), and an encoder that finds A in G(A).

    Parameters
    ----------
    kind : str
        Name in :data:`train.losses.adversarial.GAMES`.
    weight, content : float
        Of the adversarial and of the contrastive term.
    matching : float
        Of :func:`train.losses.adversarial.mean_matching`, beside the game's own term.
    gamma : float
        Of R1; 0: none.  Taken every fourth step, four times as strong (Karras et al., StyleGAN2,
        2020).
    norm : str
        See :class:`train.networks.mel.MelDiscriminator`.
    rate : float
        Learning rate of discriminators and encoder.
    window : int
        Steps over which a collapse shows, see :class:`train.networks.collapse.Watch`.
    identity : bool
        Whether G(B) is among the sounds.
    """

    LAZY = 4
    second = "contrast"
    turn: Tensor

    def __init__(
        self,
        kind: str = "hinge",
        weight: float = 1.0,
        content: float = 1.0,
        gamma: float = 1.0,
        norm: str = "weight",
        rate: float = 3e-4,
        channels: int = 16,
        window: int = 100,
        identity: bool = False,
        matching: float = 0.0,
    ) -> None:
        views = [MelDiscriminator(*scale, channels, norm) for scale in SCALES]
        super().__init__(views, kind, weight, content, begin=0.0, rate=rate)
        self.gamma, self.matching, self.copies = gamma, matching, 4 if identity else 3
        self.content = ContentEncoder()
        self.watch = Watch(window)
        self.register_buffer("turn", torch.zeros((), dtype=torch.long))
        self.rivals = torch.zeros(2)

    def forward(self, sounds: Tensor) -> Reply:  # type: ignore[override]
        """Everything the opponent's own loss needs ``[A, B, G(A) (, G(B))]``."""
        x, real, fake = sounds.chunk(self.copies)[:3]
        slope = sounds.new_zeros(())
        sloping = self.gamma > 0 and int(self.turn) % self.LAZY == 0
        self.turn += 1
        reals, fakes, views = [], [], []
        for d in self.discriminators:
            seen = d.view(real).requires_grad_(sloping)
            reals.append(d.judge(seen)[0])
            fakes.append(d(fake)[0])
            views.append(seen)
        if sloping:
            slope = self.LAZY * self.gamma * r1_penalty(reals, views)
        return Reply(reals, fakes, patch_nce(self.content(fake), self.content(x)), slope)

    def discriminator_loss(self, verdicts: Reply) -> Tensor:  # type: ignore[override]
        """Tell B from G(A); know A again in G(A)."""
        self.rivals = balance(GAMES[self.kind], verdicts.real, verdicts.fake)
        told = GAMES[self.kind].discriminator(verdicts.real, verdicts.fake)
        return told + verdicts.contrast + verdicts.slope

    def generator_terms(self, y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Adversarial and contrastive term of ``[G(A) (, G(B))]`` and ``[A, B]``."""
        x, real = target.chunk(2)
        fake = y[: len(x)]
        heard = [d(fake) for d in self.discriminators]
        fooled = GAMES[self.kind].generator([score for score, _ in heard])
        if self.matching > 0:
            with torch.no_grad():
                wanted = [d(real)[1] for d in self.discriminators]
            fooled = fooled + self.matching * mean_matching(wanted, [f for _, f in heard])
        return fooled, patch_nce(self.content(fake), self.content(x).detach())

    def figures(self, y: Tensor, target: Tensor) -> Tensor:
        """What :class:`train.networks.collapse.Watch` wants to know of a step."""
        x = target.chunk(2)[0]
        with torch.no_grad():
            found: Tensor = self.watch(self.rivals, x, y[: len(x)])
        return found

    def note(self, figures: Tensor) -> None:
        """See :meth:`train.networks.collapse.Watch.note`."""
        self.watch.note(figures)
