"""Names go to directions by what is measured; usage and directions agree with numpy's SVD."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy, pearsonr

from train.latent.naming import assign, correlations, name_knobs, reach
from train.latent.usage import principal, usage

OFFSETS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def test_correlation_is_pearsons_around_each_recordings_own_mean() -> None:
    rng = np.random.default_rng(0)
    moved = rng.standard_normal((2, 5, 3, 4)) + 10 * rng.standard_normal((1, 1, 3, 1))
    found = correlations(moved, OFFSETS)
    x = np.repeat(OFFSETS, 3)
    for k in range(2):
        for d in range(4):
            y = moved[k, :, :, d] - moved[k, :, :, d].mean(axis=0)
            assert found[k, d] == pytest.approx(pearsonr(x, y.ravel()).statistic)


def test_no_name_twice_and_a_weak_one_never() -> None:
    r = np.array([[0.9, 0.8, 0.0], [0.95, 0.1, 0.2], [0.1, -0.29, 0.29]])
    assert assign(r, "abc") == [(1, 0.8), (0, 0.95), (-1, 0.0)]


def test_reach_is_where_the_descriptor_only_rises() -> None:
    assert reach(np.array([0.0, 1, 2, 3, 4]), OFFSETS, 1) == 2.0
    assert reach(np.array([4.0, 3, 2, 1, 0]), OFFSETS, -1) == 2.0
    assert reach(np.array([9.0, 1, 2, 3, 4]), OFFSETS, 1) == 1.0
    assert reach(np.array([0.0, 3, 2, 3, 4]), OFFSETS, 1) == 1.0, "the smallest, though not even it"


def test_a_falling_descriptor_turns_its_knob_over() -> None:
    moved = np.zeros((2, 5, 2, 2))
    moved[0, :, :, 1] = -OFFSETS[:, None]
    first, second = name_knobs(moved, OFFSETS, (0.6, 0.2), ("loudness", "brightness"))
    assert (first.name, first.sign, first.reach) == ("brightness", -1, 2.0)
    assert first.correlation == pytest.approx(1.0) and first.explained == 0.6
    assert (second.name, second.descriptor, second.correlation) == ("latent 2", "", 0.0)


def test_usage_and_directions_are_those_of_the_svd() -> None:
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((3, 4)) * np.array([[2.0], [1.0], [0.3]])
    z = np.concatenate([rng.standard_normal((5000, 3)) @ mix, np.full((5000, 1), 0.5)], axis=1)
    found = usage(z, 0.1)
    _, s, rows = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    shares = s**2 / np.sum(s**2)
    np.testing.assert_allclose(found.explained, shares, atol=1e-9)
    assert found.effective_rank == pytest.approx(np.exp(entropy(shares)), rel=1e-6)
    assert found.active == 4 and found.variance[4] == 0.0
    capacity = np.sum(0.5 * np.log2(1 + s**2 / (len(z) - 1) / 0.01))
    assert found.bits == pytest.approx(capacity, rel=1e-6)
    directions, deviations = principal(z, 2)
    np.testing.assert_allclose(np.abs(np.sum(directions * rows[:2], axis=1)), 1.0, atol=1e-6)
    np.testing.assert_allclose(deviations, s[:2] / np.sqrt(len(z) - 1), rtol=1e-6)
