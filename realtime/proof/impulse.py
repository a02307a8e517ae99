"""By how much an answer is later than what it answers, told by an impulse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Play = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
OFFSET = 17  # in the hop that the impulse falls into


def answer(play: Play, hop: int, offset: int = OFFSET) -> tuple[int, int]:
    """After how many samples an impulse changes something first, and most; -1 if nothing.

    Parameters
    ----------
    play : callable
        Takes a sound ``[hops, hop]``, plays it from its beginning, returns as much.
    """
    at = 40 * hop + offset
    base = 0.05 * np.random.default_rng(5).standard_normal(96 * hop).astype(np.float32)
    struck = base.copy()
    struck[at] += 0.5
    change = np.abs(play(base.reshape(-1, hop)) - play(struck.reshape(-1, hop))).ravel()
    changed = np.flatnonzero(change)
    return (int(changed[0]) - at, int(np.argmax(change)) - at) if changed.size else (-1, -1)


def typical(play: Play, hop: int, most: int) -> int:
    """The median over five places in a hop of the sample that is changed most, `most` being one."""
    later = [answer(play, hop, (OFFSET + k * hop // 5) % hop)[1] for k in range(1, 5)]
    return sorted([most, *later])[2]
