"""Masks that cannot whistle: smooth, causal, steady; and the window that leaves them whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realtime.dsp.windows import asymmetric_windows
from realtime.errors import ConfigError
from realtime.models.card import Spectrum
from realtime.proof.listener.lines import off_grid
from train.networks.clean_mask import FRAMES, Mask, Soften, Steady, limited, minimum_phase
from train.networks.frames import FrameTransform

BINS = 513
STEEP = FrameTransform(1024, 256, 128, Spectrum(1024, 256, "steep_hann").fall)


def rough(seed: int, deviation_db: float) -> torch.Tensor:
    """Log gains of every bin, each a number of its own ``[1, 1, bins]``."""
    torch.manual_seed(seed)
    return limited(deviation_db / 8.686 * torch.randn(1, 1, BINS))


@pytest.mark.parametrize("fall", [1, 16, 128])
def test_windows_of_any_fall_reconstruct(fall: int) -> None:
    analysis, synthesis = asymmetric_windows(1024, 256, 128, fall)
    product = analysis[-256:].astype(np.float64) * synthesis
    assert np.abs(product[:128] + product[128:] - 1.0).max() < 1e-6
    assert (analysis[1024 - 256 : 1024 - fall] > 0.85).all()
    with pytest.raises(ConfigError, match="fall must be 1 to 128"):
        asymmetric_windows(1024, 256, 128, 200)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hz", [82.4, 220.0, 440.0, 987.8])
def test_no_fixed_mask_however_rough_makes_a_line(seed: int, hz: float) -> None:
    x = 0.1 * torch.sin(2 * torch.pi * hz * torch.arange(256 * 128) / 48000)[None]
    frames = STEEP.forward(x)
    mask = Mask(torch.eye(BINS))
    y = STEEP.inverse(mask(frames, rough(seed, 12.0).expand(1, frames.shape[2], BINS)))
    assert off_grid(y[0, -24000:].numpy(), 48000, [hz]).line_db < -45


def test_the_usual_mask_on_the_usual_window_does() -> None:
    x = 0.1 * torch.sin(2 * torch.pi * 440 * torch.arange(256 * 128) / 48000)[None]
    plain = FrameTransform(1024, 256, 128)
    jagged = plain.forward(x) * torch.exp(rough(0, 12.0))[:, None]
    assert off_grid(plain.inverse(jagged)[0, -24000:].numpy(), 48000, [440]).line_db > -35


def test_a_mask_of_one_number_is_that_gain_and_a_smooth_one_itself() -> None:
    x = torch.randn(1, 2, 3, BINS)
    mask = Mask(torch.eye(BINS))
    flat = mask(x, torch.full((1, 3, BINS), -0.7))
    assert torch.allclose(flat, x * np.exp(-0.7), atol=1e-5)
    shape = 1.5 * torch.cos(torch.arange(BINS) * 2 * torch.pi * 6 / 1024)  # a cepstrum of one line
    y = mask(x, shape.expand(1, 3, BINS))
    gain = torch.linalg.norm(y, dim=1) / torch.linalg.norm(x, dim=1)
    assert torch.allclose(gain.log()[0, 0], shape, atol=0.03)


def test_the_impulse_response_is_causal_and_short() -> None:
    size, turn = minimum_phase(BINS)
    log_gain = rough(1, 12.0)[0, 0]
    response = torch.fft.irfft(torch.polar(torch.exp(log_gain @ size), log_gain @ turn))
    energy = response.square()
    assert energy[512:].sum() < 1e-7 * energy.sum()  # what lies before time zero
    assert energy[:256].sum() > 0.999 * energy.sum()


def test_steady_means_forget_where_they_are_told_and_stream_as_they_are() -> None:
    steady = Steady(3)
    values, none = torch.randn(2, 90, 3), [torch.zeros(2, *s) for s in steady.state_shapes]
    forget = torch.zeros(2, 90, 1)
    at = 90 - FRAMES // 2
    forget[:, at] = 30.0
    whole = steady(values, forget, *none)[0]
    assert torch.allclose(whole[:, at], values[:, at], atol=1e-4)
    assert not torch.allclose(whole[:, at - 1], values[:, at - 1], atol=0.1)
    ages = torch.sin(torch.pi * (torch.arange(FRAMES) + 0.5) / FRAMES).square()
    ages[: FRAMES // 2] = 0.0
    expected = (values[:, 90 - FRAMES : 90] * (ages / ages.sum())[None, :, None]).sum(dim=1)
    assert torch.allclose(whole[:, 89], expected, atol=1e-5)
    parts, states = [], none
    for t in range(90):
        y, *states = steady(values[:, t : t + 1], forget[:, t : t + 1], *states)
        parts.append(y)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-6)


def test_a_softened_frame_is_the_frame_of_the_long_window() -> None:
    """A loud low tone leaks 50 dB further down after it, as through the usual window."""
    t = torch.arange(40 * 128) / 48000
    x = torch.sin(2 * torch.pi * 100 * t)[None]
    frames = STEEP.forward(x)
    soft = Soften(BINS, 128)(frames)
    usual = FrameTransform(1024, 256, 128).forward(x)
    bins = slice(100, 400)
    leak = [f[0, :, -1, bins].square().sum(0).mean().log10() * 10 for f in (frames, soft, usual)]
    assert leak[1] < leak[0] - 15
    loud = slice(1, 6)
    off = torch.linalg.norm(soft[..., -1, loud] - usual[..., -1, loud])
    assert off < 0.12 * torch.linalg.norm(usual[..., -1, loud])
