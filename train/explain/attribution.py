"""Which parts of the input an answer comes from: integrated gradients by captum.

Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017: the gradient along
the straight way from a baseline (here silence) to the input, times the way.  The parts sum to the
difference of the answers (completeness), which is checked and shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.errors import ConfigError

from ..networks.frame_tcn import FrameTCN
from ..networks.layers import Streamable
from ..networks.tag_cnn import TagCNN

Array = npt.NDArray[np.float32]
STEPS = 96


@dataclass(frozen=True)
class Attribution:
    """Parts of one answer.

    Attributes
    ----------
    parts : ndarray
        As the input they are of: ``[bands or bins, steps]``, or ``[samples]``.
    answer : str
    value, baseline : float
        The answer for the input and for silence.
    gap : float
        ``|sum(parts) - (value - baseline)|`` over the larger of that difference and 1e-9.
    """

    parts: Array
    answer: str
    value: float
    baseline: float
    gap: float


def integrated(f: Callable[[Tensor], Tensor], x: Tensor, silence: Tensor) -> tuple[Tensor, float]:
    """Attributions of ``f(x) -> [batch]`` and their gap to completeness.

    Raises
    ------
    ConfigError
        captum is not installed.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise ConfigError("attributions need captum; run: pip install 'restyle[train]'") from None
    parts = IntegratedGradients(f).attribute(
        x, silence, n_steps=STEPS, method="gausslegendre", internal_batch_size=8
    )
    with torch.no_grad():
        whole = float(f(x) - f(silence))
    return parts.detach(), abs(float(parts.sum()) - whole) / max(abs(whole), 1e-9)


def of_tagger(network: TagCNN, x: Array, label: int, name: str) -> Attribution:
    """Where in time and frequency a label is heard: parts of its mean logit."""
    with torch.no_grad():
        samples = torch.from_numpy(x[None, None, : len(x) // network.hop * network.hop])
        past = torch.zeros(1, 1, network.state_shapes[0][1])
        energies, _ = network.log_mel(samples, past)
        silent, _ = network.log_mel(torch.zeros_like(samples), past)

    def answer(frames: Tensor) -> Tensor:
        h = network.inward(0.2 * frames + 0.5)
        for block, shape in zip(network.blocks, network.state_shapes[1:], strict=True):
            h, _ = block(h, torch.zeros(len(frames), *shape))
        return network.outward(network.head(h))[:, :, label].mean(dim=1)

    parts, gap = integrated(answer, energies, silent)
    with torch.no_grad():
        values = float(answer(energies)), float(answer(silent))
    return Attribution(parts[0].T.numpy(), f"mean logit of '{name}'", *values, gap)


def of_spectrum(
    network: FrameTCN, frames: Tensor, at: int, controls: Tensor | None = None
) -> Attribution:
    """What the gains of one frame come from.

    Parameters
    ----------
    frames : Tensor [shape=(1, 2, t, bins)]
    at : int
        Frame whose log gain, in the mean over audible bins, is the answer.
    """
    loud = frames[0].square().sum(dim=0)[at]
    audible = loud > 1e-4 * loud.max()

    def answer(x: Tensor) -> Tensor:
        y = network.offline(x, controls=controls)
        power = y.square().sum(dim=1)[:, at] + 1e-9
        return 0.5 * torch.log(power[:, audible]).mean(dim=1)

    faint = 1e-3 * frames
    parts, gap = integrated(answer, frames, faint)
    with torch.no_grad():
        values = float(answer(frames)), float(answer(faint))
    return Attribution(
        parts[0].sum(dim=0).T.numpy(), "mean log magnitude of the loudest frame", *values, gap
    )


def of_samples(
    network: Streamable, x: Array, at: int, controls: Tensor | None = None
) -> Attribution:
    """Which samples before it one output sample comes from."""
    whole = torch.from_numpy(x[None, None])

    def answer(signal: Tensor) -> Tensor:
        return network.offline(signal, controls=controls)[:, 0, at]

    silence = torch.zeros_like(whole)
    parts, gap = integrated(answer, whole, silence)
    with torch.no_grad():
        values = float(answer(whole)), float(answer(silence))
    return Attribution(parts[0, 0].numpy(), "output at the loudest place", *values, gap)
