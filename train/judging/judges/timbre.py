"""How near a set of sounds is to another in an embedding: Fréchet distance, MMD, MFCC distance."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from . import musicnn
from .packages import require

Array = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
COMPONENTS = 32


def embed(recordings: Iterable[Array], rate: int = 48000) -> Matrix:
    """Embeddings of all windows of some recordings ``[windows, 200]``."""
    return np.concatenate([musicnn.heard(r, rate)[1] for r in recordings]).astype(np.float64)


def principal_basis(reference: Matrix, components: int = COMPONENTS) -> tuple[Matrix, Matrix]:
    """Mean ``[d]`` and first principal directions ``[d, components]`` of a reference set.

    The Fréchet distance needs a covariance, and a few hundred windows do not hold one of 200
    dimensions; the reference's own directions keep what tells sounds apart.
    """
    mean = reference.mean(axis=0)
    _, _, rows = np.linalg.svd(reference - mean, full_matrices=False)
    return mean, rows[:components].T


def frechet(a: Matrix, b: Matrix) -> float:
    """Fréchet distance of two sets' Gaussians (Dowson & Landau, 1982; Kilgour et al., 2019).

    ``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))``; the trace of the root is the sum of the
    square roots of the eigenvalues of ``C_a^(1/2) C_b C_a^(1/2)``.
    """
    mean = a.mean(axis=0) - b.mean(axis=0)
    ca, cb = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    values, vectors = np.linalg.eigh(ca)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    inner = np.maximum(np.linalg.eigvalsh(root @ cb @ root), 0.0)
    return float(mean @ mean + np.trace(ca) + np.trace(cb) - 2.0 * np.sqrt(inner).sum())


def mmd(a: Matrix, reference: Matrix) -> float:
    """Unbiased squared maximum mean discrepancy with a Gaussian kernel (Gretton et al., 2012).

    The bandwidth is the median distance inside the reference, so that one reference has one scale
    (as in the kernel audio distance; Chung et al., 2025).  Unlike the Fréchet distance it does not
    grow when there are few windows, and it levels off far away.
    """

    def distances(x: Matrix, y: Matrix) -> Matrix:
        squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None] - 2.0 * x @ y.T
        return np.maximum(squares, 0.0)

    inside = distances(reference, reference)
    scale = 2.0 * float(np.median(inside[np.triu_indices(len(reference), 1)])) + 1e-12
    kaa, kbb, kab = (np.exp(-d / scale) for d in (distances(a, a), inside, distances(a, reference)))
    n, m = len(a), len(reference)
    within = (kaa.sum() - n) / (n * (n - 1)) + (kbb.sum() - m) / (m * (m - 1))
    return float(within - 2.0 * kab.mean())


def mfcc_distance(a: Array, b: Array, rate: int = 48000) -> float:
    """Distance of two recordings' mean MFCCs 1..19, the overall level (0) left out."""
    librosa = require("librosa")
    means = [librosa.feature.mfcc(y=x, sr=rate, n_mfcc=20).mean(axis=1)[1:] for x in (a, b)]
    return float(np.linalg.norm(means[0] - means[1]))


def gap_share(identity: float, model: float, oracle: float) -> float:
    """Share of the way from doing nothing to the true target, ``(i - m) / (i - o)``."""
    return (identity - model) / (identity - oracle) if identity != oracle else float("nan")


class Closeness:
    """Fréchet distance to one target set, in the target's own principal directions.

    Parameters
    ----------
    target : sequence of ndarray
        Recordings of the target; the reference.
    """

    def __init__(self, target: Iterable[Array], rate: int = 48000) -> None:
        self.rate = rate
        raw = embed(target, rate)
        self.mean, self.basis = principal_basis(raw)
        self.reference = (raw - self.mean) @ self.basis

    def project(self, recordings: Iterable[Array]) -> Matrix:
        """Embeddings of some recordings in the reference's directions."""
        return (embed(recordings, self.rate) - self.mean) @ self.basis

    def __call__(self, recordings: Iterable[Array]) -> float:
        """Fréchet distance of some recordings to the target set."""
        return frechet(self.project(recordings), self.reference)
