"""How much of a latent is used: variance, effective rank, active numbers, bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Usage:
    """Figures of a latent.

    Attributes
    ----------
    variance : tuple of float
        Per number.
    explained : tuple of float
        Share of the variance per principal direction, falling.
    effective_rank : float
        Exponential of the entropy of `explained` (Roy & Vetterli, EUSIPCO 2007).
    active : int
        Numbers that vary more than the training's noise (after Burda et al., 2016).
    bits : float
        Per hop, of a Gaussian channel per principal direction with that noise: an upper bound.
    """

    variance: tuple[float, ...]
    explained: tuple[float, ...]
    effective_rank: float
    active: int
    bits: float


def usage(z: Matrix, blur: float) -> Usage:
    """Measure a latent ``[frames, numbers]`` whose training added noise of deviation `blur`."""
    variance = z.var(axis=0)
    spectrum = np.maximum(np.linalg.eigvalsh(np.cov(z, rowvar=False))[::-1], 0.0)
    shares = spectrum / spectrum.sum()
    entropy = -np.sum(shares * np.log(shares + 1e-12))
    bits = 0.5 * np.sum(np.log2(1.0 + spectrum / blur**2))
    return Usage(
        tuple(float(v) for v in variance),
        tuple(float(s) for s in shares),
        float(np.exp(entropy)),
        int(np.sum(variance > blur**2)),
        float(bits),
    )


def principal(z: Matrix, count: int) -> tuple[Matrix, Matrix]:
    """First `count` principal directions of ``z [frames, numbers]`` and their deviations.

    Returns
    -------
    directions : ndarray [shape=(count, numbers)]
        Unit length, the largest entry positive.
    deviations : ndarray [shape=(count,)]
    """
    values, vectors = np.linalg.eigh(np.cov(z, rowvar=False))
    rows = vectors.T[::-1][:count]
    largest = rows[np.arange(count), np.abs(rows).argmax(axis=1)]
    return rows * np.sign(largest)[:, None], np.sqrt(np.maximum(values[::-1][:count], 0.0))
