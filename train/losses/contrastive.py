"""Content without a recording of the wanted result: each place must know its own input again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def patch_nce(query: Tensor, key: Tensor, temperature: float = 0.07) -> Tensor:
    """Contrast of places within one recording (Park et al., CUT, 2020; van den Oord et al., 2018).

    A place of the output is to be more like the same place of its input than like other places of
    that input: cross-entropy of ``q_i . k_j / temperature`` where ``j = i`` is right, mean over
    places and recordings; ``log(places)`` where nothing is known.  Other recordings of the batch
    are not contrasted with, as in CUT.

    Parameters
    ----------
    query, key : Tensor [shape=(batch, places, channels)]
        Of output and input; scaled to unit length here.
    """
    q, k = (F.normalize(x, dim=2) for x in (query, key))
    logits = q @ k.transpose(1, 2) / temperature
    right = torch.arange(q.shape[1], device=q.device).expand(q.shape[0], -1)
    return F.cross_entropy(logits.flatten(0, 1), right.flatten())
