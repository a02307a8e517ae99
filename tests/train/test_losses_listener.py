"""The listener's loss: nothing for what is clean, its size for what is known."""

from __future__ import annotations

import numpy as np
import torch

from train.losses.listener import CLEAN, LENGTH, disturbed, objection
from train.losses.listener import test_rows as steady

N = 40960
T = torch.arange(N) / 48000


def rows(count: int, seed: int = 0) -> torch.Tensor:
    return steady(count, N, np.random.default_rng(seed))


def test_doing_nothing_filtering_and_attenuating_are_not_objected_to() -> None:
    x = rows(9)
    filtered = torch.nn.functional.conv1d(
        torch.nn.functional.pad(x[:, None], (64, 0)), torch.randn(1, 1, 65) * 0.05
    )[:, 0]
    for y in (x, 0.1 * x, filtered):
        assert objection(y[:, :], x) < 0.5


def test_a_line_costs_its_distance_from_clean() -> None:
    x = rows(2)
    y = x + x * (0.06 * torch.cos(2 * torch.pi * 375 * T))
    level = 20 * np.log10(0.03) + 3.01  # two side bands
    assert abs(float(objection(y, x)) - (level - CLEAN)) < 2.0


def test_louder_hiss_costs_what_it_is_louder() -> None:
    x = 1e-4 * torch.randn(1, N)
    assert abs(float(objection(4 * x, x)) - 12.04) < 0.1
    assert float(objection(0.2 * x, x)) == 0.0


def test_a_tone_of_an_offset_is_objected_to() -> None:
    x = torch.full((1, N), 1e-3)
    y = x + 1e-3 * torch.sin(2 * torch.pi * 375 * T)
    assert float(objection(y, x)) > 40


def test_test_rows_are_steady_and_seeded() -> None:
    x = rows(6)
    assert x.shape == (6, N) and torch.equal(x, rows(6)) and not torch.equal(x, rows(6, 1))
    halves = x[:, : N // 2].square().mean(dim=1) / x[:, N // 2 :].square().mean(dim=1)
    assert ((halves > 0.8) & (halves < 1.25)).all()
    assert LENGTH < N


def test_disturbances_are_faint_and_on_some_rows() -> None:
    x = torch.zeros(40, 4096)
    y = disturbed(x, np.random.default_rng(0))
    some = y.abs().amax(dim=1) > 0
    assert 8 < int(some.sum()) < 32
    assert y.abs().max() < 0.1
