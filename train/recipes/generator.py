"""Endless keys: a generator that composes and plays, learnt from scores and from notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from realtime.models.card import Card, State
from realtime.parameters.parameter import Parameter

from ..data.pairs import Pair, PairSet, Voice, split_seeds
from ..data.scores.render import SAMPLE_RATE, render
from ..data.scores.scores import compose, to_midi
from ..generator import rolls, timbres
from ..networks.composer import BEAT, likelihood
from ..networks.generator import Generator
from ..networks.layers import Streamable
from .base import Batch, Recipe, Schedule, score_sources

KEPT = "timbres.json"
PIECES, PIECE_S = 3000, 60.0  # scores that the composer learns from
SEED, HELD_SEED = 8_000_000, 9_000_000  # of those, and of the recordings
RECORDINGS, RECORDING_S = 40, 24.0
TICKS, WARM = 192, 16  # of one example; ticks at its beginning that do not count


class EndlessKeys(Recipe):
    """A composer over ticks and partials of four instruments; noise in, music out."""

    name, kind, title = "endless-keys", "generator", "Endless keys"
    summary = "music without end from a seed: piano, guitar, vibraphone and strings to blend"
    limits = (
        "It knows phrases, not form: what it plays goes on and on, and no part ever comes back. It"
        " learnt from scores composed by rule, so it has their habits (riffs, arpeggios, chords,"
        " melodies on a scale) and no others. Its notes are partials with envelopes: no hammer, no"
        " pick, no bow noise, and a note has no end of its own but decays."
    )
    styles = ("piano", "guitar", "vibraphone", "strings")
    voices = (Voice(0), Voice(24), Voice(11), Voice(48))
    hop, hidden, partials = 128, 128, 12
    schedule = Schedule(minutes=6, batch=24, segment=1024, learning_rate=3e-3, average=0.998)
    warm_up, latency = 0, 0

    def data(self) -> PairSet:
        """Recordings of held-out scores; a pair's two sides are the same, its control the seed.

        The composer learns from further scores, see :meth:`aligned`; the recordings are what the
        judges compare with.
        """
        splits = []
        for part in split_seeds(RECORDINGS):
            made = []
            for index in part:
                seed, voice = HELD_SEED + index, self.voices[index % len(self.voices)]
                score = compose(seed, RECORDING_S, rolls.LOW, rolls.HIGH)
                x = render(to_midi(score, voice.program), score.seconds + 0.5, voice.font)
                x = x * np.float32(0.1 / (np.sqrt(np.square(x).mean()) + 1e-9))
                made.append(Pair(f"score{index}-{voice}", x, x, (float(seed),), score.timed()))
            splits.append(tuple(made))
        return PairSet(*splits)

    def sources(self) -> list[dict[str, Any]]:
        """Scores by rule; notes of one soundfont."""
        return score_sources(("fluidr3",))

    def network(self) -> Streamable:
        """About 110,000 weights, and the tables of the partials."""
        return Generator(
            rolls.SLOTS,
            rolls.BELOW,
            len(rolls.SCALE_NAMES),
            hidden=self.hidden,
            lowest=rolls.LOW - rolls.BELOW,
            partials=self.partials,
            styles=len(self.styles),
            hop=self.hop,
            rate=SAMPLE_RATE,
        )

    def tune(self, network: Streamable, folder: Path) -> None:
        """The instruments' timbres, from ``timbres.json`` or from their notes."""
        if not isinstance(network, Generator):
            raise TypeError(f"endless keys need a Generator, got {type(network).__name__}")
        found = timbres.learn_all(self.voices, network.synth, folder / KEPT)
        timbres.apply(found, network.synth)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Other scores than those of the recordings."""
        seeds = SEED + rng.integers(PIECES, size=(len(batch.dry), 1))
        return batch._replace(controls=torch.from_numpy(seeds.astype(np.float32)))

    def aligned(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Nats per tick ``[1, 1, 1]`` of the scores that the controls name, and what is ideal.

        Raises
        ------
        TypeError
            Another network.
        """
        if not isinstance(network, Generator):
            raise TypeError(f"endless keys need a Generator, got {type(network).__name__}")
        pieces = [rolls.piece(int(seed), PIECE_S) for seed in batch.controls[:, 0].tolist()]
        starts = [0 if not network.training else _start(p, k) for k, p in enumerate(pieces)]
        onsets, beat, scale, density = _tensors(pieces, starts, batch.dry.device)
        leads, lead, others = network.composer(onsets, beat, scale, density)
        nats = likelihood(leads, lead, others, onsets, WARM)
        return nats.reshape(1, 1, 1), torch.zeros_like(nats).reshape(1, 1, 1)

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Nats per tick; of sound in place of them, those of guessing evenly."""
        if y.shape != target.shape:
            return torch.log(torch.tensor(float(rolls.SLOTS + 1)))
        return y.mean()

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Nothing is converted: the sound as it was."""
        return dry

    def example(self, steps: int) -> Tensor:
        """One hop of noise: a generator takes no more at once."""
        return 0.5 * torch.randn(2, 1, self.hop)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """A generator: styles to blend, key, tempo, density, wildness."""
        names = ("clock", "beat", "before", "memory", "phase", "envelope", "course")
        styles = (
            Parameter(s, default=float(k == 0), kind="blend") for k, s in enumerate(self.styles)
        )
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="waveform",
            kind="generator",
            sample_rate=SAMPLE_RATE,
            hop_length=self.hop,
            latency=0,
            licence="GPL-3.0-or-later",
            states=tuple(State(n, s) for n, s in zip(names, network.state_shapes, strict=True)),
            controls=(
                *styles,
                Parameter("root", 0, 11, 0, "st", kind="categorical"),
                Parameter("scale", 0, len(rolls.SCALE_NAMES) - 1, 0, kind="categorical"),
                Parameter("tempo", 40.0, 200.0, 100.0, "bpm"),
                Parameter("density", 0.05, 1.0, 0.5),
                Parameter("wildness", 0.2, 2.0, 0.9),
            ),
            metrics=metrics,
            provenance=provenance,
        )


def _start(piece: rolls.Piece, row: int) -> int:
    """Somewhere in a piece, on a beat."""
    last = max(0, len(piece.onsets) - TICKS)
    return int(torch.randint(0, last + 1, (1,))) // BEAT * BEAT


def _tensors(
    pieces: list[rolls.Piece], starts: list[int], device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Onsets, place in the beat, scale and density of parts of pieces ``[batch, TICKS, ...]``."""
    onsets = np.zeros((len(pieces), TICKS, rolls.SLOTS), dtype=np.float32)
    density = np.zeros((len(pieces), TICKS, 1), dtype=np.float32)
    for k, (piece, start) in enumerate(zip(pieces, starts, strict=True)):
        part = slice(start, start + TICKS)
        rows = piece.onsets[part]
        onsets[k, : len(rows)], density[k, : len(rows), 0] = rows, piece.density[part]
    beat = F.one_hot(torch.arange(TICKS) % BEAT, BEAT).float().expand(len(pieces), -1, -1)
    kinds = torch.tensor([p.scale for p in pieces])
    scale = F.one_hot(kinds, len(rolls.SCALE_NAMES)).float().unsqueeze(1).expand(-1, TICKS, -1)
    found = (torch.from_numpy(onsets), beat, scale, torch.from_numpy(density))
    onsets_, beat_, scale_, density_ = (t.to(device) for t in found)
    return onsets_, beat_, scale_, density_
