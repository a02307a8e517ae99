"""The tagger: which instruments, voices and effects are heard."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import fft
from torch import Tensor
from torch.nn import functional as F

from realtime.models.card import Card, State

from ..data.examples.tagged import FONTS, LABELS, outside, sources, tagged
from ..data.pairs import PairSet
from ..data.scores.render import SAMPLE_RATE
from ..networks.layers import Streamable
from ..networks.tag_cnn import TagCNN
from .base import Batch, Recipe, Schedule, score_sources

Array = npt.NDArray[np.float32]
HEARD = 64  # hops: what was silent for so long has no tags
QUIET = 1e-3  # peak of a silent hop
MIXED, NOISE, SILENT, BENT, HISS = 0.35, 0.1, 0.03, 0.5, 0.4  # shares of a batch
TUNED, SLOWEST, FASTEST = 0.5, 0.8, 1.25  # share, and speeds, of a tape at another speed


class Tagger(Recipe):
    """Multi-label tags, hop by hop, from a causal network over log-mel frames."""

    name, kind = "tagger", "tagger"
    title, summary = "Tagger", "tells which instruments, voices and effects are heard"
    limits = (
        "It knows the General MIDI sounds of the soundfonts it learnt from better than recorded"
        " instruments, hears two or three things at once, and says nothing of what it has no label"
        " for. It analyses; it does not play."
    )
    hop, channels, dilations = 512, 56, (1, 2, 4, 8, 16, 32, 64, 96)
    schedule = Schedule(
        minutes=15, batch=24, segment=122_880, learning_rate=2e-3, average=0.998, seed=5
    )
    warm_up, latency = 24_576, 0

    def data(self) -> PairSet:
        """Recordings with their labels as controls."""
        return tagged()

    def outside(self) -> dict[str, tuple[Any, ...]]:
        """Instruments of a soundfont, and a real piano, that no training heard."""
        return outside()

    def sources(self) -> list[dict[str, Any]]:
        """From the manifests of the sets, and the soundfonts of further scores."""
        return [*sources(), *score_sources(FONTS)]

    def network(self) -> Streamable:
        """About 100,000 weights."""
        return TagCNN(len(LABELS), self.channels, self.dilations, self.hop)

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Nothing is converted: the sound as it was."""
        return dry

    def aligned(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Probabilities and truth ``[batch, labels, hops]`` after the warm-up."""
        y = network.offline(batch.dry.unsqueeze(1))
        peaks = batch.dry.reshape(len(batch.dry), -1, self.hop).abs().amax(dim=2)
        lately = F.max_pool1d(F.pad(peaks, (HEARD - 1, 0)), HEARD, 1)
        truth = batch.controls.unsqueeze(2) * (lately > QUIET).to(y).unsqueeze(1)
        begin = self.warm_up // self.hop
        return y[:, :, begin:], truth[:, :, begin:]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Cross entropy; for sound in place of probabilities, that of the best constant guess."""
        if y.shape != target.shape:
            y = target.mean().expand_as(target)
        return F.binary_cross_entropy(y.clamp(1e-5, 1 - 1e-5), target)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Change the speed, mix two, bend the spectrum, add hiss and level; noise and silence."""
        x, labels = batch.dry.numpy().copy(), batch.controls.numpy().copy()
        n = len(x)
        for row in np.flatnonzero(rng.random(n) < TUNED):
            x[row] = _at_speed(x[row], float(rng.uniform(SLOWEST, FASTEST)))
        x /= np.sqrt(np.square(x).mean(axis=1, keepdims=True)) + np.float32(1e-4)
        other = rng.permutation(n)
        mixed = (rng.random(n) < MIXED) & (other != np.arange(n))
        second, more = x[other], labels[other] * mixed[:, None]
        x[mixed] += _gains(rng, -8, 2, n)[mixed] * second[mixed]
        labels = np.maximum(labels, more)
        for row in np.flatnonzero(rng.random(n) < NOISE):
            x[row], labels[row] = _hiss(rng, x.shape[1]), np.array(LABELS) == "noise"
        bent = rng.random(n) < BENT
        x[bent] = _bent(x[bent], rng)
        for row in np.flatnonzero(rng.random(n) < HISS):
            x[row] += _gains(rng, -70, -35, 1)[0] * _hiss(rng, x.shape[1])
        x *= _gains(rng, -45, -10, n)
        for row in np.flatnonzero(rng.random(n) < SILENT):
            x[row], labels[row] = 1e-5 * x[row], 0.0
        dry = torch.from_numpy(x)
        return Batch(dry, dry, torch.from_numpy(labels.astype(np.float32)))

    def example(self, steps: int) -> Tensor:
        """Noise samples."""
        return 0.1 * torch.randn(2, 1, self.hop * steps)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """An analysis model: labels, and what it remembers."""
        names = ["samples", *(f"block{i}" for i in range(len(network.state_shapes) - 1))]
        field = getattr(network, "receptive_field", 0)
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="waveform",
            kind="tagger",
            labels=LABELS,
            sample_rate=SAMPLE_RATE,
            hop_length=self.hop,
            latency=0,
            licence="GPL-3.0-or-later",
            states=tuple(State(n, s) for n, s in zip(names, network.state_shapes, strict=True)),
            metrics=metrics,
            provenance={**provenance, "receptive_field_samples": field},
        )


def _gains(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    """Factors ``[n, 1]`` evenly distributed in dB."""
    return np.asarray(10 ** (rng.uniform(low, high, (n, 1)) / 20), dtype=np.float32)


def _hiss(rng: np.random.Generator, n: int) -> Array:
    return rng.standard_normal(n, dtype=np.float32)


def _at_speed(x: Array, speed: float) -> Array:
    """A tape at another speed, begun again where it ends: other pitches and other formants."""
    places = np.arange(len(x)) * speed % (len(x) - 1)
    return np.asarray(np.interp(places, np.arange(len(x)), x), dtype=np.float32)


def _bent(x: Array, rng: np.random.Generator) -> Array:
    """Every row through a smooth random equaliser of up to 6 dB, its level kept."""
    spectrum = fft.rfft(x, axis=1)
    places = np.linspace(0.0, 1.0, spectrum.shape[1]) ** 0.4
    for row in spectrum:
        row *= 10 ** (np.interp(places, np.linspace(0, 1, 7), rng.uniform(-6, 6, 7)) / 20)
    y = fft.irfft(spectrum, x.shape[1], axis=1)
    level = np.sqrt(np.square(y).mean(axis=1, keepdims=True)) + 1e-4
    return np.asarray(y / level, dtype=np.float32)
