"""Latent keys: keys and guitars through sixteen numbers a hop, out in one of four styles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realtime.models.card import Card, Control

from ..data.pairs import PairSet, Voice
from ..data.styles import style_pairs
from ..latent import study
from ..networks.discriminators import Adversary, SpectralDiscriminator
from ..networks.latent import LatentNet
from ..networks.layers import Streamable
from .base import Schedule
from .instrument import INPUTS
from .spectral import Spectral

MATCH = "match"  # control: how far the latent goes to the style's own statistics

KEPT = "latent.json"


class LatentKeys(Spectral):
    """Autoencoder with knobs on its latent, and piano, strings, choir, guitar to blend."""

    name, kind, title = "latent-keys", "latent", "Latent keys"
    summary = "keys and guitars through 16 numbers a hop: knobs on sound, blend of four instruments"
    styles = ("piano", "strings", "choir", "guitar")
    voices = (Voice(0), Voice(48), Voice(52), Voice(24))
    latent, knobs = 16, 6
    schedule = Schedule(
        minutes=15, steps=1800, batch=8, segment=32768, learning_rate=2e-3, average=0.995
    )

    def __init__(self) -> None:
        super().__init__()
        self.studied: study.Study | None = None
        self.names = tuple(f"latent {k + 1}" for k in range(self.knobs))

    def tune(self, network: Streamable, folder: Path) -> None:
        """Directions, names and statistics, from ``latent.json`` or from the training's sounds."""
        if not isinstance(network, LatentNet):
            raise TypeError(f"latent keys need a LatentNet, got {type(network).__name__}")
        found = study.kept(folder / KEPT, network)
        if found is None:

            def convert(x: Tensor, controls: Tensor) -> Tensor:
                return self.convert(network, x, controls)

            found = study.study(network, convert, self.transform, self.data())
            found.save(folder / KEPT)
        found.apply(network)
        self.studied = found
        self.names = tuple(k.name for k in found.knobs)

    def data(self) -> PairSet:
        """90 scores of 24 s by an input voice and by all four styles."""
        return style_pairs(90, 24.0, INPUTS, self.voices, seed=55000)

    def network(self) -> Streamable:
        """A latent autoencoder of this geometry."""
        return LatentNet(self.n_fft // 2 + 1, len(self.styles), self.latent, self.knobs)

    def adversary(self) -> nn.Module:
        """Two views of the spectrum, for the last part of the training."""
        views = [SpectralDiscriminator(n, h, 8) for n, h in ((1024, 256), (2048, 512))]
        return Adversary(views, weight=0.02, feature_weight=0.3, begin=0.94)

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Frames in, frames out; knobs that are not given stay where they are."""
        frames = self.transform.forward(dry)
        rest = controls.new_zeros(len(controls), network.n_controls - controls.shape[1])
        with torch.autocast(dry.device.type, torch.bfloat16, enabled=network.training):
            frames = network.offline(frames, controls=torch.cat([controls, rest], dim=1))
        return self.transform.inverse(frames)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """Blend weights of the styles, then the knobs, last the way to a style's statistics."""
        card = super().card(network, metrics, provenance)
        styles = (
            Control(s, default=float(k == 0), kind="blend") for k, s in enumerate(self.styles)
        )
        knobs = (Control(n, -1.0, 1.0) for n in self.names)
        return replace(card, controls=(*styles, *knobs, Control(MATCH)))
