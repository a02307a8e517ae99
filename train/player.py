"""Sound through a model file as the player runs it, so that what is judged is what is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.engine.engine import Engine
from realtime.models.load import open_model

from .data.scores.render import SAMPLE_RATE

Array = npt.NDArray[np.float32]
BLOCK = 4800


def play(path: Path, x: Array, controls: Mapping[str, float] | Sequence[float] = ()) -> Array:
    """Run mono sound through a model file in the player's engine, latency trimmed.

    Parameters
    ----------
    path : Path
    x : ndarray [shape=(n,), float32]
        At 48 kHz.
    controls : mapping of name to value, or values in the card's order
        What differs from the defaults.

    Returns
    -------
    ndarray [shape=(n,), float32]
    """
    model = open_model(path)
    try:
        if not isinstance(controls, Mapping):
            names = (c.name for c in model.card.controls)
            controls = dict(zip(names, controls, strict=False))
        engine = Engine(model, channels=1, sample_rate=SAMPLE_RATE, controls=controls)
        hop, late = model.card.hop_length, engine.latency
        block = max(1, BLOCK // hop) * hop
        total = -(-(len(x) + late) // block) * block
        padded = np.zeros((1, total), dtype=np.float32)
        padded[0, : len(x)] = x
        y = [
            engine.process_hops(np.ascontiguousarray(padded[:, i : i + block]))
            for i in range(0, total, block)
        ]
    finally:
        model.close()
    return np.concatenate(y, axis=1)[0, late : late + len(x)]
