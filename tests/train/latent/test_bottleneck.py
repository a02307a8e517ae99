"""What may pass beside the latent, and what may not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from train.latent.baseline import EnvelopePCA
from train.losses import stft_distance
from train.networks.bands import spread_matrix
from train.networks.envelope import QUIETEST, Envelope, hat_matrix
from train.networks.frames import FrameTransform
from train.networks.latent import FLOOR, LEVEL_SCALE, LatentNet

from ..tiny import plucked

BINS = 513


def network(styles: int = 2, knobs: int = 2) -> LatentNet:
    torch.manual_seed(5)
    net = LatentNet(
        BINS, styles, 6, knobs, inner=8, outer=12, hears=(1, 2), remembers=(1, 2, 4)
    ).eval()
    with torch.no_grad():
        net.decode.weight.normal_(std=0.1)
    return net


def frames(seed: int = 0, steps: int = 16) -> Tensor:
    return torch.randn(1, 2, steps, BINS, generator=torch.Generator().manual_seed(seed))


def remembered(net: LatentNet) -> list[Tensor]:
    """The encoder's part of the states."""
    return net.initial_state(1)[: len(net.encoder)]


def db(a: Tensor, b: Tensor) -> Tensor:
    return 10 * torch.log10(a / b)


def held(net: LatentNet, x: Tensor, z: Tensor, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """The network's output with its latent nailed to `z`."""
    monkeypatch.setattr(net, "encode", lambda power, level, old: (z, remembered(net)))
    y = net.offline(x, controls=torch.eye(net.n_controls)[:1])
    monkeypatch.undo()
    return y.square().sum(dim=1)


def test_no_band_level_passes_beside_the_latent(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = network(), frames()
    power = x.square().sum(dim=1)
    level = power.mean(dim=2, keepdim=True) + FLOOR
    z = net.encode(power, level, remembered(net))[0].detach()
    with torch.no_grad():
        before = held(net, x, z, monkeypatch)
        slope = torch.linspace(-2.0, 2.0, BINS).exp()  # 35 dB from one end to the other
        tilted = held(net, 10.0 * slope * x, z, monkeypatch)
    pool = net.envelope.pool
    assert db((10.0 * slope * x).square().sum(dim=1) @ pool, power @ pool).std() > 9.0
    assert db(tilted @ pool, before @ pool).abs().max() < 1.0


def test_the_carrier_keeps_phase_and_fine_structure() -> None:
    envelope, x = Envelope(BINS), frames(1)
    power = x.square().sum(dim=1)
    floor = QUIETEST * power.mean(dim=2, keepdim=True) + FLOOR
    carrier, relief = envelope.carrier(x, power, floor)
    phase = [torch.atan2(v[:, 1], v[:, 0]) for v in (carrier, x)]
    torch.testing.assert_close(phase[0], phase[1], atol=1e-4, rtol=0)
    torch.testing.assert_close(relief.exp(), carrier.square().sum(dim=1), atol=1e-4, rtol=1e-4)
    mean = carrier.square().sum(dim=1) @ envelope.pool
    assert mean.min() > 0.2 and mean.max() < 2.0, "no band far from unit power"


def test_hats_are_a_partition_and_agree_with_the_bands_of_the_frame_tcn() -> None:
    centres = [float(k) for k in range(9)] + [12.0, 18.0, 32.0]
    matrix = hat_matrix(33, centres)
    torch.testing.assert_close(matrix.sum(dim=0), torch.ones(33))
    assert (matrix >= 0).all() and torch.equal(matrix[:9, :9], torch.eye(9))
    assert Envelope(BINS).bands == 40 and spread_matrix(33, 9, 6).shape == (7, 24)


def test_a_knob_adds_its_direction_and_match_brings_the_styles_statistics() -> None:
    net = network()
    z = torch.randn(1, 50, 6)
    weights = torch.tensor([[0.25, 0.75]])
    torch.testing.assert_close(net.adjust(z, weights, torch.zeros(1, 3)), z)
    net.directions.copy_(torch.randn(2, 6))
    moved = net.adjust(z, weights, torch.tensor([[0.5, -1.0, 0.0]]))
    torch.testing.assert_close(
        moved - z, (0.5 * net.directions[0] - net.directions[1]).expand_as(z)
    )
    net.mean.copy_(z.mean(dim=(0, 1)))
    net.scale.copy_(z.std(dim=(0, 1)))
    net.style_mean.copy_(torch.randn(2, 6))
    net.style_scale.copy_(torch.rand(2, 6) + 0.5)
    there = net.adjust(z, torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
    torch.testing.assert_close(there.mean(dim=(0, 1)), net.style_mean[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(there.std(dim=(0, 1)), net.style_scale[1], atol=1e-5, rtol=0)


def test_the_level_passes_as_a_number_and_silence_stays_silent() -> None:
    net, x = network(), frames(2)
    power = x.square().sum(dim=1)
    level = power.mean(dim=2, keepdim=True) + FLOOR
    z, _ = net.encode(power, level, remembered(net))
    louder, _ = net.encode(16 * power, 16 * level, remembered(net))
    step = LEVEL_SCALE * torch.log(torch.tensor(16.0))
    torch.testing.assert_close(louder[..., 0] - z[..., 0], step.expand_as(z[..., 0]))
    silent = net.offline(torch.zeros_like(x), controls=torch.tensor([[1.0, 0, 1, 1, 1]]))
    assert silent.abs().max() == 0.0


def test_all_components_give_the_input_back_and_fewer_less() -> None:
    transform, rng = FrameTransform(1024, 256, 128), np.random.default_rng(0)
    sounds = [plucked(i) + 0.01 * rng.standard_normal(24576).astype("f4") for i in range(3)]
    pca = EnvelopePCA(Envelope(BINS), transform, sounds)
    x = torch.from_numpy(sounds[0][None])
    far = [
        float(stft_distance(torch.from_numpy(pca.play(sounds[0], n)[None]), x))
        for n in (0, 2, 8, 40)
    ]
    assert far == sorted(far, reverse=True) and far[-1] < 0.15 < far[0]
