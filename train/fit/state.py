"""Everything a run must remember to go on as if it had never stopped."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from ..networks.discriminators import Adversary
from ..networks.layers import Streamable
from ..recipes.base import Recipe, Schedule
from .soap import Soap


@dataclass
class Training:
    """A run between two steps.

    Attributes
    ----------
    network : Streamable
        What the optimiser moves.
    mean : Streamable or None
        Running mean of the weights, where the schedule asks for one; it is what is judged and kept.
    adversary : Adversary or None
        Discriminators, see :mod:`train.networks.discriminators`; `opponent` optimises them.
    draws : numpy.random.Generator
        Source of examples and augmentation, the same in every process.
    step : int
        Steps done.
    minutes : float
        Time spent over all resumes: CPU time, or wall time on a GPU.
    history : list of (step, validation loss)
    copy_loss : float or None
        Validation loss of handing the input through.
    """

    network: Streamable
    mean: Streamable | None
    optimiser: Optimizer
    adversary: Adversary | None
    opponent: Optimizer | None
    draws: np.random.Generator
    step: int = 0
    minutes: float = 0.0
    best: float = math.inf
    history: list[tuple[int, float]] = field(default_factory=list)
    copy_loss: float | None = None

    @property
    def judged(self) -> Streamable:
        """The network that validation hears and that ``best.pt`` keeps."""
        return self.network if self.mean is None else self.mean

    def progress(self, schedule: Schedule) -> float:
        """0 at the beginning, 1 at the end: by steps if they are given, else by minutes."""
        if schedule.steps:
            return self.step / schedule.steps
        return self.minutes / schedule.minutes

    def start(self, prepare: Callable[[Streamable], None]) -> None:
        """Let somebody change the fresh weights, and the mean with them."""
        prepare(self.network)
        if self.mean is not None:
            self.mean.load_state_dict(self.network.state_dict())

    def average(self, decay: float) -> None:
        """Move the mean towards the weights: mean of all at first, then exponential.

        The decay at step t is ``min(decay, (1 + t) / (10 + t))``, so early steps do not linger.
        """
        if self.mean is None:
            return
        keep = min(decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for slow, fast in zip(_tensors(self.mean), _tensors(self.network), strict=True):
                if slow.is_floating_point():
                    slow.lerp_(fast, 1 - keep)
                else:
                    slow.copy_(fast)

    def summary(self) -> dict[str, Any]:
        """What ``best.pt`` and ``last.pt`` have in common, besides the settings."""
        return {
            "weights": self.judged.state_dict(),
            "step": self.step,
            "cpu_minutes": self.minutes,
            "history": [list(entry) for entry in self.history],
        }

    def remember(self) -> dict[str, Any]:
        """Contents of ``last.pt``."""
        return {
            **self.summary(),
            "moving": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "adversary": None if self.adversary is None else self.adversary.state_dict(),
            "opponent": None if self.opponent is None else self.opponent.state_dict(),
            "best": self.best,
            "copy_loss": self.copy_loss,
            "draws": json.dumps(self.draws.bit_generator.state),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        }

    def recall(self, content: Mapping[str, Any]) -> None:
        """Go back to where ``last.pt`` was written."""
        self.network.load_state_dict(content["moving"])
        if self.mean is not None:
            self.mean.load_state_dict(content["weights"])
        self.optimiser.load_state_dict(content["optimiser"])
        if self.adversary is not None and self.opponent is not None:
            self.adversary.load_state_dict(content["adversary"])
            self.opponent.load_state_dict(content["opponent"])
        self.step, self.minutes = content["step"], content["cpu_minutes"]
        self.best, self.copy_loss = content["best"], content["copy_loss"]
        self.history = [(int(s), float(loss)) for s, loss in content["history"]]
        self.draws.bit_generator.state = json.loads(content["draws"])
        torch.set_rng_state(content["torch"])
        if content["cuda"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(content["cuda"])


def _tensors(module: nn.Module) -> list[Tensor]:
    return list(module.state_dict().values())


def _optimiser(network: Streamable, schedule: Schedule) -> Optimizer:
    if schedule.optimiser == "soap":
        return Soap(network.parameters(), lr=schedule.learning_rate)
    return AdamW(network.parameters(), lr=schedule.learning_rate, weight_decay=1e-4)


def begin(recipe: Recipe, schedule: Schedule) -> Training:
    """A fresh run: everything random follows from the schedule's seed."""
    torch.manual_seed(schedule.seed)
    network = recipe.network().train()
    mean = copy.deepcopy(network).eval().requires_grad_(False) if schedule.average else None
    adversary = recipe.adversary()
    if adversary is not None and not isinstance(adversary, Adversary):
        adversary = Adversary([adversary])  # a discriminator alone
    return Training(
        network=network,
        mean=mean,
        optimiser=_optimiser(network, schedule),
        adversary=adversary,
        opponent=AdamW(adversary.parameters(), betas=(0.5, 0.9)) if adversary is not None else None,
        draws=np.random.default_rng(schedule.seed),
    )
