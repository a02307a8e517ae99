from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from realtime.dsp.fft import irfft, rfft, twiddles

SIZES = [2**k for k in range(4, 13)]


def transform(x: np.ndarray) -> np.ndarray:
    n = len(x)
    re, im = np.full((2, n // 2 + 1), np.nan, dtype=np.float32)
    rfft(x, re, im, np.full((4, n // 2), np.nan, dtype=np.float32), twiddles(n))
    return re + 1j * im


def inverse(spectrum: np.ndarray) -> np.ndarray:
    n = 2 * (len(spectrum) - 1)
    x = np.full(n, np.nan, dtype=np.float32)
    re, im = (np.ascontiguousarray(p, dtype=np.float32) for p in (spectrum.real, spectrum.imag))
    irfft(re, im, x, np.full((4, n // 2), np.nan, dtype=np.float32), twiddles(n))
    return x


@pytest.mark.parametrize("n", SIZES)
def test_forward_transform_equals_scipy(n: int) -> None:
    x = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    expected = scipy.fft.rfft(x.astype(np.float64))
    assert np.abs(transform(x) - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("n", SIZES)
def test_inverse_transform_equals_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    spectrum = rng.standard_normal(n // 2 + 1) + 1j * rng.standard_normal(n // 2 + 1)
    expected = scipy.fft.irfft(spectrum, n)
    assert np.abs(inverse(spectrum) - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("n", SIZES)
def test_inverse_undoes_forward(n: int) -> None:
    x = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    assert np.abs(inverse(transform(x)) - x).max() <= 1e-6 * np.abs(x).max()


@pytest.mark.parametrize("n", SIZES)
def test_every_bin_lies_where_a_complex_exponential_puts_it(n: int) -> None:
    for k in range(0, n // 2 + 1, max(1, n // 64)):
        tone = np.cos(2 * np.pi * k * np.arange(n) / n).astype(np.float32)
        found = np.abs(transform(tone))
        assert found.argmax() == k
        assert found[k] == pytest.approx(n if k in (0, n // 2) else n / 2, rel=1e-5)


def test_imaginary_parts_of_first_and_last_bin_are_ignored() -> None:
    spectrum = np.zeros(33, dtype=complex)
    spectrum[5] = 1 + 2j
    clean = inverse(spectrum)
    spectrum[0] = 7j
    spectrum[-1] = -3j
    assert np.array_equal(inverse(spectrum), clean)
