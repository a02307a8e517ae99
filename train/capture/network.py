"""The network of a capture: a WaveNet of the first generation, as any player of ``.nam`` plays it.

Two arrays of ten dilated layers (Wright, Damskägg, Juvela & Välimäki, Real-time guitar amplifier
emulation with deep learning, Applied Sciences 10, 2020).  Knobs are further channels of what every
layer hears; at a fixed setting they are constants, which the biases take up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime.models.nam.file import Capture
from realtime.models.nam.knobs import KNOBS, turned
from realtime.parameters.parameter import Parameter

from . import kernel

DILATIONS = tuple(2**k for k in range(10))
KERNEL = 3
SIZES = {"nano": (4, 2), "feather": (8, 4), "lite": (12, 6), "standard": (16, 8)}
BIASES = (2, 9)  # places of the biases, which the knobs move, among the weights
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

    def weights(self, turned: Tensor) -> list[Tensor]:
        """All of them, a layer after the other; biases for each setting of the knobs ``[batch,
        layers, channels]``.
        """
        mixer = torch.stack([m.weight[:, :, 0] for m in self.mixers])
        bias = torch.stack([c.bias for c in self.convs]) + torch.einsum(
            "lck,bk->blc", mixer[:, :, 1:], turned
        )
        return [
            self.enter.weight[:, :, 0],
            torch.stack([c.weight for c in self.convs]),
            bias,
            mixer[:, :, 0],
            torch.stack([o.weight[:, :, 0] for o in self.ones]),
            torch.stack([o.bias for o in self.ones]),
            self.head.weight[:, :, 0],
        ]


class _Room:
    """What one sound leaves of itself on the way forth, and room for the way back."""

    def __init__(self, layers: int, wide: int, narrow: int, samples: int, heard: int) -> None:
        self.kept = [
            np.zeros(shape, np.float32)
            for c in (wide, narrow)
            for shape in ((layers + 1, c, samples), (layers, c, samples), (c, heard))
        ]
        shapes = ((wide, samples), (narrow, samples), (wide, heard), (narrow, heard),
                  (wide, kernel.STRETCH), (narrow, kernel.STRETCH))  # fmt: skip
        self.work = [np.zeros(shape, np.float32) for shape in shapes]


class _Rooms:
    """Rooms of a network for the batches that it meets; those of the last size are kept."""

    def __init__(self, wide: int, narrow: int) -> None:
        self.dilations = np.array(DILATIONS)
        self._widths = wide, narrow
        self._size, self._kept = (0, 0), list[_Room]()

    def __call__(self, batch: int, samples: int) -> list[_Room]:
        if self._size != (batch, samples):
            heard = samples - 2 * (KERNEL - 1) * int(self.dilations.sum())
            layers = len(self.dilations)
            self._size = batch, samples
            self._kept = [_Room(layers, *self._widths, samples, heard) for _ in range(batch)]
        return self._kept


class _Sounds(torch.autograd.Function):
    """Both arrays of layers by :mod:`.kernel`, a sound for each of torch's threads at once.

    The gradient of a batch is there until the next batch goes through the same network.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, rooms: _Rooms, *weights: Tensor) -> Tensor:
        """``x [batch, time]`` to ``[batch, time - reach]``."""
        flat = [np.ascontiguousarray(w.detach().numpy()) for w in weights]
        sounds = np.ascontiguousarray(x.numpy())
        own = rooms(*sounds.shape)
        made = np.empty((len(sounds), own[0].kept[2].shape[1]), np.float32)

        def one(k: int) -> None:
            kernel.forth(sounds[k], *_of(flat, k), rooms.dilations, *own[k].kept, made[k])

        _each(one, len(sounds))
        ctx.flat, ctx.sounds, ctx.own, ctx.dilations = flat, sounds, own, rooms.dilations
        return torch.from_numpy(made)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Of the weights."""
        dy = np.ascontiguousarray(gradients[0].numpy())
        found: list[list[Any]] = [[] for _ in dy]

        def one(k: int) -> None:
            weights, room = _of(ctx.flat, k), ctx.own[k]
            conv, inner, out, enter2, conv2, inner2, out2 = (
                weights[j] for j in (1, 4, 6, 7, 8, 11, 13)
            )
            found[k] = [np.zeros_like(w) for w in weights]
            kernel.back(
                ctx.sounds[k], conv, inner, out, enter2, conv2, inner2, out2, ctx.dilations,
                *room.kept, dy[k], *room.work, *found[k],
            )  # fmt: skip

        _each(one, len(dy))
        sums = (
            np.stack(rows) if j in BIASES else np.sum(rows, axis=0)
            for j, rows in enumerate(zip(*found, strict=True))
        )
        made = (s.reshape(w.shape) for s, w in zip(sums, ctx.flat, strict=True))
        return None, None, *(torch.from_numpy(s) for s in made)


def _of(flat: Sequence[Any], sound: int) -> list[Any]:
    """The weights as the kernel takes them for one sound of a batch."""
    made = [w[sound] if j in BIASES else w for j, w in enumerate(flat)]
    made[0], made[13] = made[0][:, 0], made[13][0]
    return made


def _each(work: Callable[[int], None], count: int) -> None:
    threads = min(torch.get_num_threads(), count)
    if threads == 1:
        for k in range(count):
            work(k)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(count)))


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
        self.rooms = _Rooms(wide, narrow)

    def __deepcopy__(self, memo: dict[int, Any]) -> CaptureNet:
        made = CaptureNet(self.size, self.knobs, self.scale)
        made.load_state_dict(self.state_dict())
        return made

    @property
    def reach(self) -> int:
        """Samples before the current one that count."""
        return 2 * (KERNEL - 1) * sum(DILATIONS)

    def forward(self, x: Tensor, turned: Tensor) -> Tensor:
        """``x [batch, time]``, ``turned [batch, knobs]`` to ``[batch, time - reach]``."""
        y = _Sounds.apply(x, self.rooms, *self.first.weights(turned), *self.second.weights(turned))
        return self.scale * (y + self.second.head.bias)

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
