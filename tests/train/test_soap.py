"""The optimiser: Adam where nothing can be turned, the same whichever way the weights lie."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from train.fit.soap import BETAS, EPS, Soap  # noqa: E402


def test_numbers_move_as_adam_moves_them() -> None:
    mine, theirs = (torch.nn.Parameter(torch.tensor([[2.0]])) for _ in range(2))
    soap = Soap([mine], 0.1)
    adam = torch.optim.Adam([theirs], 0.1, BETAS, EPS)
    (mine**4).sum().backward()
    soap.step()  # it looks
    assert mine.item() == 2.0
    for _ in range(30):
        for weight, optimiser in ((mine, soap), (theirs, adam)):
            optimiser.zero_grad()
            (weight**4).sum().backward()
            optimiser.step()
        assert mine.item() == pytest.approx(theirs.item(), rel=1e-4)


def test_turned_weights_take_the_turned_way() -> None:
    """Adam's steps depend on the axes."""
    torch.manual_seed(0)
    q, r = (torch.linalg.qr(torch.randn(n, n, dtype=torch.float64))[0] for n in (5, 5))
    target = torch.randn(5, 5, dtype=torch.float64)
    scale = torch.logspace(-2, 1, 25, dtype=torch.float64).reshape(5, 5)
    first = torch.randn(5, 5, dtype=torch.float64)

    def loss(w: torch.Tensor) -> torch.Tensor:
        return (scale * (w - target)).square().sum() + (w @ w.T).square().sum() * 0.01

    def apart(optimiser: type[torch.optim.Optimizer]) -> float:
        plain = torch.nn.Parameter(first.clone())
        turned = torch.nn.Parameter(q @ first @ r)
        ways = (
            (plain, optimiser([plain], lr=0.05), loss),
            (turned, optimiser([turned], lr=0.05), lambda w: loss(q.T @ w @ r.T)),
        )
        for _ in range(40):
            for weight, one, cost in ways:
                one.zero_grad()
                cost(weight).backward()
                one.step()
        assert loss(plain) < 0.2 * loss(first)
        return (q @ plain @ r - turned).abs().max().item()

    assert apart(Soap) < 2e-3  # what rounding leaves of the first gradient's basis
    assert apart(torch.optim.Adam) > 0.1


def test_it_goes_on_where_it_was_kept_and_weights_without_a_gradient_stay() -> None:
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv1d(2, 4, 3), torch.nn.Conv1d(4, 4, 3))
    idle = torch.nn.Parameter(torch.ones(4, 4, 3))
    x = torch.randn(3, 2, 20)

    def train(net: torch.nn.Module, soap: Soap, steps: int) -> None:
        for _ in range(steps):
            soap.zero_grad()
            (net(x) - 1).square().mean().backward()
            soap.step()

    soap = Soap([*net.parameters(), idle], 0.01)
    train(net, soap, 13)
    other, beside = copy.deepcopy(net), torch.nn.Parameter(idle.detach().clone())
    again = Soap([*other.parameters(), beside], 0.01)
    again.load_state_dict(copy.deepcopy(soap.state_dict()))
    train(net, soap, 12)
    train(other, again, 12)
    assert torch.equal(idle, torch.ones(4, 4, 3))
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
