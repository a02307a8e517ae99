"""Find the chain whose sound on the dry recording is statistically most like the reference.

Gradient-free, so that any effect can take part (ST-ITO, Steinmetz et al., arXiv 2410.21233), by
CMA-ES (Hansen, arXiv 1604.00772).  Three rounds: tone and drive from a clean, a driven and a
compressed beginning; then chorus, delay and reverb on the best of them; then all together.  At
last, stages that earn nothing go.

Two recordings of one sound differ by what is played in them, and an unbound search explains that
with effects, too.  So every stage has a price and turning it far has one (a Gaussian prior on how
far effects are turned: what comes out is the most probable chain, not the nearest).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cma
import numpy as np
import numpy.typing as npt

from .space import SLOTS, Chain, Vector, decode, nothing, play, spans
from .statistics import Likeness

Array = npt.NDArray[np.float32]
PRICE = 0.01  # distance that a stage must win to be worth having
SLOW = 0.05  # the same for a stage that no network can learn, and that what is played mimics easily
EFFORT = 0.08  # the same for turning its first knob all the way; by the square for less
STEP = 0.2  # first deviation of the search, of each knob's way
STARTS = ({}, {"Distortion": 0.4}, {"Compressor": 0.5, "Distortion": 0.2})
POPULATION = 12


@dataclass
class Found:
    """The best chain so far.

    Attributes
    ----------
    distance, nothing : float
        :class:`train.like.statistics.Likeness` of the chain and of the dry sound.
    tried : int
        Chains played.
    """

    point: Vector
    chain: Chain
    distance: float
    nothing: float
    tried: int = 0
    interrupted: bool = False


class _Over(Exception):
    """Time is up, or Ctrl-C."""


def search(
    dry: Sequence[Array],
    likeness: Likeness,
    seconds: float,
    *,
    seed: int = 1,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda share, now: None,
) -> Found:
    """Search for `seconds`.

    Parameters
    ----------
    dry : sequence of ndarray [shape=(n,), float32]
        A few seconds in all: every chain tried plays them.
    likeness : Likeness
        To the reference.
    stopped : callable
        True ends the search with the best so far.
    """
    began = clock()
    first = likeness(dry)
    found = Found(nothing(), (), first, first)
    best_price = first
    off, firsts = nothing(), [span.start for span in spans()]

    def cost(point: Vector) -> float:
        nonlocal best_price
        elapsed = clock() - began
        found.interrupted = stopped()
        if found.interrupted or elapsed >= seconds:
            raise _Over
        chain = decode(point)
        sounds = [play(chain, x) for x in dry]
        found.tried += 1
        if not all(np.isfinite(y).all() and np.abs(y).max() > 1e-4 for y in sounds):
            return 10.0
        distance = likeness(sounds)
        turned = np.clip((point - off)[firsts] / (1.0 - off[firsts]), -1.0, 1.0)
        price = distance + _price(chain) + EFFORT * float(np.sum(turned**2))
        if price < best_price:
            best_price = price
            found.point, found.chain, found.distance = point.copy(), chain, distance
        outside = float(np.sum(np.maximum(0, np.abs(point - 0.5) - 0.5)))
        progress(
            min(elapsed / seconds, 1.0),
            f"chain {found.tried}, distance {found.distance:.3f} of {first:.3f}",
        )
        return price + outside

    def until(part: float) -> Callable[[], bool]:
        return lambda: clock() - began < seconds * part

    early = _columns("before", "model")
    try:
        for k, start in enumerate(STARTS):  # several beginnings, the best goes on
            point = nothing()
            for slot, span in zip(SLOTS, spans(), strict=True):
                if slot.effect in start:
                    point[span.start] = start[slot.effect]
            _descend(cost, point, early, until(0.13 * (k + 1)), seed)
        _descend(cost, found.point, early, until(0.6), seed + 1, 0.1)
        _descend(cost, found.point, _columns("after"), until(0.78), seed + 2)
        _descend(cost, found.point, list(range(len(nothing()))), until(0.97), seed + 3, 0.06)
        _prune(cost, found)
    except _Over:
        pass
    return found


def _price(chain: Chain) -> float:
    return sum(PRICE if stage.place == "model" else SLOW for stage in chain)


def _columns(*places: str) -> list[int]:
    pairs = zip(SLOTS, spans(), strict=True)
    return [i for slot, s in pairs if slot.place in places for i in range(s.start, s.stop)]


def _descend(
    cost: Callable[[Vector], float],
    start: Vector,
    columns: list[int],
    going: Callable[[], bool],
    seed: int,
    step: float = STEP,
) -> None:
    """CMA-ES over some columns of a point, the others fixed."""
    options = {
        "popsize": POPULATION,
        "seed": seed,
        "verbose": -9,
        "bounds": [0.0, 1.0],
        "CMA_diagonal": 40,
    }
    # exactly on a bound the search could not leave a flat corner
    begin = np.clip(start[columns], 0.02, 0.98)
    strategy = cma.CMAEvolutionStrategy(begin, step, options)
    while going() and not strategy.stop():
        asked = strategy.ask()
        costs = []
        for part in asked:
            point = start.copy()
            point[columns] = part
            costs.append(cost(point))
        strategy.tell(asked, costs)


def _prune(cost: Callable[[Vector], float], found: Found) -> None:
    """Switch off, one after the other, what the sound does without."""
    off = nothing()
    for span in spans():
        point = found.point.copy()
        point[span] = off[span]
        cost(point)
