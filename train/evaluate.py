"""Held-out figures of a recipe, beside what doing nothing and matched equalisers reach.

``matched_eq`` is one static equaliser for the whole style, fitted on the training set; ``own_eq``
is fitted on the very recording it is judged on, which no live equaliser could know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .data.pairs import Pair, PairSet
from .fit import whole
from .losses import esr, stft_distance
from .networks.layers import Streamable
from .recipes.base import Recipe

EQ_FFT, EQ_HOP = 2048, 512


def matched_eq(pairs: tuple[Pair, ...]) -> Tensor:
    """Gain per frequency bin that gives the dry training set the wet one's mean spectrum."""
    power = torch.zeros(2, EQ_FFT // 2 + 1, dtype=torch.float64)
    window = torch.hann_window(EQ_FFT)
    for pair in pairs:
        for row, signal in enumerate((pair.dry, pair.wet)):
            frames = torch.stft(
                torch.from_numpy(signal), EQ_FFT, EQ_HOP, window=window, return_complex=True
            )
            power[row] += frames.abs().double().square().sum(dim=1)
    return torch.sqrt(power[1] / (power[0] + 1e-12)).clamp(max=100.0).float()


def apply_eq(dry: Tensor, gain: Tensor) -> Tensor:
    """Filter ``[batch, n]`` by a static zero-phase gain per bin."""
    window = torch.hann_window(EQ_FFT)
    frames = torch.stft(dry, EQ_FFT, EQ_HOP, window=window, return_complex=True)
    return torch.istft(frames * gain[:, None], EQ_FFT, EQ_HOP, window=window, length=dry.shape[1])


def evaluate(recipe: Recipe, network: Streamable, data: PairSet) -> dict[str, Any]:
    """Mean distances over the held-out test recordings.

    Returns
    -------
    dict
        ``stft_distance`` and ``esr`` for copy, matched_eq, own_eq and model; ``level_db``, output
        level over target level; ``test_recordings``; ``command``.
    """
    gain = matched_eq(data.train)
    rows: dict[str, dict[str, list[float]]] = {
        k: {"stft_distance": [], "esr": []} for k in ("copy", "matched_eq", "own_eq", "model")
    }
    levels = []
    network.eval()
    with torch.no_grad():
        for pair in data.test:
            n = len(pair.dry) // 1024 * 1024
            batch = whole(pair, n)
            dry = batch.dry
            y, target = recipe.aligned(network, batch)
            begin = recipe.warm_up
            same = slice(begin, begin + y.shape[1])
            own = matched_eq((pair,))
            candidates = {
                "model": y,
                "copy": dry[:, same],
                "matched_eq": apply_eq(dry, gain)[:, same],
                "own_eq": apply_eq(dry, own)[:, same],
            }
            for name, candidate in candidates.items():
                rows[name]["stft_distance"].append(float(stft_distance(candidate, target)))
                rows[name]["esr"].append(float(esr(candidate, target)))
            ratio = float(y.square().mean() / (target.square().mean() + 1e-12))
            levels.append(10 * np.log10(ratio + 1e-12))
    means = {
        name: {k: round(float(np.mean(v)), 4) for k, v in values.items()}
        for name, values in rows.items()
    }
    return {
        **means,
        "level_db": round(float(np.mean(levels)), 2),
        "test_recordings": len(data.test),
        "command": f"python -m train evaluate {recipe.name}",
    }


def table(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{'':12}{'STFT distance':>15}{'ESR':>10}"]
    for name in ("copy", "matched_eq", "own_eq", "model"):
        row = result[name]
        lines.append(f"{name:12}{row['stft_distance']:>15.4f}{row['esr']:>10.4f}")
    lines.append(f"level against target {result['level_db']:+.2f} dB")
    return "\n".join(lines)
