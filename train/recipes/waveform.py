"""What the waveform recipes share: a zero-latency TCN that follows a teacher sample by sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realtime.models.card import Card, State
from realtime.parameters.parameter import Parameter

from ..data.scores.render import SAMPLE_RATE
from ..losses import esr, pre_emphasis, stft_distance
from ..networks.layers import Streamable
from ..networks.waveform_tcn import WaveformTCN
from .base import Recipe, Schedule


class Waveform(Recipe):
    """Samples in, samples out, at once.

    Attributes
    ----------
    channels, kernel, dilations
        See :class:`train.networks.waveform_tcn.WaveformTCN`.
    styles : tuple of str
        Names of the blend weights; none for a single style.
    """

    hop = 64
    channels, kernel, dilations = 24, 8, (1, 4, 16, 64, 192)
    styles: tuple[str, ...] = ()
    schedule = Schedule(minutes=12, batch=12, segment=8192, learning_rate=4e-3, average=0.995)
    latency = 0
    dc_blocker = 5.0  # Hz

    def __init__(self) -> None:
        self.warm_up = (self.kernel - 1) * sum(self.dilations)

    def network(self) -> Streamable:
        """About 19,000 weights."""
        return WaveformTCN(self.channels, self.kernel, self.dilations, len(self.styles))

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Samples in, samples out."""
        return network.offline(dry.unsqueeze(1), controls=controls)[:, 0]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Plain and pre-emphasised error-to-signal ratio, and a little spectral distance."""
        waveform = esr(y, target) + esr(pre_emphasis(y), pre_emphasis(target))
        return waveform + 0.02 * stft_distance(y, target)

    def example(self, steps: int) -> Tensor:
        """Noise samples."""
        return 0.1 * torch.randn(2, 1, self.hop * steps)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """Zero algorithmic latency; one blend weight a style, the first one up."""
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="waveform",
            sample_rate=SAMPLE_RATE,
            hop_length=self.hop,
            latency=0,
            licence="GPL-3.0-or-later",
            dc_blocker=self.dc_blocker,
            states=tuple(State(f"layer{i}", s) for i, s in enumerate(network.state_shapes)),
            controls=tuple(
                Parameter(name, default=float(i == 0), kind="blend")
                for i, name in enumerate(self.styles)
            ),
            metrics=metrics,
            provenance=provenance,
        )
