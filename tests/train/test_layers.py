"""Layers and networks: streaming equals offline, causality, rewind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from train.networks.bands import band_centres, spread_matrix
from train.networks.frame_tcn import FrameTCN
from train.networks.latent import LatentNet
from train.networks.layers import CausalConv, FrameNorm, GatedBlock, Streamable, blend_weights
from train.networks.noise import LENGTH, STRIDE, NoiseTable
from train.networks.time_frequency_cnn import HEADS, TimeFrequencyCNN
from train.networks.waveform_tcn import WaveformTCN

CASES = {
    "tcn": (lambda: WaveformTCN(6, 4, (1, 3, 9)), (2, 1, 96)),
    "blend": (lambda: WaveformTCN(6, 4, (1, 3, 9), n_controls=3), (2, 1, 96)),
    "frame": (lambda: FrameTCN(17, 12, (1, 2, 4), narrow=6, wide=4), (2, 2, 24, 17)),
    "full": (
        lambda: FrameTCN(33, 12, (1, 2), narrow=9, wide=6, noise=True, n_controls=3),
        (2, 2, 24, 33),
    ),
    "breath": (
        lambda: FrameTCN(17, 12, (1, 2), narrow=6, wide=4, noise=True, dry=False),
        (2, 2, 24, 17),
    ),
    "latent": (
        lambda: LatentNet(
            33, 1, 5, 1, inner=8, outer=12, hears=(1, 2), remembers=(1, 2, 4), bands=(4, 4, 3)
        ),
        (2, 2, 24, 33),
    ),
    **{
        head: (lambda head=head: TimeFrequencyCNN(33, 6, head, (1, 2)), (2, 2, 24, 33))
        for head in HEADS
    },
}
CONTROLS = torch.tensor([[0.2, 0.5, 0.3]])


def build(name: str) -> tuple[Streamable, Tensor]:
    """A seeded network whose heads are not near zero, and an input for it."""
    torch.manual_seed(3)
    make, shape = CASES[name]
    network = make().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return network, torch.randn(shape)


def stream(network: Streamable, x: Tensor, cuts: list[int]) -> Tensor:
    states, parts = network.initial_state(x.shape[0]), []
    for start, end in zip([0, *cuts], [*cuts, x.shape[2]], strict=True):
        y, states = network.step(x[:, :, start:end], states, CONTROLS)
        parts.append(y)
    return torch.cat(parts, dim=2)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cuts", [[1], [1, 2, 3, 9], [5, 6, 20, 21], list(range(1, 24))])
def test_any_partition_gives_the_offline_result(name: str, cuts: list[int]) -> None:
    network, x = build(name)
    with torch.no_grad():
        whole, parts = network.offline(x, controls=CONTROLS), stream(network, x, cuts)
    assert (whole - parts).abs().max() <= 1e-6 * whole.abs().max()


@pytest.mark.parametrize("name", CASES)
def test_rewind_is_bit_exact(name: str) -> None:
    network, x = build(name)
    with torch.no_grad():
        _, states = network.step(x[:, :, :8], network.initial_state(2), CONTROLS)
        saved = [s.clone() for s in states]
        first, ends = network.step(x[:, :, 8:], states, CONTROLS)
        again, ends_again = network.step(x[:, :, 8:], saved, CONTROLS)
    assert torch.equal(first, again)
    assert all(torch.equal(a, b) for a, b in zip(ends, ends_again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(states, saved, strict=True)), "input was changed"


@pytest.mark.parametrize("name", CASES)
def test_output_has_no_gradient_from_the_future(name: str) -> None:
    network, x = build(name)
    x.requires_grad_(True)
    at = x.shape[2] // 2
    y = network.offline(x, controls=CONTROLS)
    (gradient,) = torch.autograd.grad(y[:, :, at].square().sum(), x)
    assert torch.count_nonzero(gradient[:, :, at + 1 :]) == 0
    assert torch.count_nonzero(gradient[:, :, at]) > 0
    assert torch.count_nonzero(gradient[:, :, :at]) > 0


def test_the_receptive_field_is_the_declared_one() -> None:
    network = WaveformTCN(4, 3, (1, 4))
    x = torch.randn(1, 1, 64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network.offline(x)[0, 0, 40], x)
    heard = torch.nonzero(gradient[0, 0]).flatten()
    assert network.receptive_field == 1 + 2 * 5
    assert (int(heard[0]), int(heard[-1])) == (40 - network.receptive_field + 1, 40)


def test_causal_conv_is_torchs_convolution_after_left_padding() -> None:
    torch.manual_seed(0)
    layer = CausalConv(3, 5, 4, dilation=2)
    x = torch.randn(2, 3, 30)
    y, state = layer(x, torch.zeros(2, *layer.state_shape))
    expected = nn.functional.conv1d(
        nn.functional.pad(x, (6, 0)), layer.conv.weight, layer.conv.bias, dilation=2
    )
    assert torch.equal(y, expected)
    assert torch.equal(state, x[:, :, -6:])


def test_state_longer_than_the_step_keeps_older_samples() -> None:
    layer = CausalConv(1, 1, 9)
    old = torch.arange(8.0).reshape(1, 1, 8)
    _, state = layer(torch.full((1, 1, 3), 99.0), old)
    assert state.flatten().tolist() == [3, 4, 5, 6, 7, 99, 99, 99]


def test_frame_norm_gives_unit_rms_and_is_safe_on_silence() -> None:
    norm = FrameNorm(8)
    y = norm(5.0 * torch.randn(2, 6, 8))
    assert torch.allclose(y.square().mean(dim=2), torch.ones(2, 6), atol=1e-3)
    assert torch.equal(norm(torch.zeros(1, 2, 8)), torch.zeros(1, 2, 8))


def test_gated_block_is_torchs_dilated_convolution() -> None:
    torch.manual_seed(1)
    block = GatedBlock(4, dilation=3)
    x = torch.randn(2, 11, 4)
    y, state = block(x, torch.zeros(2, *block.state_shape))
    h = block.norm(x)
    weight = torch.stack(block.mix.weight.split(4, dim=1), dim=2)  # older tap first
    padded = nn.functional.pad(h.transpose(1, 2), (3, 0))
    expected = nn.functional.conv1d(padded, weight, block.mix.bias, dilation=3)
    assert torch.allclose(y, x + nn.functional.glu(expected, dim=1).transpose(1, 2), atol=1e-6)
    assert torch.equal(state, h[:, -3:])


def test_blend_weights_are_a_mixture_whatever_is_asked() -> None:
    asked = torch.tensor([[1.0, 0.0], [3.0, 1.0], [-5.0, 2.0], [0.0, 0.0]])
    got = blend_weights(asked)
    expected = torch.tensor([[1.0, 0.0], [0.75, 0.25], [0.0, 1.0], [0.5, 0.5]])
    assert torch.allclose(got, expected, atol=2e-6)


def test_bands_interpolate_linearly_and_reach_both_ends() -> None:
    bins, narrow, wide = 1025, 192, 64
    centres = np.array(band_centres(bins, narrow, wide))
    assert len(centres) == narrow + wide
    assert centres[0] == 0 and centres[-1] == bins - 1
    assert np.all(np.diff(centres) > 0) and np.all(np.diff(np.diff(centres)) > -1e-6)
    values = np.random.default_rng(0).standard_normal(wide + 1)
    expected = np.interp(np.arange(narrow, bins), centres[narrow - 1 :], values)
    got = values @ spread_matrix(bins, narrow, wide).double().numpy()
    assert np.abs(got - expected).max() < 1e-5


def test_noise_is_white_unit_and_streams() -> None:
    noise = NoiseTable(129)
    frames = torch.zeros(1, 400, 3)
    with torch.no_grad():
        whole, end = noise(frames, torch.zeros(1, 1))
        first, state = noise(frames[:, :123], torch.zeros(1, 1))
        second, last = noise(frames[:, 123:], state)
    assert torch.equal(whole, torch.cat([first, second], dim=2))
    assert torch.equal(end, last)
    phasors = torch.complex(whole[0, 0], whole[0, 1])
    assert torch.allclose(phasors.abs(), torch.ones(400, 129), atol=1e-6)
    assert phasors.mean().abs() < 0.02
    for lag in (1, 2, 7):
        assert (phasors[lag:] * phasors[:-lag].conj()).mean().abs() < 0.02
        assert (phasors[:, lag:] * phasors[:, :-lag].conj()).mean().abs() < 0.02


def test_the_noise_counter_stays_exact_over_a_long_time() -> None:
    noise = NoiseTable(5)
    state = torch.tensor([[float(LENGTH - 1)]])
    with torch.no_grad():
        for _ in range(3):
            _, state = noise(torch.zeros(1, 10_000, 1), state)
    assert state.item() == (LENGTH - 1 + 30_000 * STRIDE) % LENGTH


@pytest.mark.parametrize("name", CASES)
def test_silence_stays_finite(name: str) -> None:
    network, x = build(name)
    with torch.no_grad():
        y = network.offline(torch.zeros_like(x), controls=CONTROLS)
    assert torch.isfinite(y).all()
