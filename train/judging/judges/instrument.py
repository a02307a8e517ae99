"""Which instrument is it?  Tags that tip over, and the nearest centroid in an embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def probe(windows: Matrix, centroids: Mapping[str, Matrix], wanted: str) -> float:
    """Share of windows that the nearest centroid calls `wanted`.

    Parameters
    ----------
    windows : ndarray [shape=(windows, d)]
    centroids : mapping of name to ndarray [shape=(d,)]
        Means of known instruments in the same embedding.
    """
    names = list(centroids)
    middles = np.stack([centroids[n] for n in names])
    distances = np.linalg.norm(windows[:, None] - middles[None], axis=2)
    return float(np.mean(distances.argmin(axis=1) == names.index(wanted)))
