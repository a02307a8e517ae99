"""Discriminators: what they look at, and that they learn to tell."""

from __future__ import annotations

import pytest
import torch
from torch.optim import AdamW

from realtime.errors import ConfigError
from train.networks.discriminators import (
    Adversary,
    SpectralDiscriminator,
    WaveformDiscriminator,
    spectral_adversary,
    waveform_adversary,
)


@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_each_waveform_discriminator_sees_half_the_rate_of_the_one_before(halvings: int) -> None:
    score, features = WaveformDiscriminator(halvings, channels=4)(torch.randn(3, 4096))
    assert [f.shape[2] for f in features] == [n >> halvings for n in (4096, 1024, 256, 256)]
    assert score.shape == (3, 1, 256 >> halvings)


def test_a_spectral_discriminator_scores_patches() -> None:
    score, features = SpectralDiscriminator(512, 128, channels=4)(torch.randn(3, 4096))
    assert [tuple(f.shape[2:]) for f in features] == [(257, 33), (129, 33), (65, 33), (33, 33)]
    assert score.shape == (3, 1, 33, 33)


@pytest.mark.parametrize("kind", ["hinge", "lsgan"])
@pytest.mark.parametrize("make", [spectral_adversary, waveform_adversary])
def test_an_adversary_learns_to_tell_a_tone_from_noise(make: object, kind: str) -> None:
    torch.manual_seed(0)
    adversary: Adversary = make(channels=4, kind=kind)  # type: ignore[operator]
    assert len(adversary.discriminators) == 3
    optimiser = AdamW(adversary.parameters(), lr=2e-3, betas=(0.5, 0.9))
    tone = 0.3 * torch.sin(torch.arange(4096) * 0.1).expand(4, -1)
    losses = []
    for _ in range(12):
        noise = 0.3 * torch.randn(4, 4096)
        loss = adversary.discriminator_loss(adversary(torch.cat([tone, noise])))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    fooled = [adversary.generator_terms(x, tone)[0].item() for x in (tone, noise)]
    assert fooled[0] < fooled[1], "the generator is better off with the tone"
    assert adversary.generator_terms(tone, tone)[1].item() == 0.0


@pytest.mark.parametrize("make", [spectral_adversary, waveform_adversary])
def test_gradients_are_finite_on_silence(make: object) -> None:
    adversary: Adversary = make(channels=4)  # type: ignore[operator]
    y = torch.zeros(2, 4096, requires_grad=True)
    fooled, features = adversary.generator_terms(y, torch.zeros(2, 4096))
    (fooled + features).backward()
    assert y.grad is not None and torch.isfinite(y.grad).all()


def test_an_unknown_kind_is_one_sentence() -> None:
    with pytest.raises(
        ConfigError,
        match="no adversarial loss 'wgan'; there are hinge, lsgan, non-",
    ):
        Adversary([], kind="wgan")
