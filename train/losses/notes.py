"""What the ear is taught by: onsets, activity, velocity and bend of every pitch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

KNOWN = 5.0  # targets above this are not known
WEIGHTS = (1.0, 0.5, 2.0, 1.0, 0.3)  # onset, activity, velocity, bend, struck


def note_losses(y: Tensor, target: Tensor) -> Tensor:
    """Five losses of logits ``y [b, t, 70, 4]`` against ``target`` of the same shape.

    Onset: cross entropy that sure and right answers hardly count in (focal, Lin et al., ICCV 2017,
    with exponent 1); activity and struck: cross entropy; velocity and bend: Huber's, where known.
    Cross entropies are summed over pitches.
    """
    y, target = y.float(), target.float()
    logits, wanted = y[:, :, :-1], target[:, :, :-1]
    onset, active = logits[..., 0], logits[..., 1]
    entropy = F.binary_cross_entropy_with_logits(onset, wanted[..., 0], reduction="none")
    focus = torch.abs(torch.sigmoid(onset) - wanted[..., 0]).detach()
    first = (entropy * (0.1 + focus)).sum(dim=2).mean()
    second = F.binary_cross_entropy_with_logits(active, wanted[..., 1], reduction="none")
    struck = F.binary_cross_entropy_with_logits(y[:, :, -1, 0], target[:, :, -1, 0])
    return torch.stack(
        [
            first,
            second.sum(dim=2).mean(),
            _where_known(logits[..., 2], wanted[..., 2], 0.1),
            _where_known(logits[..., 3], wanted[..., 3], 0.1),
            struck,
        ]
    )


def note_loss(y: Tensor, target: Tensor) -> Tensor:
    """The weighted sum of :func:`note_losses`."""
    return (note_losses(y, target) * torch.tensor(WEIGHTS, device=y.device)).sum()


def _where_known(y: Tensor, target: Tensor, beta: float) -> Tensor:
    known = (target < KNOWN).float()
    loss = F.smooth_l1_loss(y, target.clamp(max=KNOWN), beta=beta, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1.0)
