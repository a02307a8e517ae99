"""What a recipe tells the trainer, the evaluation and the export gate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from realtime.models.card import Card

from ..data.pairs import Pair, PairSet
from ..data.scores.render import SAMPLE_RATE, SOUNDFONTS
from ..networks.layers import Streamable

Array = npt.NDArray[np.float32]
JUDGED_SECONDS = 12.0  # of each test recording, the warm-up of the network left out


OPTIMISERS = ("adamw", "soap")  # see train.fit.soap


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    minutes: float
    batch: int
    segment: int  # samples the loss sees
    learning_rate: float = 3e-3
    final_rate: float = 1e-5
    seed: int = 0
    steps: int | None = None  # a fixed number instead of minutes
    average: float = 0.0  # decay per step of a running mean of the weights; 0: the weights alone
    optimiser: str = "adamw"  # of OPTIMISERS


class Batch(NamedTuple):
    """Training examples: ``dry, wet [batch, n]`` aligned by sample, ``controls [batch, c]``."""

    dry: Tensor
    wet: Tensor
    controls: Tensor


class Recipe(ABC):
    """One style: data, network, loss and card.

    Attributes
    ----------
    name : str
    kind : str
        ``instrument``, ``effect``, ``voice`` or ``blend``: which judges have a say.
    limits : str
        What it cannot do, in a sentence or two for people.
    schedule : Schedule
    warm_up : int [samples]
        What fills the network's memory before the part that the loss hears.
    latency : int [samples]
        By how much :meth:`convert` lags.
    shared_loss : bool
        Whether rows of several processes may simply be brought together for the loss.
    tests : int
        Rows of test sounds that :meth:`practise` puts behind the batch for :meth:`objection`.
    shortest : int [samples]
        Of a segment that its losses can hear.
    start : Path or None
        A model file whose weights a fresh network begins with, as far as they fit.
    runs : Path or None
        Folder that its run lies in, where it is one of several; None: the usual one.
    unpaired : bool
        It learns from recordings that do not belong together; only tests have true pairs.
    carried : list of Tensor or None
        What a recipe takes from one step of the training to the next; a checkpoint keeps it.
    ablations : dict of candidate to recipe
        Whose best networks are judged beside the style's, where they were trained.
    """

    name: str
    kind: str
    limits: str = ""
    schedule: Schedule
    warm_up: int
    latency: int
    shared_loss: bool = True
    tests: int = 0
    shortest: int = 1
    start: Path | None = None
    runs: Path | None = None
    unpaired: bool = False
    carried: list[Tensor] | None = None
    ablations: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def data(self) -> PairSet:
        """Make or load the pairs."""

    @abstractmethod
    def network(self) -> Streamable:
        """A fresh network."""

    @abstractmethod
    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """``dry [batch, n], controls [batch, c] -> [batch, n]``, `latency` samples late."""

    @abstractmethod
    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """What training lowers."""

    @abstractmethod
    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """The exported file's card."""

    @abstractmethod
    def example(self, steps: int) -> Tensor:
        """Graph input of so many steps, for tracing ``[2, ..., steps, ...]``."""

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Change a training batch; by default nothing."""
        return batch

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """Further test pairs by the name of what made their input; none by default."""
        return {}

    def rivals(self, pair: Pair) -> dict[str, Array]:
        """Candidates of this recipe alone for a test recording, aligned with it; none by default.

        A rival that has nothing to say of a recording is left out of all of its set.
        """
        return {}

    def further(self, data: PairSet, file: Path) -> dict[str, Any]:
        """Figures of this recipe alone, for its card, from its exported file; none by default."""
        return {}

    def sources(self) -> list[dict[str, Any]]:
        """What the training sound was made from, with licences, for the card."""
        return score_sources(("fluidr3", "musescore"))

    def tune(self, network: Streamable, folder: Path) -> None:  # noqa: B027
        """Complete trained weights by what is learnt after the training; by default nothing.

        Parameters
        ----------
        folder : Path
            Of the run, where what was learnt may be kept.
        """

    def adversary(self) -> nn.Module | None:
        """Discriminators for the last part of the training; by default none."""
        return None

    def prepare(self, network: Streamable, data: PairSet) -> None:  # noqa: B027
        """Give a fresh network a start that follows from the data; by default nothing."""

    def practise(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Output and target as the training's losses take them; :meth:`aligned` unless more."""
        return self.aligned(network, batch)

    def objection(self, y: Tensor, x: Tensor) -> Tensor:
        """What a listener would object to in the outputs of the test rows; part of the loss."""
        return y.new_zeros(())

    def validation(self, y: Tensor, target: Tensor, dry: Tensor) -> Tensor:
        """What the best checkpoint is chosen by, on held-out sound; by default the loss."""
        return self.loss(y, target)

    def aligned(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        """Convert and cut both signals to where they belong together, warm-up removed."""
        y = self.convert(network, batch.dry, batch.controls)
        lag = self.latency
        y = y[:, lag:] if lag else y
        target = batch.wet[:, : y.shape[1]]
        return y[:, self.warm_up :], target[:, self.warm_up :]


def score_sources(fonts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Scores composed by rule and the soundfonts that played them."""
    rows = [{"source": "scores composed by rule (train.data.scores.scores)", "licence": "CC0-1.0"}]
    for font in fonts:
        path, package, licence = SOUNDFONTS[font]
        name = path.rsplit("/", 1)[1]
        rows.append({"source": f"soundfont {name} (Debian {package})", "licence": licence})
    return rows


def random_gain(batch: Batch, rng: np.random.Generator, low_db: float, high_db: float) -> Batch:
    """Scale every example, dry and wet alike, by a gain of its own."""
    db = torch.from_numpy(rng.uniform(low_db, high_db, (len(batch.dry), 1))).to(batch.dry)
    gain = 10.0 ** (db / 20.0)
    return batch._replace(dry=batch.dry * gain, wet=batch.wet * gain)


def random_colour(x: Tensor, rng: np.random.Generator, db: float, knots: int = 6) -> Tensor:
    """Send every row ``[batch, n]`` through an equaliser of its own, without delay.

    Its gain at `knots` frequencies from 60 Hz to 12 kHz, evenly spaced in octaves, is uniform
    between ``-db`` and ``db``, and linear between them in dB over octaves; the rows wrap around.
    """
    n, points = x.shape[1], np.geomspace(60.0, 12000.0, knots)
    octaves = np.log(np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 1.0))
    gains = np.stack(
        [np.interp(octaves, np.log(points), g) for g in rng.uniform(-db, db, (len(x), knots))]
    )
    curve = torch.from_numpy(10.0 ** (gains / 20.0)).to(x)
    return torch.fft.irfft(torch.fft.rfft(x) * curve, n=n)
