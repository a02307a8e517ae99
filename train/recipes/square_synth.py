"""square-synth: keys, plucked strings and guitars become a square-lead synthesiser."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realtime.models.card import Card, Spectrum, State

from ..data.pairs import PairSet, program_pairs
from ..data.render import SAMPLE_RATE
from ..losses import stft_distance
from ..networks.frame_cnn import FrameCNN
from ..networks.layers import Streamable
from ..stft import FrameTransform
from .base import Recipe, Schedule, random_gain

N_FFT, SYNTHESIS, HOP = 1024, 256, 128
DILATIONS = (1, 2, 4, 8, 16, 32)
INPUTS = (0, 4, 24, 27, 1, 6, 11, 25, 5, 0)  # pianos, e-pianos, guitars, harpsichord, vibraphone
SQUARE_LEAD = 80


class SquareSynth(Recipe):
    """Frame CNN on asymmetric windows: 128 samples over the hop."""

    name = "square-synth"
    schedule = Schedule(minutes=30, batch=12, segment=24576, learning_rate=1.5e-3)
    latency = SYNTHESIS - HOP
    warm_up = 8192

    def __init__(self) -> None:
        self.transform = FrameTransform(N_FFT, SYNTHESIS, HOP)

    def data(self) -> PairSet:
        """100 scores of 24 s, input instruments in turn."""
        return program_pairs(100, 24.0, INPUTS, SQUARE_LEAD, seed=5000)

    def network(self) -> Streamable:
        """About 1.5 million weights."""
        return FrameCNN(N_FFT // 2 + 1, 176, DILATIONS)

    def convert(self, network: Streamable, dry: Tensor) -> Tensor:
        """Frames in, frames out, overlap-added."""
        return self.transform.inverse(network.offline(self.transform.forward(dry)))

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Spectral distance alone: the phases of two instruments are unrelated."""
        return stft_distance(y, target)

    def augment(self, dry: Tensor, wet: Tensor) -> tuple[Tensor, Tensor]:
        """Any input level; the output follows it."""
        gain = random_gain(dry.shape[0], -16.0, 10.0)
        return dry * gain, wet * gain

    def example(self, steps: int) -> Tensor:
        """Noise frames."""
        return torch.randn(2, 2, steps, N_FFT // 2 + 1)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """Geometry and states."""
        return Card(
            name=self.name,
            title="Square synth",
            summary="keys and guitars become a square-lead synth",
            domain="spectrum",
            sample_rate=SAMPLE_RATE,
            hop_length=HOP,
            latency=SYNTHESIS - HOP,
            licence="GPL-3.0-or-later",
            spectrum=Spectrum(N_FFT, SYNTHESIS),
            states=tuple(State(f"block{i}", s) for i, s in enumerate(network.state_shapes)),
            metrics=metrics,
            provenance=provenance,
        )
