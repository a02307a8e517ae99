"""The network of a capture: a WaveNet of the first generation, as any player of ``.nam`` plays it.

Two arrays of ten dilated layers (Wright, Damskägg, Juvela & Välimäki, Real-time guitar amplifier
emulation with deep learning, Applied Sciences 10, 2020).  Knobs are further channels of what every
layer hears; at a fixed setting they are constants, which the biases take up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime.models.nam.file import Capture
from realtime.models.nam.knobs import KNOBS, turned
from realtime.parameters.parameter import Parameter

DILATIONS = tuple(2**k for k in range(10))
KERNEL = 3
SIZES = {"nano": (4, 2), "feather": (8, 4), "lite": (12, 6), "standard": (16, 8)}
VERSION = "0.5.4"  # of the file format, so that older plug-ins read it


class _Array(nn.Module):
    """One array of layers."""

    def __init__(self, inputs: int, channels: int, outputs: int, heard: int, bias: bool) -> None:
        super().__init__()
        self.enter = nn.Conv1d(inputs, channels, 1, bias=False)
        self.convs = nn.ModuleList(
            nn.Conv1d(channels, channels, KERNEL, dilation=d) for d in DILATIONS
        )
        self.mixers = nn.ModuleList(nn.Conv1d(heard, channels, 1, bias=False) for _ in DILATIONS)
        self.ones = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in DILATIONS)
        self.head = nn.Conv1d(channels, outputs, 1, bias=bias)

    def forward(self, x: Tensor, heard: Tensor, head: Tensor | None) -> tuple[Tensor, Tensor]:
        """Residual and head's sum, both shorter by what the layers look back."""
        x = self.enter(x)
        for conv, mixer, one in zip(self.convs, self.mixers, self.ones, strict=True):
            z = conv(x)
            n = z.shape[-1]
            term = torch.tanh(z + mixer(heard[..., -n:]))
            head = term if head is None else head[..., -n:] + term
            x = x[..., -n:] + one(term)
        return x, self.head(head)


class CaptureNet(nn.Module):
    """Two arrays of layers and a scale.

    Parameters
    ----------
    size : str
        One of :data:`SIZES`.
    knobs : sequence of Parameter
    scale : float
        Level of the gear's output, so that the network's own is near 1.
    """

    def __init__(self, size: str, knobs: Sequence[Parameter] = (), scale: float = 1.0) -> None:
        super().__init__()
        self.size, self.knobs, self.scale = size, tuple(knobs), scale
        wide, narrow = SIZES[size]
        heard = 1 + len(self.knobs)
        self.first = _Array(1, wide, narrow, heard, False)
        self.second = _Array(wide, narrow, 1, heard, True)

    @property
    def reach(self) -> int:
        """Samples before the current one that count."""
        return 2 * (KERNEL - 1) * sum(DILATIONS)

    def forward(self, x: Tensor, turned: Tensor) -> Tensor:
        """``x [batch, time]``, ``turned [batch, knobs]`` to ``[batch, time - reach]``."""
        x = x[:, None]
        level = turned[:, :, None].expand(-1, -1, x.shape[-1])
        heard = torch.cat([x, level], dim=1)
        y, head = self.first(x, heard, None)
        y, head = self.second(y, heard, head)
        return self.scale * head[:, 0]

    def place(self, values: Sequence[float]) -> Tensor:
        """What the network hears of knobs at `values` ``[knobs]``."""
        heard = [turned(k, v) for k, v in zip(self.knobs, values, strict=True)]
        return torch.tensor(heard, dtype=torch.float32)

    def capture(self, metadata: dict[str, Any], values: Sequence[float] | None = None) -> Capture:
        """The network as a capture: with its knobs, or plain with the knobs at `values`."""
        fixed = None if values is None or not self.knobs else self.place(values)
        weights = [_weights(a, fixed) for a in (self.first, self.second)]
        wide, narrow = SIZES[self.size]
        heard = 1 if fixed is not None else 1 + len(self.knobs)
        plain = {
            "condition_size": heard,
            "kernel_size": KERNEL,
            "dilations": list(DILATIONS),
            "activation": "Tanh",
            "gated": False,
        }
        layers = [
            {"input_size": 1, "channels": wide, "head_size": narrow, "head_bias": False, **plain},
            {"input_size": wide, "channels": narrow, "head_size": 1, "head_bias": True, **plain},
        ]
        config: dict[str, Any] = {"layers": layers, "head": None, "head_scale": self.scale}
        if heard > 1:
            config[KNOBS] = [
                {"name": k.name, "low": k.minimum, "high": k.maximum, "default": k.default}
                for k in self.knobs
            ]
        flat = np.concatenate([*weights, [self.scale]]).astype(np.float32).astype(np.float64)
        return Capture("WaveNet", config, flat, 48000, VERSION, metadata)


def _weights(array: _Array, fixed: Tensor | None) -> np.ndarray:
    """Weights in the order of the file; knobs at `fixed` go into the biases."""
    parts = [array.enter.weight]
    for conv, mixer, one in zip(array.convs, array.mixers, array.ones, strict=True):
        heard, bias = mixer.weight, conv.bias
        if fixed is not None:
            bias = bias + heard[:, 1:, 0] @ fixed
            heard = heard[:, :1]
        parts += [conv.weight, bias, heard, one.weight, one.bias]
    parts.append(array.head.weight)
    if array.head.bias is not None:
        parts.append(array.head.bias)
    return np.concatenate([p.detach().double().numpy().ravel() for p in parts])
