"""The one way by which the listener's proof and the trainer's judges play a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...models.load import open_model
from ...stages.model import model_path

Array = npt.NDArray[np.float32]
BLOCK = 4800  # samples a call, about


def play(
    path: Path,
    x: Array,
    controls: Mapping[str, float] | Sequence[float] = (),
    sample_rate: int | None = None,
) -> Array:
    """Run sound through a model file as the product does, latency trimmed.

    Parameters
    ----------
    path : Path
        ``.onnx`` or ``.nam``.
    x : ndarray [shape=(channels, n) or (n,), float32]
        At `sample_rate`; every channel is played with a state of its own.
    controls : mapping of name to value, or values in the card's order
        What differs from the defaults.
    sample_rate : int or None [Hz]
        Of `x`; None: the model's own.

    Returns
    -------
    ndarray [shape of x, float32]
        Aligned to the input by the declared latency.

    Raises
    ------
    RestyleError
        The file cannot be played, a control is unknown, or the rate is not the model's.
    """
    rows = np.atleast_2d(x)
    model = open_model(path, len(rows))
    try:
        if not isinstance(controls, Mapping):
            names = (c.name for c in model.card.controls)
            controls = dict(zip(names, controls, strict=False))
        played = model_path(model, controls, sample_rate=sample_rate)
        hop, late = played.hop, played.latency
        block = max(1, BLOCK // hop) * hop
        total = -(-(rows.shape[1] + late) // block) * block
        padded = np.zeros((len(rows), total), dtype=np.float32)
        padded[:, : rows.shape[1]] = rows
        y = [
            played.process_hops(np.ascontiguousarray(padded[:, i : i + block]))
            for i in range(0, total, block)
        ]
    finally:
        model.close()
    whole = np.concatenate(y, axis=1)[:, late : late + rows.shape[1]]
    return np.ascontiguousarray(whole).reshape(x.shape)
