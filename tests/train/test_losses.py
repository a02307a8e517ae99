"""Losses against values worked out by hand and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from train.losses import RESOLUTIONS, esr, magnitudes, pre_emphasis, stft_distance


def test_esr_by_hand() -> None:
    target = torch.tensor([[1.0, 2.0, 2.0]])  # power 9
    y = torch.tensor([[1.0, 1.0, 3.0]])  # errors 0, 1, 1
    assert float(esr(y, target)) == pytest.approx(2 / 9)
    assert float(esr(target, target)) == 0.0
    assert float(esr(torch.zeros(1, 3), target)) == pytest.approx(1.0)


def test_pre_emphasis_by_hand() -> None:
    x = torch.tensor([[1.0, 2.0, 4.0]])
    torch.testing.assert_close(pre_emphasis(x, 0.5), torch.tensor([[1.5, 3.0]]))


def test_magnitudes_equal_numpys() -> None:
    n_fft, hop = 256, 64
    x = np.random.default_rng(0).standard_normal(2048)
    padded = np.pad(x, n_fft // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    starts = range(0, len(padded) - n_fft + 1, hop)
    expected = np.stack([np.abs(np.fft.rfft(window * padded[s : s + n_fft])) for s in starts], 1)
    got = magnitudes(torch.from_numpy(x)[None], n_fft, hop)[0].numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=4e-4)  # the floor is 1e-7 in power


def test_distance_of_a_halved_signal_by_hand() -> None:
    """All magnitudes halve: convergence 1/2, log difference ln 2."""
    x = torch.randn(2, 48000, generator=torch.Generator().manual_seed(1))
    assert float(stft_distance(0.5 * x, x)) == pytest.approx(0.5 + np.log(2), abs=1e-3)
    assert float(stft_distance(x, x)) == 0.0


def test_distance_is_the_mean_over_resolutions() -> None:
    generator = torch.Generator().manual_seed(2)
    y, t = torch.randn(2, 1, 9600, generator=generator)
    single = [float(stft_distance(y, t, (r,))) for r in RESOLUTIONS]
    assert float(stft_distance(y, t)) == pytest.approx(np.mean(single), rel=1e-6)


def test_gradients_are_finite_on_silence() -> None:
    y = torch.zeros(1, 4096, requires_grad=True)
    target = torch.zeros(1, 4096)
    (stft_distance(y, target) + esr(y, target)).backward()
    assert y.grad is not None and torch.isfinite(y.grad).all()
