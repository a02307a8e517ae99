"""Recordings that can be made, and the order to make them in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..manifest import rank, splits_of

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One recording that can be made.

    Attributes
    ----------
    file : str
        Where it goes in the set, without ending.
    key : str
        What decides its split.
    origin : str
        What it is made from; equal text, equal sound.
    make : callable
        Returns ``[shape=(n,), float32]`` at 48 kHz, or raises AudioFileError.
    split : str or None
        A split of its own, in spite of the key.
    """

    file: str
    key: str
    origin: str
    make: Callable[[], Array]
    licence: str
    source: str
    package: str = ""
    version: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None


def in_order(sources: Sequence[Source]) -> list[tuple[Source, str]]:
    """Sources with their splits, in an order whose every beginning holds all splits evenly."""
    splits = splits_of(s.key for s in sources if s.split is None)
    groups: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        groups[source.split or splits[source.key], source.key].append(source)
    counts: dict[str, int] = defaultdict(int)
    sizes: dict[str, int] = defaultdict(int)
    for split, _ in groups:
        sizes[split] += 1
    places = {}
    for split, key in sorted(groups, key=lambda g: (rank("order " + g[1]), g)):
        places[split, key] = (counts[split] / sizes[split], split, counts[split])
        counts[split] += 1
    return [(s, g[0]) for g in sorted(groups, key=places.__getitem__) for s in groups[g]]
