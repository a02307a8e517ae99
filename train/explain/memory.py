"""How far back a network hears: by its layers, and by the gradient of its output.

The receptive field is the stretch of input that one output depends on (Luo et al., 2016).  Its
analytic length follows from the layers; the measured one is where the gradient is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..networks.frame_tcn import FrameTCN
from ..networks.layers import Streamable
from ..networks.tag_cnn import TagCNN
from ..networks.waveform_tcn import WaveformTCN

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Memory:
    """What one output depends on.

    Attributes
    ----------
    unit : str
        ``samples`` or ``frames``.
    analytic, measured : int
        Lengths in `unit`.
    samples : int
        The analytic one in samples.
    weight : ndarray [shape=(n,)]
        Size of the gradient for each step back, the present one first, its largest value 1.
    """

    unit: str
    analytic: int
    measured: int
    samples: int
    weight: Array


def analytic(network: Streamable) -> int:
    """Receptive field by the layers: in samples, of a spectrum network in frames.

    Raises
    ------
    TypeError
        A network of another kind.
    """
    if isinstance(network, WaveformTCN | TagCNN):
        return network.receptive_field
    if isinstance(network, FrameTCN):
        return network.receptive_field
    raise TypeError(f"a {type(network).__name__} has no formula for its memory")


def measure(network: Streamable, controls: torch.Tensor | None, hop: int, n_fft: int) -> Memory:
    """Gradient of the last output with respect to every input before it, on noise.

    What lies outside the memory has a gradient of exactly 0: no path leads there.
    """
    long = analytic(network)
    torch.manual_seed(0)
    steps = long + 3 * (hop if isinstance(network, TagCNN) else 1) + 8
    if isinstance(network, FrameTCN):
        x = torch.randn(1, 2, steps, network.bins)
    else:
        unit = hop if isinstance(network, TagCNN) else 1
        x = 0.1 * torch.randn(1, 1, -(-steps // unit) * unit)
    x.requires_grad_(True)
    y = network.offline(x, controls=controls)
    last = y[:, :, -1].square().sum() if y.ndim == 4 else y[..., -1].sum()
    (gradient,) = torch.autograd.grad(last, x)
    size = gradient.abs().sum(dim=(1, 3) if y.ndim == 4 else 1)[0].flip(0).numpy()
    heard = np.flatnonzero(size)
    measured = int(heard[-1]) + 1 if heard.size else 0
    frames = isinstance(network, FrameTCN)
    samples = n_fft + (long - 1) * hop if frames else long
    weight = size / max(float(size.max()), 1e-30)
    return Memory("frames" if frames else "samples", long, measured, samples, weight)
