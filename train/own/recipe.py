"""Recipes that a model file makes of itself: its card's words, its network's shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from realtime.models.card import Card

from ..data.pairs import PairSet
from ..losses import stft_distance
from ..networks.layers import Streamable
from ..recipes.base import Recipe
from ..recipes.spectral import Spectral
from ..recipes.waveform import Waveform


class _FromFile(Recipe):
    """What both kinds share: name, card and no data of its own."""

    base: Card

    def data(self) -> PairSet:
        """Nothing: the pairs are the user's and come from outside."""
        return PairSet((), (), ())

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """The base's card under another name, with figures and origin of its own."""
        fresh = super().card(network, metrics, provenance)  # type: ignore[safe-super]
        defaults = {c.name: c for c in self.base.controls}
        return replace(
            fresh,
            hop_length=self.base.hop_length,
            licence=self.base.licence,
            controls=tuple(defaults.get(c.name, c) for c in fresh.controls),
        )


class WaveformFromFile(_FromFile, Waveform):
    """A waveform TCN of any width, kernel, dilations and number of styles."""

    kind = "effect"

    def __init__(self, card: Card, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        self.base = card
        self.name, self.title, self.summary = card.name, card.title, card.summary
        self.hop, self.styles = card.hop_length, tuple(c.name for c in card.controls)
        self.channels, self.kernel, self.dilations = channels, kernel, dilations
        super().__init__()


class SpectralFromFile(_FromFile, Spectral):
    """A frame TCN of any geometry."""

    kind = "instrument"

    def __init__(self, card: Card, **shape: Any) -> None:
        assert card.spectrum is not None
        self.base = card
        self.name, self.title, self.summary = card.name, card.title, card.summary
        self.n_fft, self.synthesis = card.spectrum.n_fft, card.spectrum.synthesis_length
        self.hop, self.window = card.hop_length, card.spectrum.window
        for key, value in shape.items():
            setattr(self, key, value)
        super().__init__()

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Spectral distance alone: held-out parts may be too short for the level's windows."""
        return stft_distance(y, target)


FromFile = WaveformFromFile | SpectralFromFile
