"""Adversarial losses against values by hand, and their gradients against the formulas."""

from __future__ import annotations

import math

import pytest
import torch

from train.losses.adversarial import (
    GAMES,
    hinge_discriminator,
    lsgan_discriminator,
    mean_matching,
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
    r1_penalty,
)
from train.losses.contrastive import patch_nce

REAL, FAKE = [torch.tensor([2.0, 0.0])], [torch.tensor([-1.0, 1.0])]


def probability(s: float) -> float:
    return 1 / (1 + math.exp(-s))


def test_the_discriminator_raises_the_value_of_the_minimax_game() -> None:
    value = sum(math.log(probability(s)) for s in (2.0, 0.0)) / 2
    value += sum(math.log(1 - probability(s)) for s in (-1.0, 1.0)) / 2
    assert minimax_discriminator(REAL, FAKE).item() == pytest.approx(-value, rel=1e-6)


def test_generators_of_the_minimax_game_by_hand() -> None:
    saturating = sum(math.log(1 - probability(s)) for s in (-1.0, 1.0)) / 2
    other = -sum(math.log(probability(s)) for s in (-1.0, 1.0)) / 2
    assert minimax_generator(FAKE).item() == pytest.approx(saturating, rel=1e-6)
    assert non_saturating_generator(FAKE).item() == pytest.approx(other, rel=1e-6)


def test_hinge_and_least_squares_by_hand() -> None:
    assert hinge_discriminator(REAL, FAKE).item() == pytest.approx((0 + 1) / 2 + (0 + 2) / 2)
    assert lsgan_discriminator(REAL, FAKE).item() == pytest.approx((1 + 1) / 2 + (1 + 1) / 2)


@pytest.mark.parametrize("sure", [-8.0, -20.0])
def test_the_minimax_generator_saturates_and_the_other_does_not(sure: float) -> None:
    slopes = []
    for loss in (minimax_generator, non_saturating_generator):
        s = torch.tensor([sure], requires_grad=True)
        loss([s]).backward()
        slopes.append(s.grad.item())
    assert slopes[0] == pytest.approx(-probability(sure), rel=1e-4)
    assert slopes[1] == pytest.approx(-probability(-sure), rel=1e-4)
    assert abs(slopes[0]) < 1e-3 < 0.999 < abs(slopes[1])


@pytest.mark.parametrize("name", GAMES)
def test_every_generator_wants_higher_scores_and_guessing_costs_what_is_said(name: str) -> None:
    game = GAMES[name]
    s = torch.tensor([game.middle - 0.5, game.middle], requires_grad=True)
    game.generator([s]).backward()
    assert (s.grad < 0).all()
    level = [torch.full((3,), game.middle)]
    assert game.discriminator(level, level).item() == pytest.approx(game.chance, rel=1e-6)
    clear = [torch.tensor([game.middle + 0.4])], [torch.tensor([game.middle - 0.4])]
    assert game.discriminator(*clear) < game.discriminator(clear[1], clear[0])


def test_r1_of_a_quadratic_is_known() -> None:
    """D(x) = mean_p(a_p . x) + |x|^2, so dD/dx = mean_p a_p + 2 x."""
    a = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
    scores = x @ a.T + x.square().sum(dim=1, keepdim=True)  # three patches each
    expected = 0.5 * (a.mean(dim=0) + 2 * x).square().sum(dim=1).mean()
    assert r1_penalty([scores], [x]).item() == pytest.approx(expected.item(), rel=1e-5)


def test_r1_moves_the_weights_towards_a_flat_discriminator() -> None:
    w = torch.tensor([3.0, -4.0], requires_grad=True)
    x = torch.randn(6, 2, requires_grad=True)
    penalty = r1_penalty([(x @ w)[:, None]], [x])
    assert penalty.item() == pytest.approx(12.5, rel=1e-5)
    penalty.backward()
    assert torch.allclose(w.grad, w.detach(), rtol=1e-5)  # d(|w|^2 / 2)/dw = w


def test_matching_of_means_hears_how_much_and_not_where() -> None:
    real = torch.rand(3, 2, 4, 6, generator=torch.Generator().manual_seed(0))
    elsewhere = real.flip(3)[[1, 2, 0]].requires_grad_()
    assert mean_matching([[real]], [[elsewhere]]).item() == pytest.approx(0.0, abs=1e-6)
    other = 1.25 * real
    apart = mean_matching([[real]], [[other]])  # a quarter of every mean, over the mean size
    assert apart.item() == pytest.approx(0.25, rel=1e-3)
    assert mean_matching([[other]], [[real]]).item() == pytest.approx(0.2, rel=1e-3)


def test_contrast_by_hand_and_for_who_knows_nothing() -> None:
    q = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    k = torch.tensor([[[3.0, 0.0], [1.0, 1.0]]])
    h = math.sqrt(0.5)
    rows = [math.log(math.exp(2) + math.exp(2 * h)) - 2, math.log(1 + math.exp(2 * h)) - 2 * h]
    assert patch_nce(q, k, temperature=0.5).item() == pytest.approx(sum(rows) / 2, rel=1e-5)
    same = torch.ones(2, 7, 3)
    assert patch_nce(same, same).item() == pytest.approx(math.log(7), rel=1e-5)
