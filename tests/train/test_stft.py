"""Batch STFT against a plain NumPy loop, the host's kernels, and its own promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realtime.dsp.fft import twiddles
from realtime.dsp.stft import analyse, synthesise
from realtime.dsp.windows import asymmetric_windows
from train.networks.frames import FrameTransform

GEOMETRIES = [(1024, 256, 128), (512, 128, 64), (256, 256, 64), (64, 32, 8)]


def noise(n: int, channels: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    return 0.3 * torch.randn(channels, n, generator=generator)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_reconstruction_is_perfect_after_the_declared_delay(geometry: tuple[int, int, int]) -> None:
    transform = FrameTransform(*geometry)
    x = noise(40 * geometry[2], 2)
    y = transform.inverse(transform.forward(x))
    assert y.shape == x.shape
    lag = transform.latency
    assert lag == geometry[1] - geometry[2]
    assert (y[:, lag:] - x[:, : x.shape[1] - lag]).abs().max() < 1e-6
    assert y[:, :lag].abs().max() < 1e-6


def test_frame_t_covers_the_newest_samples_up_to_hop_t() -> None:
    n_fft, synthesis, hop = 64, 32, 8
    transform = FrameTransform(n_fft, synthesis, hop)
    x = noise(20 * hop)
    frames = transform.forward(x)
    window, _ = asymmetric_windows(n_fft, synthesis, hop)
    signal = np.concatenate([np.zeros(n_fft), x[0].numpy().astype(np.float64)])
    for t in (0, 3, 19):
        end = n_fft + (t + 1) * hop
        expected = np.fft.rfft(signal[end - n_fft : end] * window)
        got = frames[0, 0, t].numpy() + 1j * frames[0, 1, t].numpy()
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_masked_frames_come_back_as_the_host_plays_them() -> None:
    """The host's own kernels, hop by hop, on frames changed at random."""
    n_fft, synthesis, hop = geometry = (256, 64, 32)
    steps = 24
    transform = FrameTransform(*geometry)
    x = noise(steps * hop)
    mask = torch.rand(steps, n_fft // 2 + 1, generator=torch.Generator().manual_seed(1))
    batch = transform.inverse(transform.forward(x) * mask)[0].numpy()

    window, out_window = asymmetric_windows(*geometry)
    history, ola = np.zeros(n_fft, np.float32), np.zeros(synthesis, np.float32)
    re, im = np.zeros((2, n_fft // 2 + 1), np.float32)
    frame, work = np.zeros(n_fft, np.float32), np.zeros((4, n_fft // 2), np.float32)
    table, live = twiddles(n_fft), np.zeros(steps * hop, np.float32)
    for t in range(steps):
        now = slice(t * hop, (t + 1) * hop)
        analyse(x[0].numpy()[now], history, window, re, im, frame, work, table)
        re *= mask[t].numpy()
        im *= mask[t].numpy()
        synthesise(re, im, ola, out_window, live[now], frame, work, table)
    np.testing.assert_allclose(batch, live, atol=1e-6)


def test_what_a_real_signal_cannot_hold_is_dropped() -> None:
    """Imaginary parts of the first and last bin vanish, as in NumPy's inverse transform."""
    transform = FrameTransform(64, 32, 8)
    frames = transform.forward(noise(80))
    changed = frames.clone()
    changed[:, 1, :, 0] += 1.0
    changed[:, 1, :, -1] -= 2.0
    assert torch.allclose(transform.inverse(frames), transform.inverse(changed), atol=1e-6)
