"""The chain found teaches a network, with the player's own dry playing as the lesson.

What hears at most 40 ms of the past (filters, drive) goes into the network and costs no latency;
what remembers longer or moves by itself (compressor, chorus, delay, reverb) stays an effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import list_models

from ..data.pairs import Pair, PairSet
from ..fit.batches import held_out
from ..networks.layers import Streamable
from ..own.material import split
from ..own.rebuild import rebuild
from ..own.recipe import WaveformFromFile
from ..own.tune import Tuned, all_layers, loss_over, tune
from .space import Chain, play

Array = npt.NDArray[np.float32]
RATE = 2e-3  # learning rate; faster ones end farther from the chain
PATIENCE = 24  # validations: a chain can always be asked for more, so time alone ends the lesson
LEVELS = (0.0, -9.0)  # dB: the playing as it is, and softer, since a drive depends on it


@dataclass
class Taught:
    """A network that does what the chain's middle does, and how near it comes.

    ``loss`` is the recipe's own on a part of the playing that the network never heard.
    """

    recipe: WaveformFromFile
    tuned: Tuned
    base: str
    loss: float

    def said(self) -> str:
        """A line for people."""
        t = self.tuned
        return (
            f"{t.steps} steps from {self.base} in {t.seconds:.0f} s ({t.cpu_seconds:.0f} s of CPU),"
            f" ended: {t.ended}; loss against the chain {t.before:.3f} → {self.loss:.3f}"
        )


def teach(
    chain: Chain,
    playing: Sequence[Array],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda share, now: None,
) -> Taught:
    """Train a zero-latency waveform TCN to do what the ``model`` part of `chain` does.

    The beginning is the bundled amplifier that is nearest already.

    Raises
    ------
    ConfigError
        No bundled model to begin from, or too little playing.
    """
    began = clock()
    bases = _bases()
    data = lesson(chain, playing, max(recipe.warm_up for _, recipe, _ in bases))
    for _, recipe, network in bases:
        match_level(recipe, network, data.validation[0])
    tried = [(loss_over(r, n, data.validation[:1]), k) for k, (_, r, n) in enumerate(bases)]
    name, recipe, network = bases[min(tried)[1]]
    tuned = tune(
        recipe,
        network,
        data,
        max(1.0, seconds - (clock() - began)),
        moving=all_layers,
        learning_rate=RATE,
        patience=PATIENCE,
        clock=clock,
        stopped=stopped,
        progress=progress,
    )
    return Taught(recipe, tuned, name, loss_over(recipe, tuned.network, data.test))


def match_level(recipe: WaveformFromFile, network: Streamable, pair: Pair) -> None:
    """Scale the head so that the output has the target's level and sign: the best single gain."""
    with torch.no_grad():
        y, target = recipe.aligned(network, held_out(pair))
        gain = (y * target).sum() / (y.square().sum() + 1e-9)
        for weight in network.head.parameters():  # type: ignore[union-attr]
            weight.mul_(gain)


def lesson(chain: Chain, playing: Sequence[Array], warm_up: int) -> PairSet:
    """The playing after what comes before the model, and the same through the model's part.

    The training part is there twice, once softer, since a drive depends on the level.
    """
    before, middle = (tuple(s for s in chain if s.place == p) for p in ("before", "model"))

    def taught(pair: Pair, db: float) -> Pair:
        dry = np.asarray(pair.dry * np.float32(10 ** (db / 20)), dtype=np.float32)
        return Pair(f"{pair.name} {db:g} dB", dry, play(middle, dry))

    dry = [play(before, x) for x in playing]
    cut = split(tuple(Pair(f"mine{k}", x, x) for k, x in enumerate(dry)), warm_up)
    return PairSet(
        tuple(taught(pair, db) for db in LEVELS for pair in cut.train),
        tuple(taught(pair, 0.0) for pair in cut.validation),
        tuple(taught(pair, 0.0) for pair in cut.test),
    )


def _bases() -> list[tuple[str, WaveformFromFile, Streamable]]:
    """Every bundled waveform model without controls."""
    found: list[tuple[str, WaveformFromFile, Streamable]] = []
    for entry in list_models():
        card = entry.card
        if card is None or card.spectrum is not None or card.controls or entry.source != "bundled":
            continue
        try:
            recipe, network = rebuild(entry.path)
        except RestyleError:
            continue
        if isinstance(recipe, WaveformFromFile):
            found.append((entry.name, recipe, network))
    if not found:
        raise ConfigError("no bundled waveform model to begin from; install restyle again")
    return found
