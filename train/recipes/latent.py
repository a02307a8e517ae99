"""Latent keys: keys and guitars through sixteen numbers a hop, out in one of four styles."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realtime.models.card import Card
from realtime.parameters.parameter import Parameter

from ..data.examples.styles import one_hot, style_pairs, sung
from ..data.pairs import Pair, PairSet, Voice
from ..data.scores.render import SAMPLE_RATE
from ..data.scores.scores import compose
from ..latent import report, study
from ..latent.baseline import EnvelopePCA
from ..networks.discriminators import Adversary, SpectralDiscriminator
from ..networks.envelope import Envelope
from ..networks.latent import LatentNet
from ..networks.layers import Streamable
from ..player import play
from .base import Array, Schedule
from .instrument import INPUTS, Strings
from .spectral import Spectral

MATCH = "match"  # control: how far the latent goes to the style's own statistics

KEPT = "latent.json"
BUNDLED = Path("exported")
REFERENCES = 96  # recordings that the baseline's components are fitted on
TRANSFERS = 3  # recordings of each set that goes to another style
TURNED = 3  # seconds of a test recording that a knob's table hears


class LatentKeys(Spectral):
    """Autoencoder with knobs on its latent, and piano, strings, choir, guitar to blend."""

    name, kind, title = "latent-keys", "latent", "Latent keys"
    summary = "keys and guitars through 16 numbers a hop: knobs on sound, blend of four instruments"
    limits = (
        "What passes the 16 numbers: the level of each of 40 bands, how far partials stand out, and"
        " the noise. What passes beside them, as the carrier: the input's phases, its pitches and"
        " the relief inside a band (bands are 235 Hz wide below 4 kHz), with every band's level"
        " divided out. So a note's pitch and end are the input's, low partials that share a band"
        " keep their proportions, and weak bands get rough when a style wants them loud. Bands 60"
        " dB below the frame's level are not brought up. Drums and voices were not in the training."
    )
    styles = ("piano", "strings", "choir", "guitar")
    voices = (Voice(0), Voice(48), Voice(52), Voice(24))
    latent, knobs = 16, 6
    schedule = Schedule(
        minutes=9, steps=3000, batch=4, segment=24576, learning_rate=2e-3, average=0.98
    )

    def __init__(self) -> None:
        super().__init__()
        self.pca: EnvelopePCA | None = None
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
        """60 scores of 24 s by an input voice and by all four styles."""
        return style_pairs(60, 24.0, INPUTS, self.voices, seed=55000)

    def network(self) -> Streamable:
        """A latent autoencoder of this geometry."""
        return LatentNet(self.n_fft // 2 + 1, len(self.styles), self.latent, self.knobs)

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """Styles that are to come back, and what the dedicated strings are judged on."""
        selves = []
        for i in range(len(self.styles)):
            score, style = compose(992_000 + i, 24.0, 43, 84), i % len(self.styles)
            x, weights = sung(score, self.voices[style]), one_hot(style, len(self.styles))
            selves.append(Pair(f"score{i}-{self.styles[style]}", x, x, weights, score.timed()))
        sets = {"reconstruction": tuple(selves)}
        dedicated = Strings()
        weights = one_hot(self.styles.index(dedicated.name), len(self.styles))
        for font, pairs in dedicated.outside().items():
            sets[f"{font} to {dedicated.name}"] = tuple(
                replace(p, name=f"{p.name} for {dedicated.name}", controls=weights)
                for p in pairs[:TRANSFERS]
            )
        return sets

    def rivals(self, pair: Pair) -> dict[str, Array]:
        """As many principal components where the input is wanted back.

        Else the dedicated converter, where it was exported.
        """
        if pair.dry is pair.wet:
            if self.pca is None:
                own = [p.dry for p in self.data().train if p.dry is p.wet][:REFERENCES]
                envelope = Envelope(self.n_fft // 2 + 1)
                self.pca = EnvelopePCA(envelope, self.transform, own)
            numbers = {"carrier": 0, "pca": self.latent - 1}
            return {name: self.pca.play(pair.dry, n) for name, n in numbers.items()}
        _, _, dedicated = pair.name.partition(" for ")
        file = BUNDLED / f"{dedicated}.onnx"
        return {"dedicated": play(file, pair.dry)} if dedicated and file.exists() else {}

    def further(self, data: PairSet, file: Path) -> dict[str, Any]:
        """How the latent is used, and what the knobs and the blend do."""
        if self.studied is None:
            return {}
        part = slice(0, TURNED * SAMPLE_RATE)
        sounds = [p.dry[part] for p in data.test[: len(self.styles)]]
        return {
            "latent": {
                "usage": asdict(self.studied.usage),
                "knobs": [asdict(k) for k in self.studied.knobs],
                "measured": report.knob_table(file, sounds),
                "blend": report.blend_table(file, sounds[0]),
            }
        }

    def adversary(self) -> nn.Module:
        """Two views of the spectrum, for the last part of the training."""
        views = [SpectralDiscriminator(n, h, 8) for n, h in ((1024, 256), (2048, 512))]
        return Adversary(views, weight=0.02, feature_weight=0.3, begin=0.95)

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
            Parameter(s, default=float(k == 0), kind="blend") for k, s in enumerate(self.styles)
        )
        knobs = (Parameter(n, -1.0, 1.0) for n in self.names)
        return replace(card, controls=(*styles, *knobs, Parameter(MATCH)))
