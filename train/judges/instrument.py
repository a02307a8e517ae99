"""Which instrument is it?  Tags that tip over, and the nearest centroid in an embedding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .musicnn import TAGS

Matrix = npt.NDArray[np.float64]
INPUT_TAGS = ("piano", "guitar")


def tag_flip(tags: npt.NDArray[np.float32], wanted: Sequence[str]) -> float:
    """Share of windows ``[windows, 50]`` where the best wanted tag beats those of the input."""
    best, rival = (
        tags[:, [TAGS.index(t) for t in names]].max(axis=1) for names in (wanted, INPUT_TAGS)
    )
    return float(np.mean(best > rival))


def probe(windows: Matrix, source: Matrix, target: Matrix) -> float:
    """Share of windows nearer to the target set's centroid than to the source set's.

    All ``[windows, d]``, in the target's principal directions.
    """
    far, near = (np.linalg.norm(windows - s.mean(axis=0), axis=1) for s in (source, target))
    return float(np.mean(near < far))
