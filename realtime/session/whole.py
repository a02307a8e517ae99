"""Effects that cannot be fed block by block, on a whole clip at once: for offline render alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from ..stages.pedals import effect_names, make_plugin
from ..stages.ranges import effect_ranges
from .sound import Stage

Array = npt.NDArray[np.float32]


def is_whole(stage: Stage) -> bool:
    """Whether a stage is an effect that needs the whole clip."""
    name = stage.effect
    return name is not None and effect_ranges(name) is None and name in effect_names()


def parts(stages: tuple[Stage, ...]) -> list[tuple[Stage, ...]]:
    """Cut a list of stages where one needs the whole clip; each of those stands alone."""
    found: list[tuple[Stage, ...]] = []
    for stage in stages:
        if found and not is_whole(stage) and not is_whole(found[-1][0]):
            found[-1] += (stage,)
        else:
            found.append((stage,))
    return found


def play_whole(stage: Stage, x: Array, sample_rate: int) -> Array:
    """What such an effect makes of ``x [shape=(channels, n)]``; a new array.

    Raises
    ------
    ChainError
        It has no such parameter, or refuses a value.
    """
    if stage.bypass:
        return x
    assert stage.effect is not None
    plugin = make_plugin(stage.effect, dict(stage.parameters))
    try:
        made = plugin.process(x, sample_rate, reset=True)
    except (RuntimeError, ValueError) as error:
        raise ChainError(f"effect {stage.effect} failed: {error}") from None
    missing = max(0, x.shape[1] - made.shape[1])
    made = np.pad(made, ((0, 0), (0, missing)))[:, : x.shape[1]]
    wet = np.float32(stage.mix)
    return np.ascontiguousarray((np.float32(1.0) - wet) * x + wet * made)
