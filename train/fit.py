"""The training loop, top to bottom in one file."""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime.errors import ConfigError

from .data.pairs import Pair, PairSet
from .networks.layers import Streamable
from .recipes.base import Recipe, Schedule

RUNS = Path(".runs")
CHECK_EVERY = 100  # steps


def draw(
    pairs: tuple[Pair, ...], batch: int, n: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw `batch` aligned segments of `n` samples; silence is drawn again once."""
    dry, wet = np.zeros((2, batch, n), dtype=np.float32)
    lengths = np.array([len(p.dry) for p in pairs], dtype=float)
    for b in range(batch):
        for _ in range(2):
            pair = pairs[int(rng.choice(len(pairs), p=lengths / lengths.sum()))]
            start = int(rng.integers(0, max(1, len(pair.dry) - n)))
            part, target = pair.dry[start : start + n], pair.wet[start : start + n]
            dry[b, : len(part)], wet[b, : len(target)] = part, target
            if np.abs(target).max() > 1e-2:
                break
    return torch.from_numpy(dry), torch.from_numpy(wet)


def validate(recipe: Recipe, network: Streamable, pairs: tuple[Pair, ...]) -> float:
    """Mean loss over whole held-out recordings (a multiple of 1024 samples, 12 s at most)."""
    network.eval()
    losses = []
    with torch.no_grad():
        for pair in pairs:
            n = min(len(pair.dry), 12 * 48000) // 1024 * 1024
            dry, wet = (torch.from_numpy(a[None, :n]) for a in (pair.dry, pair.wet))
            losses.append(float(recipe.loss(*recipe.aligned(network, dry, wet))))
    network.train()
    return float(np.mean(losses))


def rate(schedule: Schedule, progress: float) -> float:
    """Learning rate: two percent of warm-up, then a cosine from the first to the final rate."""
    if progress < 0.02:
        return schedule.learning_rate * (0.05 + 0.95 * progress / 0.02)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return schedule.final_rate + (schedule.learning_rate - schedule.final_rate) * cosine


def fit(recipe: Recipe, data: PairSet, schedule: Schedule | None = None, log: Any = print) -> Path:
    """Train and keep the best checkpoint by validation loss.

    Returns
    -------
    Path
        ``.runs/<recipe>/best.pt``: weights, schedule, steps, losses.
    """
    schedule = schedule or recipe.schedule
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    network = recipe.network().train()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, weight_decay=1e-4
    )
    n = recipe.warm_up + schedule.segment + recipe.latency
    n += -n % 1024
    begin, step, best, history = time.process_time(), 0, math.inf, []
    while True:
        spent = (time.process_time() - begin) / 60
        progress = step / schedule.steps if schedule.steps else spent / schedule.minutes
        done = progress >= 1.0
        if step % CHECK_EVERY == 0 or done:
            loss = validate(recipe, network, data.validation)
            history.append((step, loss))
            log(f"{recipe.name} step {step} cpu {spent:.1f} min validation {loss:.4f}")
            if loss < best:
                best = loss
                save(recipe, network, schedule, step, spent, history)
        if done:
            return RUNS / recipe.name / "best.pt"
        for group in optimiser.param_groups:
            group["lr"] = rate(schedule, progress)
        dry, wet = recipe.augment(*draw(data.train, schedule.batch, n, rng))
        value = recipe.loss(*recipe.aligned(network, dry, wet))
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1


def save(
    recipe: Recipe,
    network: Streamable,
    schedule: Schedule,
    step: int,
    minutes: float,
    history: list[tuple[int, float]],
) -> None:
    """Write the checkpoint, whole or not at all."""
    folder = RUNS / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "best.part"
    content = {
        "weights": network.state_dict(),
        "recipe": recipe.name,
        "schedule": asdict(schedule),
        "step": step,
        "cpu_minutes": minutes,
        "history": history,
    }
    torch.save(content, partial)
    os.replace(partial, folder / "best.pt")


def load(recipe: Recipe) -> tuple[Streamable, dict[str, Any]]:
    """Read the best checkpoint of a recipe.

    Raises
    ------
    ConfigError
        There is none, or it belongs to another network.
    """
    path = RUNS / recipe.name / "best.pt"
    if not path.exists():
        raise ConfigError(f"no checkpoint {path}; run: python -m train fit {recipe.name}")
    content = torch.load(path, weights_only=True)
    network = recipe.network().eval()
    try:
        network.load_state_dict(content["weights"])
    except RuntimeError:
        raise ConfigError(
            f"{path} was trained with another network; run: python -m train fit {recipe.name}"
        ) from None
    return network, content
