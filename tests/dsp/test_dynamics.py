from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from realtime.dsp.dynamics import db_to_gain, gain_to_db, limit, ramp_gain, scrub

from ..signals import noise

RELEASE = 1.0 - np.exp(-1.0 / (0.08 * 48000))
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=FINITE),
    st.floats(0.0, 1.0),
)
def test_limited_output_never_exceeds_full_scale(x: np.ndarray, gain: float) -> None:
    y = x.copy()
    after, _ = limit(y, gain, RELEASE)
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1.0
    assert 0.0 <= after <= 1.0


@pytest.mark.parametrize("level", [1.0001, 2.0, 1e10, 1e30, 3.4e38])
def test_huge_samples_come_out_at_full_scale(level: float) -> None:
    x = np.array([[0.1, level, -level, 0.1]], dtype=np.float32)
    limit(x, 1.0, RELEASE)
    assert x[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert x[0, 2] == pytest.approx(-1.0, abs=1e-6)
    assert np.abs(x).max() <= 1.0


@settings(deadline=None, derandomize=True, max_examples=100)
@given(hnp.arrays(np.float32, (2, 50), elements=st.floats(-1.0, 1.0, width=32)))
def test_sound_below_full_scale_passes_bit_for_bit(x: np.ndarray) -> None:
    y = x.copy()
    gain, touched = limit(y, 1.0, RELEASE)
    assert np.array_equal(y.view(np.int32), x.view(np.int32))
    assert (gain, touched) == (1.0, 0)


def test_channels_are_limited_together() -> None:
    x = np.array([[0.5], [4.0]], dtype=np.float32)
    limit(x, 1.0, RELEASE)
    assert x[0, 0] == pytest.approx(0.125)
    assert x[1, 0] == 1.0


def test_gain_returns_exponentially_as_the_formula_says() -> None:
    x = np.full((1, 40000), 0.01, dtype=np.float32)
    x[0, 0] = 4.0
    limit(x, 1.0, RELEASE)
    n = np.arange(1, 40000)
    expected = 1.0 - (1.0 - 0.25) * np.exp(-n / (0.08 * 48000))
    inside = expected < 0.9998
    assert np.allclose(x[0, 1:][inside] / 0.01, expected[inside], rtol=1e-5)
    assert np.array_equal(x[0, -100:], np.full(100, 0.01, dtype=np.float32))


def test_limiting_in_blocks_equals_limiting_at_once() -> None:
    x = noise(3000, level=3.0)
    whole, parts, gain = x.copy(), x.copy(), 1.0
    limit(whole, 1.0, RELEASE)
    for start in range(0, 3000, 77):
        gain, _ = limit(parts[:, start : start + 77], gain, RELEASE)
    assert np.array_equal(whole, parts)


def test_scrubbing_silences_and_counts_what_is_not_finite() -> None:
    x = np.array([[1.0, np.nan, -np.inf], [np.inf, -2.0, 1e38]], dtype=np.float32)
    assert scrub(x) == 3
    assert np.array_equal(x, np.array([[1, 0, 0], [0, -2, 1e38]], dtype=np.float32))


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.25), (2.0, 2.0), (0.0, 0.0)])
def test_gain_ramps_equal_numpy(start: float, end: float) -> None:
    x = noise(64, channels=2)
    y = x.copy()
    ramp_gain(y, start, end)
    gains = np.linspace(start, end, 65)[1:].astype(np.float32)
    assert np.allclose(y, x * gains, rtol=1e-6, atol=0.0)


def test_unity_gain_changes_no_bit() -> None:
    x = noise(64)
    y = x.copy()
    ramp_gain(y, 1.0, 1.0)
    assert np.array_equal(x, y)


def test_decibels_and_gains_convert_both_ways() -> None:
    assert db_to_gain(-20.0) == pytest.approx(0.1)
    assert gain_to_db(0.1) == pytest.approx(-20.0)
    assert gain_to_db(0.0) == -120.0
