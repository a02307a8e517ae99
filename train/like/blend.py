"""The nearest mix of a model that blends styles: a few numbers fitted to an unpaired reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cma
import numpy as np
import numpy.typing as npt

from realtime.models.catalog import read_entry

from ..player import play
from .statistics import Likeness

Array = npt.NDArray[np.float32]
POPULATION = 6


def fit_blend(
    path: Path,
    dry: Sequence[Array],
    likeness: Likeness,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda share, now: None,
) -> tuple[dict[str, float], float]:
    """Weights that bring `dry` nearest to the reference by its statistics, and the distance.

    All styles alone and the even mix are tried first, then CMA-ES goes on from the best.

    Parameters
    ----------
    path : Path
        A model with blend controls.
    dry : sequence of ndarray [shape=(n,), float32]
        Every mix tried plays them.
    """
    card = read_entry(path).card
    assert card is not None
    names = [c.name for c in card.controls]
    best: tuple[float, npt.NDArray[np.float64]] = (np.inf, np.ones(len(names)))
    began = clock()

    def cost(weights: npt.NDArray[np.float64]) -> float:
        nonlocal best
        mix = np.maximum(weights, 0.0) + 1e-6
        distance = likeness([play(path, x, list(mix / mix.sum())) for x in dry])
        if distance < best[0]:
            best = distance, mix / mix.sum()
        progress(min(1.0, (clock() - began) / seconds), f"blend, distance {best[0]:.3f}")
        return distance

    def going() -> bool:
        return clock() - began < seconds and not stopped()

    for weights in (*np.eye(len(names)), np.ones(len(names))):
        if going() or not np.isfinite(best[0]):
            cost(weights)
    options = {"popsize": POPULATION, "seed": 1, "verbose": -9, "bounds": [0.0, 1.0]}
    strategy = cma.CMAEvolutionStrategy(np.clip(best[1], 0.05, 0.95), 0.2, options)
    while going() and not strategy.stop():
        asked = strategy.ask()
        costs = [cost(point) if going() else np.inf for point in asked]
        if np.isfinite(costs).all():
            strategy.tell(asked, costs)
    return {n: round(float(w), 3) for n, w in zip(names, best[1], strict=True)}, best[0]
