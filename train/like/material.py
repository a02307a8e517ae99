"""Reference and playing, cut so that the judges hear what no search heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..data.manifest import SAMPLE_RATE
from ..own.material import PAUSE_DB, read_sounds
from .statistics import pieces

Array = npt.NDArray[np.float32]
SHORTEST_REFERENCE = 10.0  # seconds
LEAST_HELD = 3.0  # seconds


@dataclass
class Material:
    """Both recordings, each a list of mono sounds at 48 kHz; ``_held`` is for the judges alone."""

    fit: list[Array]
    held: list[Array]
    reference: list[Array]
    reference_held: list[Array]
    mine_name: str = ""
    reference_name: str = ""

    def tried(self, count: int) -> list[Array]:
        """A few pieces of the playing from all over it and its loudest: what a search plays."""
        parts = pieces(np.concatenate(self.fit))
        loudest = max(parts, key=lambda p: float(np.mean(np.square(p))))
        places = np.linspace(0, len(parts) - 1, min(count - 1, len(parts))).round().astype(int)
        return [*(parts[k] for k in places), loudest]


def read(reference: Path, mine: Path) -> Material:
    """Read both; the reference's last third and the playing's last quarter are held out.

    Raises
    ------
    AudioFileError, ConfigError
        Unreadable, silent or too short.
    """
    theirs = read_sounds(reference, SHORTEST_REFERENCE)
    own = read_sounds(mine)
    wanted, wanted_held = _cut([_played(s.samples) for s in theirs], 2 / 3)
    fit, held = _cut([_played(s.samples) for s in own], 3 / 4)
    return Material(fit, held, wanted, wanted_held, mine.name, reference.name)


def _played(x: Array) -> Array:
    """Without the pauses before and behind the playing, which no part could be judged by."""
    n = SAMPLE_RATE // 10
    power = np.square(x[: len(x) // n * n], dtype=np.float64).reshape(-1, n).mean(axis=1)
    heard = np.flatnonzero(power > 10 ** (PAUSE_DB / 10) * power.max(initial=0.0))
    return x[heard[0] * n : (heard[-1] + 1) * n] if len(heard) else x[:0]


def _cut(sounds: Sequence[Array], share: float) -> tuple[list[Array], list[Array]]:
    """Each recording's beginning and end; what is too short for an end is all beginning."""
    early, late = [], []
    for x in (x for x in sounds if len(x) >= SAMPLE_RATE):  # less is no playing
        at = round(share * len(x))
        if len(x) - at < LEAST_HELD * SAMPLE_RATE:
            early.append(x)
            continue
        early.append(x[:at])
        late.append(x[at:])
    if not late:
        raise ConfigError("the recordings are too short to hold a part out; make them longer")
    return early, late
