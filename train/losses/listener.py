"""What a listener would object to, as a loss: the same faults as the proof's, on tones at random.

Test rows are steady sounds a filter could only scale: tones and chords of harmonics, hum, an
offset, noise.  Whatever comes out beside them was made by the style.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

RATE = 48000
LENGTH = 16384  # samples that are judged
LOBE = 6  # bins either side of what went in
HEARD = 1e-5  # of the input's loudest bin: what is fainter is its window's
CLEAN, QUIET = -52.0, 0.0  # dB: nothing better is asked for
FAINT = 1e-10  # mean square that nobody hears


def test_rows(count: int, n: int, rng: np.random.Generator) -> Tensor:
    """Steady sounds ``[count, n]``; every third row is a disturbance, the others are played."""
    t = np.arange(n) / RATE
    rows = [_disturbance(t, rng) if i % 3 == 2 else _notes(t, rng) for i in range(count)]
    return torch.from_numpy(np.stack(rows).astype(np.float32))


def _notes(t: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    x = np.zeros_like(t)
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        hz = float(np.exp(rng.uniform(np.log(60.0), np.log(1400.0))))
        slope = rng.uniform(0.8, 2.5)
        for k in range(1, int(rng.choice((1, 1, 4, 8, 16))) + 1):
            if k * hz < 16000.0:
                x += k**-slope * np.sin(2 * np.pi * k * hz * t + rng.uniform(0, 2 * np.pi))
    return x * 10 ** (rng.uniform(-45.0, -12.0) / 20) / np.sqrt(np.mean(x**2))


def _disturbance(t: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    kind, level = rng.integers(0, 4), 10 ** (rng.uniform(-90.0, -50.0) / 20)
    if kind == 0:
        return level * 30.0 * np.ones_like(t) * rng.choice((-1.0, 1.0)) * rng.uniform(0.01, 1.0)
    if kind == 1:
        base = float(rng.choice((50.0, 60.0)))
        waves = sum(np.sin(2 * np.pi * k * base * t + k) / k for k in (1, 2, 3, 5))
        return np.asarray(level * waves)
    return level * rng.standard_normal(len(t))


def disturbed(x: Tensor, rng: np.random.Generator, share: float = 0.5) -> Tensor:
    """Add a disturbance to some rows ``[batch, n]``, as a preamplifier does."""
    t = np.arange(x.shape[1]) / RATE
    more = [
        _disturbance(t, rng) * 0.5 if rng.random() < share else np.zeros_like(t)
        for _ in range(len(x))
    ]
    return x + torch.from_numpy(np.stack(more)).to(x)


def objection(y: Tensor, x: Tensor) -> Tensor:
    """Mean over rows, in dB: lines and noise beside the input's own bins, and louder hiss.

    Parameters
    ----------
    y, x : Tensor [shape=(rows, n)]
        Outputs, and the :func:`test_rows` they came from; at least :data:`LENGTH` samples.
    """
    at = torch.arange(LENGTH, device=x.device, dtype=torch.float32) * (2 * math.pi / LENGTH)
    window = 0.35875 - 0.48829 * at.cos() + 0.14128 * (2 * at).cos() - 0.01168 * (3 * at).cos()
    scale = 2.0 / (LENGTH * window.square().sum())
    went, came = (torch.fft.rfft(s[:, -LENGTH:] * window).abs().square() * scale for s in (x, y))
    near = went > HEARD * went.amax(dim=1, keepdim=True)
    near = torch.nn.functional.max_pool1d(near.float(), 2 * LOBE + 1, 1, LOBE) > 0
    inside, total = (came * near).sum(dim=1), went.sum(dim=1)
    beside = (came * ~near).sum(dim=1)
    quiet = total < 1e-4 * near.float().mean(dim=1).clamp(min=0.1)  # hum, offset, hiss
    base = torch.where(quiet, total, inside) + FAINT
    lines = torch.relu(10 * torch.log10((beside + 1e-6 * FAINT) / base) - CLEAN)
    louder = torch.relu(10 * torch.log10((inside + FAINT) / (total + FAINT)) - QUIET)
    return (lines + torch.where(quiet, louder, torch.zeros_like(louder))).mean()
