"""Styles small enough for a test, and ``restyle`` with them among the recipes.

Run as a program it is the command line itself: ``python tests/train/tiny.py train fit tiny``.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime.models.card import Card, Spectrum, State
from train.data.pairs import Pair, PairSet
from train.losses import esr, stft_distance
from train.networks.discriminators import Adversary, SpectralDiscriminator
from train.networks.frames import FrameTransform
from train.networks.layers import CausalConv, Streamable
from train.networks.waveform_tcn import WaveformTCN
from train.recipes import RECIPES
from train.recipes.base import Batch, Recipe, Schedule, random_gain

HOLD = "TINY_HOLD"
SCHEDULE = Schedule(minutes=1.0, batch=2, segment=1024, learning_rate=3e-3, seed=4, steps=10)


def plucked(seed: int, n: int = 24576) -> np.ndarray:
    """Decaying sines: a tune without a synthesiser."""
    rng, t = np.random.default_rng(seed), np.arange(6144) / 48000
    notes = [np.exp(-8 * t) * np.sin(2 * np.pi * f * t) for f in rng.uniform(100, 800, n // 6144)]
    return (0.4 * np.concatenate(notes)).astype(np.float32)


def sealed(recipe: Recipe, folder: Path, seed: int = 0) -> Path:
    """A file of a style that was never trained, every weight of it drawn by chance."""
    from train.export.gate import seal, to_onnx

    torch.manual_seed(seed)
    network = recipe.network().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.05 * torch.randn_like(weight)
    path = folder / f"{recipe.name}.onnx"
    card = recipe.card(network, {}, {})
    path.write_bytes(seal(recipe, network, card, to_onnx(recipe, network)))
    return path


def pairs() -> PairSet:
    made = [Pair(f"tune{i}", x := plucked(i), np.tanh(4 * x).astype(np.float32)) for i in range(5)]
    return PairSet(tuple(made[:2]), tuple(made[2:4]), (made[4],))


@dataclass(frozen=True)
class Config:
    """What the tests override."""

    channels: int = 4
    dilations: tuple[int, ...] = (1, 6)
    hold: int = 0  # the draw of a batch that waits for ever where HOLD is set: to be killed there


class Tiny(Recipe):
    """A waveform style small enough for a test."""

    name, kind, schedule, latency, warm_up = "tiny", "effect", SCHEDULE, 0, 64
    domain, hop = "waveform", 16

    def __init__(self) -> None:
        self.config, self.drawn = Config(), 0

    def data(self) -> PairSet:
        return pairs()

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        self.drawn += 1
        if self.drawn == self.config.hold and os.environ.get(HOLD):
            threading.Event().wait()
        return random_gain(batch, rng, -6.0, 6.0)

    def network(self) -> Streamable:
        return WaveformTCN(self.config.channels, 4, self.config.dilations)

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        return network.offline(dry.unsqueeze(1))[:, 0]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return esr(y, target)

    def example(self, steps: int) -> Tensor:
        return torch.randn(2, 1, self.hop * steps)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        states = tuple(State(f"s{i}", s) for i, s in enumerate(network.state_shapes))
        spectrum = Spectrum(64, 32) if self.domain == "spectrum" else None
        return Card(
            self.name,
            "Tiny",
            "a test",
            self.domain,
            48000,
            self.hop,
            self.latency,
            "CC0-1.0",
            spectrum=spectrum,
            states=states,
            metrics=metrics,
            provenance=provenance,
        )


class Noisy(Tiny):
    """Uses everything a resume must bring back: torch's generator, a mean, an adversary, SOAP's
    memory, and what one step leaves to the next."""

    name = "noisy"
    schedule = Schedule(
        minutes=1.0, batch=2, segment=2048, seed=5, steps=16, average=0.9, optimiser="soap"
    )

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        y = super().convert(network, dry, controls)
        if not network.training:
            return y
        before = self.carried[0] if self.carried else torch.zeros(1)
        self.carried = [y.detach().mean().reshape(1)]
        return y + 1e-3 * torch.randn_like(y) + 0.1 * before

    def adversary(self) -> nn.Module:
        return Adversary([SpectralDiscriminator(256, 64, 2)], begin=0.25)


class FrameNet(Streamable):
    """A causal convolution over spectra."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.conv = CausalConv(2 * bins, 2 * bins, 2)
        self.state_shapes = [self.conv.state_shape]

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        planes = x.transpose(2, 3).flatten(1, 2)  # [batch, 2 * bins, t]
        y, state = self.conv(planes, states[0])
        return (x + y.unflatten(1, (2, -1)).transpose(2, 3), state)


class TinySpectrum(Tiny):
    """A spectral style small enough for a test."""

    name, domain, latency, warm_up = "tiny-spectrum", "spectrum", 16, 512
    transform = FrameTransform(64, 32, 16)

    def network(self) -> Streamable:
        return FrameNet(33)

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        return self.transform.inverse(network.offline(self.transform.forward(dry)))

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return stft_distance(y, target)

    def example(self, steps: int) -> Tensor:
        return torch.randn(2, 2, steps, 33)


TINY: dict[str, type[Recipe]] = {"tiny": Tiny, "noisy": Noisy, "tiny-spectrum": TinySpectrum}
ROOT = Path(__file__).parents[2]


def program(*words: str) -> list[str]:
    """Command line of ``restyle`` in another process."""
    return [sys.executable, str(Path(__file__)), *words]


def surroundings() -> dict[str, str]:
    """Environment in which :func:`program` finds the packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    from realtime.cli import main

    RECIPES.update(TINY)
    main()
