"""Styles learnt from two heaps of recordings that do not belong together.

The network begins as the matched equaliser: bands whose gain is that between the two heaps' mean
spectra.  From there discriminators pull it towards the wanted sound, and a contrastive term keeps
every place of the input where it was (Park et al., CUT, 2020).  Optionally the wanted sound itself
is to pass unchanged (the identity term of Zhu et al., CycleGAN, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..data.examples.unpaired import unmatched_programs
from ..data.pairs import PairSet, Voice
from ..losses import RandomFeatures, level_distance, statistics_distance, stft_distance
from ..networks.clean_mask import unlimited
from ..networks.frame_tcn import FrameTCN
from ..networks.layers import Streamable
from ..networks.unpaired import UnpairedAdversary
from .base import Batch, Schedule, random_colour, random_gain
from .instrument import INPUTS, Instrument
from .spectral import LEVEL, Spectral


@dataclass(frozen=True)
class Opposition:
    """Settings: ``restyle train fit NAME key=value``.

    Attributes
    ----------
    game : str
        ``hinge``, ``lsgan``, ``non-saturating`` or ``minimax`` (which saturates).
    adversarial, matching, content, identity, gamma : float
        Weights of the adversarial term and, inside it, of feature matching; of the contrastive and
        identity term, and of R1.
    norm : str
        ``weight``, ``spectral`` or ``none``, of the discriminators.
    rate : float
        Learning rate of the discriminators.
    window : int [steps]
        Over which a collapse shows.
    colour : float [dB]
        Inputs are heard through equalisers that are up to so much off flat at six places.
    """

    game: str = "hinge"
    adversarial: float = 1.0
    matching: float = 4.0
    content: float = 0.5
    identity: float = 0.0
    gamma: float = 1.0
    norm: str = "weight"
    rate: float = 3e-4
    window: int = 100
    colour: float = 5.0


class Unpaired(Spectral):
    """A frame TCN between unmatched recordings: ``wet`` of a pair is any recording wanted."""

    hidden = 112
    unpaired = True
    tests, shortest = 0, 1
    shared_loss = False  # the rows of a target are of two kinds; the loss is a mean over rows
    schedule = Schedule(
        minutes=10, steps=1800, batch=6, segment=24576, learning_rate=1e-3, average=0.99
    )

    def __init__(self) -> None:
        super().__init__()
        self.config = Opposition()
        self.features = RandomFeatures()

    def adversary(self) -> nn.Module:
        """Log-mel discriminators and the encoder that knows content."""
        c = self.config
        return UnpairedAdversary(
            c.game,
            c.adversarial,
            c.content,
            c.gamma,
            c.norm,
            c.rate,
            window=c.window,
            identity=c.identity > 0,
            matching=c.matching,
        )

    def prepare(self, network: Streamable, data: PairSet) -> None:
        """Make a fresh network the matched equaliser: band gains in the last layer's biases."""
        assert isinstance(network, FrameTCN)
        power = torch.zeros(2, self.n_fft // 2 + 1, dtype=torch.float64)
        for pair in data.train:
            for row, x in enumerate((pair.dry, pair.wet)):
                n = len(x) // self.hop * self.hop
                frames = self.transform.forward(torch.from_numpy(x[None, :n]))
                power[row] += frames.square().sum(dim=1).double().mean(dim=(0, 1))
        bands = network._to_bands(power.float()[:, None])[:, 0]
        gain = 0.5 * torch.log((bands[1] + 1e-9) / (bands[0] + 1e-9))
        with torch.no_grad():
            network.decode.bias[: network.bands] = 1.0 + unlimited(gain)
            network.decode.bias[network.bands : 2 * network.bands] = -2.0  # relief stays

    def practise(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """``[G(A) (, G(B))], [A, B]``, warm-up removed."""
        both = torch.cat([batch.dry, batch.wet])
        heard = both if self.config.identity > 0 else batch.dry
        y = self.convert(network, heard, batch.controls)[:, self.latency :]
        return y[:, self.warm_up :], both[:, self.warm_up : y.shape[1]]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """The input's level, and the wanted sound unchanged where that is asked for."""
        x, wanted = target.chunk(2)
        total = LEVEL * level_distance(y[: len(x)], x, window=x.shape[1])
        if self.config.identity > 0:
            total = total + self.config.identity * stft_distance(y[len(x) :], wanted)
        return total

    def validation(self, y: Tensor, target: Tensor, dry: Tensor) -> Tensor:
        """Statistics of random features, the level aside: no loss has them, no pair is needed."""
        a, b = (self.features(x / x.square().mean().sqrt().clamp(min=1e-4)) for x in (y, target))
        return statistics_distance(a, b)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Any wanted recording beside any input, which has a level and a colour of its own."""
        wet = batch.wet[torch.from_numpy(rng.permutation(len(batch.wet)))]
        batch = random_gain(batch, rng, -22.0, 12.0)
        dry = random_colour(batch.dry, rng, self.config.colour) if self.config.colour else batch.dry
        return batch._replace(dry=dry, wet=wet)


class StringsUnpaired(Unpaired, Instrument):
    """Keys to strings, from strings that played other tunes: adversarial, no pairs."""

    name, title = "strings-unpaired", "Strings, unpaired"
    summary = "keys and guitars become strings, learnt from strings that played other tunes"
    limits = (
        "Made to show what recordings that do not match can teach: `strings`, which learnt from"
        " matching ones, comes nearer at the same latency. Notes begin and end nearly as they do"
        " in the input, and a piano's partials stay as slightly out of tune as they are. Drums and"
        " voices were not in the training."
    )
    target, seed, tags = Voice(48), 15000, ("strings", "violin", "cello")
    ablations: ClassVar[dict[str, str]] = {"no_adversary": "strings-unpaired-without-adversary"}

    def data(self) -> PairSet:
        """56 scores of keys and guitars, 56 others of strings; 14 true pairs for tests."""
        return unmatched_programs(140, 24.0, INPUTS, self.target, self.seed)


class StringsWithoutAdversary(StringsUnpaired):
    """The same without its adversary, to see what that is worth; never exported."""

    name = "strings-unpaired-without-adversary"
    schedule = replace(Unpaired.schedule, steps=100)
    ablations: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.config = replace(self.config, adversarial=0.0)
