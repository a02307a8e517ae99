"""Distances of sets against scipy, closed forms and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from train.judging.judges.instrument import probe, tag_flip
from train.judging.judges.musicnn import TAGS
from train.judging.judges.timbre import frechet, gap_share, mmd, principal_basis


def two_sets(d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((d, d))
    return rng.standard_normal((400, d)) @ mix, 0.5 + rng.standard_normal((300, d)) * 1.3


def test_frechet_is_the_matrix_formula() -> None:
    a, b = two_sets()
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    mean = a.mean(axis=0) - b.mean(axis=0)
    expected = mean @ mean + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-8)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-9)


def test_frechet_of_one_dimension_is_means_and_deviations() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(1.0, 2.0, (5000, 1)), rng.normal(-1.0, 0.5, (4000, 1))
    a = (a - a.mean()) / a.std(ddof=1) * 2 + 1
    b = (b - b.mean()) / b.std(ddof=1) * 0.5 - 1
    assert frechet(a, b) == pytest.approx((1 + 1) ** 2 + (2 - 0.5) ** 2, rel=1e-9)


def test_mmd_is_the_double_loop() -> None:
    a, b = (x[:40] for x in two_sets(3))
    scale = 2 * np.median([np.sum((x - y) ** 2) for i, x in enumerate(b) for y in b[:i]])

    def mean(p: np.ndarray, q: np.ndarray, same: bool) -> float:
        values = [
            np.exp(-np.sum((x - y) ** 2) / scale)
            for i, x in enumerate(p)
            for j, y in enumerate(q)
            if not (same and i == j)
        ]
        return float(np.mean(values))

    expected = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    assert mmd(a, b) == pytest.approx(expected, rel=1e-9)


def test_mmd_of_halves_of_one_set_is_nothing_however_few() -> None:
    rng = np.random.default_rng(5)
    found = [mmd(rng.standard_normal((12, 4)), rng.standard_normal((60, 4))) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 200**0.5
    assert mmd(rng.standard_normal((12, 4)) + 3, rng.standard_normal((60, 4))) > 0.3


def test_gap_share_runs_from_nothing_to_all() -> None:
    assert gap_share(60.0, 60.0, 1.0) == 0.0
    assert gap_share(60.0, 1.0, 1.0) == 1.0
    assert gap_share(60.0, 90.0, 0.0) == -0.5


def test_principal_basis_keeps_the_widest_directions() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((500, 6)) * np.array([9, 0.1, 5, 0.1, 0.1, 0.1])
    mean, basis = principal_basis(x, 2)
    kept = (x - mean) @ basis
    assert kept.var() * 2 == pytest.approx(x.var(axis=0)[[0, 2]].sum(), rel=0.01)


def test_tag_flip_and_probe_count_windows() -> None:
    tags = np.zeros((4, len(TAGS)), dtype=np.float32)
    tags[:, TAGS.index("piano")] = (0.5, 0.5, 0.1, 0.1)
    tags[:, TAGS.index("strings")] = (0.6, 0.4, 0.2, 0.05)
    assert tag_flip(tags, ("strings", "cello")) == 0.5
    centroids = {"here": np.zeros(2), "there": np.full(2, 10.0), "beyond": np.full(2, 30.0)}
    windows = np.array([[9.0, 9.0], [1.0, 1.0], [6.0, 6.0], [29.0, 21.0]])
    assert probe(windows, centroids, "there") == 0.5
    assert probe(windows, centroids, "beyond") == 0.25
