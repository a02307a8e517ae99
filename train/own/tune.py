"""A short training by the clock: the last layers and every bias, until the held-out part says stop.

Biases and scales of all layers with the decoder's weights are what a small set can move without
forgetting the rest (BitFit, Ben Zaken et al., ACL 2022; FiLM, Perez et al., AAAI 2018).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.optim import AdamW

from realtime.errors import ConfigError

from ..data.pairs import Pair, PairSet
from ..fit.batches import draw, held_out, segment_length
from ..networks.layers import Streamable
from ..recipes.base import Recipe, Schedule

Moving = Callable[[Streamable], list[torch.nn.Parameter]]
CHECKS = 24  # validations in the whole time
PATIENCE = 6  # validations without a better one
DECAY = 0.98  # of the running mean of the weights
CLIP = 1.0


@dataclass
class Tuned:
    """What a training found.

    Attributes
    ----------
    network : Streamable
        The best by the validation loss, which may be the one that came in.
    before, after : float
        Validation loss of the network that came in and of the best.
    history : list of (seconds, loss)
    ended : str
        Why: ``time``, ``no better`` or ``interrupted``.
    moved, weights : int
        How many numbers were trained, of how many.
    """

    network: Streamable
    before: float
    after: float
    steps: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    ended: str = "time"
    moved: int = 0
    weights: int = 0
    history: list[tuple[float, float]] = field(default_factory=list)


def last_layers(network: Streamable) -> list[torch.nn.Parameter]:
    """Biases, norms and style layers everywhere; all weights of the last layers and the decoder."""
    names = {name for name, _ in network.named_parameters()}
    layers = sorted({int(n.split(".")[1]) for n in names if n.startswith(("layers.", "blocks."))})
    late = layers[-2:] if any(n.startswith("layers.") for n in names) else layers[-1:]
    whole = ("head.", "decode.", "films.", "mix.")
    whole += tuple(f"{kind}.{k}." for kind in ("layers", "blocks") for k in late)
    moving = []
    for name, weight in network.named_parameters():
        chosen = name.endswith(".bias") or ".norm." in name or name.startswith(whole)
        weight.requires_grad_(chosen)
        if chosen:
            moving.append(weight)
    return moving


def all_layers(network: Streamable) -> list[torch.nn.Parameter]:
    """Every weight."""
    for weight in network.parameters():
        weight.requires_grad_(True)
    return list(network.parameters())


def loss_over(recipe: Recipe, network: Streamable, pairs: tuple[Pair, ...]) -> float:
    """Mean loss over held-out recordings, weighted by their lengths."""
    total = weight = 0.0
    with torch.no_grad():
        for pair in pairs:
            batch = held_out(pair)
            loss = float(recipe.loss(*recipe.aligned(network.eval(), batch)))
            total, weight = total + loss * batch.dry.shape[1], weight + batch.dry.shape[1]
    return total / weight


def tune(
    recipe: Recipe,
    network: Streamable,
    data: PairSet,
    seconds: float,
    *,
    moving: Moving = last_layers,
    learning_rate: float = 3e-3,
    batch: int = 6,
    seed: int = 0,
    patience: int = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda share, now: None,
) -> Tuned:
    """Train a copy of `network` for `seconds`.

    Parameters
    ----------
    moving : callable
        Chooses the weights that move.
    patience : int
        Validations without a better one until it ends early.
    clock : callable
        What the seconds are counted by: the wall's clock, or the processor's in benchmarks.
    stopped : callable
        Asked after every step; True ends the training with the best so far.
    progress : callable
        Hears the share of the time and a few words.

    Raises
    ------
    ConfigError
        The loss is not a number any more.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    own = copy.deepcopy(network).train()
    mean = copy.deepcopy(network).eval()
    weights = moving(own)
    optimiser = AdamW(weights, lr=learning_rate, weight_decay=1e-4)
    spectral = recipe.latency > 0
    schedule = Schedule(minutes=1, batch=batch, segment=16384 if spectral else 8192)
    n = segment_length(recipe, schedule)
    began, wall, cpu = clock(), time.monotonic(), time.process_time()
    first = loss_over(recipe, network, data.validation)
    found = Tuned(copy.deepcopy(network).eval(), first, first, history=[(0.0, first)])
    found.moved = sum(weight.numel() for weight in weights)
    found.weights = sum(weight.numel() for weight in own.parameters())
    since, checked = 0, clock()
    pause = max(seconds / CHECKS, 6 * (checked - began))  # validation is not to take the time
    while True:
        elapsed = clock() - began
        share = elapsed / seconds
        interrupted = stopped()
        if interrupted or share >= 1 or clock() - checked >= pause:
            loss = loss_over(recipe, mean, data.validation)
            found.history.append((elapsed, loss))
            since = 0 if loss < found.after else since + 1
            if loss < found.after:
                found.after, found.network = loss, copy.deepcopy(mean)
            progress(min(share, 1.0), f"step {found.steps}, held-out loss {found.after:.4f}")
            checked = clock()
            if interrupted or share >= 1 or since >= patience:
                found.ended = (
                    "interrupted" if interrupted else "time" if share >= 1 else "no better"
                )
                break
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        example = recipe.augment(draw(data.train, batch, n, rng), rng)
        loss_now = recipe.loss(*recipe.aligned(own, example))
        if not math.isfinite(loss_now.item()):
            raise ConfigError("the loss is not a number any more; nothing was kept")
        optimiser.zero_grad()
        loss_now.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        optimiser.step()
        found.steps += 1
        keep = min(DECAY, (1 + found.steps) / (10 + found.steps))
        with torch.no_grad():
            for slow, fast in zip(mean.parameters(), own.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        progress(min(share, 1.0), f"step {found.steps}, held-out loss {found.after:.4f}")
    found.seconds, found.cpu_seconds = time.monotonic() - wall, time.process_time() - cpu
    found.network = found.network.eval().requires_grad_(False)
    return found
