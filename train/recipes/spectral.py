"""What the spectral recipes share: a frame TCN on asymmetric windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime.models.card import Card, Spectrum, State

from ..data.scores.render import SAMPLE_RATE
from ..losses import level_distance, stft_distance
from ..losses.listener import LENGTH, disturbed, objection, test_rows
from ..networks.frame_tcn import FrameTCN
from ..networks.frames import FrameTransform
from ..networks.layers import Streamable
from .base import Batch, Recipe, Schedule, random_gain

LEVEL = 0.03  # of the loss, for each dB that the short-term level is off
OBJECTION = 0.03  # of the loss, for each dB that a test sound is not clean


class Spectral(Recipe):
    """Frames in, frames out, ``synthesis - hop`` samples late.

    Attributes
    ----------
    n_fft, synthesis, hop : int [samples]
    narrow, wide, hidden, dilations, noise, dry
        See :class:`train.networks.frame_tcn.FrameTCN`.
    rest : float
        What the controls, where there are any, are for the test rows.
    """

    n_fft, synthesis, hop = 1024, 256, 128
    window = "steep_hann"
    narrow, wide, hidden, dilations = 160, 48, 160, (1, 2, 4, 8, 16, 32, 64)
    noise, dry = False, True
    schedule = Schedule(
        minutes=30, steps=4000, batch=8, segment=32768, learning_rate=2e-3, average=0.995
    )
    warm_up = 8192
    tests, shortest = 3, LENGTH
    rest = 0.0
    dc_blocker = 20.0  # Hz

    def __init__(self) -> None:
        self.geometry = Spectrum(self.n_fft, self.synthesis, self.window)
        self.transform = FrameTransform(self.n_fft, self.synthesis, self.hop, self.geometry.fall)
        self.latency = self.synthesis - self.hop

    def network(self) -> Streamable:
        """A frame TCN of this geometry."""
        return FrameTCN(
            self.n_fft // 2 + 1,
            self.hidden,
            self.dilations,
            narrow=self.narrow,
            wide=self.wide,
            noise=self.noise,
            dry=self.dry,
        )

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Frames in, frames out, overlap-added."""
        return self.transform.inverse(network.offline(self.transform.forward(dry)))

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Spectral distance, since phases are unrelated; a little of the level, which it lowers."""
        return stft_distance(y, target) + LEVEL * level_distance(y, target)

    def practise(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Output and target, and behind them the test rows and what they came from."""
        seed = int(torch.randint(2**31, ()))  # of torch's generator, which a checkpoint keeps
        rows = test_rows(self.tests, batch.dry.shape[1], np.random.default_rng(seed))
        rows = rows.to(batch.dry)
        none = batch.controls.new_full((self.tests, batch.controls.shape[1]), self.rest)
        parts = (batch.dry, rows), (batch.wet, rows), (batch.controls, none)
        return self.aligned(network, Batch(*(torch.cat(p) for p in parts)))

    def objection(self, y: Tensor, x: Tensor) -> Tensor:
        """Lines, hum and hiss."""
        return OBJECTION * objection(y, x)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Any input level, which the output follows; hiss, hum and offset, which it leaves out."""
        batch = random_gain(batch, rng, -22.0, 12.0)
        return batch._replace(dry=disturbed(batch.dry, rng))

    def example(self, steps: int) -> Tensor:
        """Noise frames."""
        return torch.randn(2, 2, steps, self.n_fft // 2 + 1)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """Geometry and states."""
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="spectrum",
            sample_rate=SAMPLE_RATE,
            hop_length=self.hop,
            latency=self.latency,
            licence="GPL-3.0-or-later",
            dc_blocker=self.dc_blocker,
            spectrum=self.geometry,
            states=tuple(State(f"memory{i}", s) for i, s in enumerate(network.state_shapes)),
            metrics=metrics,
            provenance=provenance,
        )
