"""Sound through a model file as the player runs it, so that what is judged is what is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.proof.listener import play as player

from .data.scores.render import SAMPLE_RATE

Array = npt.NDArray[np.float32]


def play(path: Path, x: Array, controls: Mapping[str, float] | Sequence[float] = ()) -> Array:
    """Run mono sound at 48 kHz through a model file, latency trimmed.

    See :func:`realtime.proof.listener.play.play`.
    """
    return player.play(path, x, controls, SAMPLE_RATE)
