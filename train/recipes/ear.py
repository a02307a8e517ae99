"""The ear: hears which notes are played."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime.models import ear
from realtime.models.card import Card, State
from realtime.parameters.parameter import Parameter

from ..data.notes import bank, mix, synthetic
from ..data.pairs import Pair, PairSet
from ..data.scores.render import SAMPLE_RATE
from ..losses.notes import note_loss
from ..networks.ear import HOP, Ear
from ..networks.layers import Streamable
from . import thresholds
from .base import Batch, Recipe, Schedule, score_sources

GLIDING = Parameter(ear.GLIDING, 0.0, 1.0, 0.0)
INSTRUMENTS = 24  # that never were, beside those of the soundfonts
HELD, SEED = 24, 91_000  # mixtures of the validation
SHAPE = (mix.MOST, mix.EVENT)


class HearNotes(Recipe):
    """Notes, hop by hop, from mixtures of single notes that are made while it trains."""

    name, kind, title = "ear", "ear", "Ear"
    summary = "hears which notes are played, when, how loud and how far bent"
    limits = (
        "It knows keyed, plucked and struck instruments with a pitch, from E1 to C7, and a hummed"
        " line, with `gliding` at 1 where it glides. It does not know drums, speech, singing with"
        " words or bowed strings, loses notes of dense low chords and of strong distortion, and"
        " below A2 needs the first periods of a note before it can tell."
    )
    schedule = Schedule(
        minutes=240, batch=12, segment=344 * HOP, learning_rate=3e-3, average=0.998, seed=3
    )
    warm_up, latency = 40 * HOP, 0

    def data(self) -> PairSet:
        """Mixtures of a soundfont that no training hears; training mixes its own."""
        notes = mix.Notes(bank.load("validation"))
        rng = np.random.default_rng(SEED)
        pairs = []
        for k in range(HELD):
            made = mix.plan(notes, 1, rng)
            x = mix.sound(notes, made, seed=k)[0].numpy()
            pairs.append(Pair(f"mixture{k}", x, x, tuple(made.events.reshape(-1).tolist())))
        nothing = np.zeros(mix.HOPS * HOP, dtype=np.float32)
        blank = Pair("mixed anew", nothing, nothing, (0.0,) * (SHAPE[0] * SHAPE[1]))
        half = HELD // 2
        return PairSet((blank,), tuple(pairs[:half]), tuple(pairs[half:]))

    def sources(self) -> list[dict[str, Any]]:
        """Notes of soundfonts and of instruments that never were; thresholds on a third font."""
        _, *fonts = score_sources((*bank.FONTS, bank.CHECKED))
        fonts[-1]["source"] += ", for validation and thresholds"
        made = "scores and instruments made by rule (train.data.notes)"
        return [{"source": made, "licence": "CC0-1.0"}, *fonts]

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """A batch of new mixtures; the controls are their notes, see :data:`mix.COLUMNS`."""
        notes = training_notes()
        made = mix.plan(notes, len(batch.dry), rng, batch.dry.shape[1] // HOP)
        x = mix.sound(notes, made, batch.dry.shape[1] // HOP, int(rng.integers(1 << 31)))
        return Batch(x, x, torch.from_numpy(made.events.reshape(len(x), -1)))

    def tune(self, network: Streamable, folder: Path) -> None:
        """The decoder's settings, see :mod:`train.recipes.thresholds`."""
        thresholds.tune(_ear(network), folder)

    def network(self) -> Streamable:
        """About 80,000 weights."""
        return Ear()

    def aligned(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits and labels ``[batch, hops, 70, 4]`` after the warm-up.

        Raises
        ------
        TypeError
            Another network.
        """
        target = mix.labels(batch.controls.reshape(-1, *SHAPE), batch.dry.shape[1] // HOP)
        begin = self.warm_up // HOP
        return _ear(network).hear(batch.dry)[:, begin:], target[:, begin:]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """See :mod:`train.losses.notes`; for sound in place of logits, that of knowing nothing."""
        return note_loss(y if y.shape == target.shape else torch.zeros_like(target), target)

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Nothing is converted: the sound as it was."""
        return dry

    def example(self, steps: int) -> Tensor:
        """One hop of noise: the ear takes no more at once."""
        return 0.1 * torch.randn(2, 1, HOP)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """An ear: notes out."""
        blocks = [f"block{k}" for k in range(len(network.state_shapes) - 3)]
        names = ("samples", "spectra", *blocks, "notes")
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="waveform",
            kind="ear",
            sample_rate=SAMPLE_RATE,
            hop_length=HOP,
            latency=0,
            licence="GPL-3.0-or-later",
            controls=(GLIDING,),
            states=tuple(State(n, s) for n, s in zip(names, network.state_shapes, strict=True)),
            metrics=metrics,
            provenance=provenance,
        )


@cache
def training_notes() -> mix.Notes:
    """The notes of the soundfonts, and of instruments that never were."""
    return mix.Notes(bank.joined([bank.load("train"), synthetic.make(INSTRUMENTS, 5)]))


def _ear(network: Streamable) -> Ear:
    if not isinstance(network, Ear):
        raise TypeError(f"this recipe needs an Ear, got {type(network).__name__}")
    return network
