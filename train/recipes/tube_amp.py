"""tube-amp: a driven guitar amplifier, learnt by sample from a chain of pedalboard effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pedalboard
import torch
from torch import Tensor

from realtime.models.card import Card, State

from ..data.pairs import Array, PairSet, teacher_pairs
from ..data.render import SAMPLE_RATE
from ..losses import esr, pre_emphasis, stft_distance
from ..networks.layers import Streamable
from ..networks.waveform_tcn import WaveformTCN
from .base import Recipe, Schedule

HOP = 64
SHAPE = (24, 8, (1, 4, 16, 64, 192))  # channels, kernel, dilations
GUITARS = (27, 25, 26, 28, 27, 33)  # clean, steel, jazz, muted electric; finger bass


def teacher(dry: Array) -> Array:
    """A tight low end, soft saturation, mid push, speaker-like top: causal, no delay."""
    board = pedalboard.Pedalboard(
        [
            pedalboard.HighpassFilter(90),
            pedalboard.PeakFilter(750, gain_db=4, q=0.7),
            pedalboard.Distortion(drive_db=22),
            pedalboard.PeakFilter(2200, gain_db=4, q=0.8),
            pedalboard.LowpassFilter(4800),
            pedalboard.LowpassFilter(7500),
            pedalboard.Gain(-7),
        ]
    )
    wet = board(dry[None], SAMPLE_RATE)[0]
    return np.asarray(np.pad(wet, (0, len(dry) - len(wet))), dtype=np.float32)


class TubeAmp(Recipe):
    """Waveform TCN, zero latency."""

    name = "tube-amp"
    schedule = Schedule(minutes=16, batch=12, segment=8192, learning_rate=4e-3)
    latency = 0

    def __init__(self) -> None:
        self.warm_up = WaveformTCN(*SHAPE).receptive_field - 1

    def data(self) -> PairSet:
        """30 guitar scores of 24 s through the teacher."""
        return teacher_pairs(30, 24.0, GUITARS, teacher, seed=1000)

    def network(self) -> Streamable:
        """About 19,000 weights."""
        return WaveformTCN(*SHAPE)

    def convert(self, network: Streamable, dry: Tensor) -> Tensor:
        """Samples in, samples out."""
        return network.offline(dry.unsqueeze(1))[:, 0]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Plain and pre-emphasised error-to-signal ratio, and a little spectral distance."""
        waveform = esr(y, target) + esr(pre_emphasis(y), pre_emphasis(target))
        return waveform + 0.02 * stft_distance(y, target)

    def example(self, steps: int) -> Tensor:
        """Noise samples."""
        return 0.1 * torch.randn(2, 1, HOP * steps)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """Zero algorithmic latency."""
        return Card(
            name=self.name,
            title="Tube amp",
            summary="driven guitar amplifier",
            domain="waveform",
            sample_rate=SAMPLE_RATE,
            hop_length=HOP,
            latency=0,
            licence="GPL-3.0-or-later",
            states=tuple(State(f"layer{i}", s) for i, s in enumerate(network.state_shapes)),
            metrics=metrics,
            provenance=provenance,
        )
