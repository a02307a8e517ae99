"""Layers and networks: streaming equals offline, causality, rewind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from train.networks.frame_cnn import FrameCNN
from train.networks.layers import CausalConv, FrameNorm, GatedBlock, Streamable
from train.networks.waveform_tcn import WaveformTCN

CASES = {
    "tcn": (lambda: WaveformTCN(6, 4, (1, 3, 9)), (2, 1, 96)),
    "frame": (lambda: FrameCNN(17, 12, (1, 2, 4)), (2, 2, 24, 17)),
}


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
        y, *states = network(x[:, :, start:end], *states)
        parts.append(y)
    return torch.cat(parts, dim=2)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cuts", [[1], [1, 2, 3, 9], [5, 6, 20, 21], list(range(1, 24))])
def test_any_partition_gives_the_offline_result(name: str, cuts: list[int]) -> None:
    network, x = build(name)
    with torch.no_grad():
        whole, parts = network.offline(x), stream(network, x, cuts)
    assert (whole - parts).abs().max() <= 1e-6 * whole.abs().max()


@pytest.mark.parametrize("name", CASES)
def test_rewind_is_bit_exact(name: str) -> None:
    network, x = build(name)
    with torch.no_grad():
        _, *states = network(x[:, :, :8], *network.initial_state(2))
        saved = [s.clone() for s in states]
        first = network(x[:, :, 8:], *states)
        again = network(x[:, :, 8:], *saved)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(states, saved, strict=True)), "input was changed"


@pytest.mark.parametrize("name", CASES)
def test_output_has_no_gradient_from_the_future(name: str) -> None:
    network, x = build(name)
    x.requires_grad_(True)
    at = x.shape[2] // 2
    y = network.offline(x)
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
    y = norm(5.0 * torch.randn(2, 8, 6))
    assert torch.allclose(y.square().mean(dim=1), torch.ones(2, 6), atol=1e-3)
    assert torch.equal(norm(torch.zeros(1, 8, 2)), torch.zeros(1, 8, 2))


def test_gated_block_starts_as_a_residual_line() -> None:
    block = GatedBlock(4, dilation=2)
    with torch.no_grad():
        block.conv.conv.weight.zero_()
        assert block.conv.conv.bias is not None
        block.conv.conv.bias.zero_()
    x = torch.randn(1, 4, 7)
    assert torch.equal(block(x, torch.zeros(1, *block.state_shape))[0], x)


@pytest.mark.parametrize("name", CASES)
def test_silence_stays_finite(name: str) -> None:
    network, x = build(name)
    with torch.no_grad():
        y = network.offline(torch.zeros_like(x))
    assert torch.isfinite(y).all()
