"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

Vyas et al., SOAP: Improving and stabilizing Shampoo using Adam (arXiv 2409.11321, 2024).  For
networks of small matrices the turns cost next to nothing, and a step is worth two of Adam's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

BETAS = (0.95, 0.95)
EVERY = 10  # steps between two looks at the basis
EPS = 1e-8


class Soap(torch.optim.Optimizer):
    """Weights of one shape are turned together, each as a matrix of its first axis by the others.

    Parameters
    ----------
    parameters : iterable of Parameter
        The first step measures their gradients and moves nothing.
    lr : float
        In a group's ``lr``, as torch's schedules set it.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        shapes: dict[torch.Size, list[nn.Parameter]] = {}
        for p in parameters:
            shapes.setdefault(p.shape, []).append(p)
        super().__init__([{"params": group} for group in shapes.values()], {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all weights; one without a gradient has one of zero."""
        for group in self.param_groups:
            weights: list[nn.Parameter] = group["params"]
            rows = [p.grad if p.grad is not None else torch.zeros_like(p) for p in weights]
            g = torch.stack([r.reshape(len(r), -1) for r in rows])
            state = self.state[weights[0]]
            if not state:
                state |= {"step": 0, "mean": torch.zeros_like(g), "square": torch.zeros_like(g)}
                for side, power in (("left", g @ g.mT), ("right", g.mT @ g)):
                    if power.shape[1] > 1:
                        state[side] = power
                        state[f"{side}_basis"] = torch.linalg.eigh(power)[1]
                continue
            state["step"] += 1
            mean, square, count = state["mean"], state["square"], state["step"]
            mean.lerp_(g, 1 - BETAS[0])
            square.lerp_(_turned(g, state).square(), 1 - BETAS[1])
            up = _turned(mean, state) / (1 - BETAS[0] ** count)
            up /= (square / (1 - BETAS[1] ** count)).sqrt() + EPS
            for p, u in zip(weights, _back(up, state), strict=True):
                p.add_(u.reshape(p.shape), alpha=-group["lr"])
            for side, power in (("left", g @ g.mT), ("right", g.mT @ g)):
                if side in state:
                    state[side].lerp_(power, 1 - BETAS[1])
                    if count % EVERY == 0:
                        turned = state[side] @ state[f"{side}_basis"]
                        state[f"{side}_basis"] = torch.linalg.qr(turned)[0]


def _turned(x: Tensor, state: dict[str, Any]) -> Tensor:
    if "left" in state:
        x = state["left_basis"].mT @ x
    return x @ state["right_basis"] if "right" in state else x


def _back(x: Tensor, state: dict[str, Any]) -> Tensor:
    if "left" in state:
        x = state["left_basis"] @ x
    return x @ state["right_basis"].mT if "right" in state else x
