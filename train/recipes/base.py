"""What a recipe tells the trainer, the evaluation and the export gate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from realtime.models.card import Card

from ..data.pairs import PairSet
from ..networks.layers import Streamable


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    minutes: float
    batch: int
    segment: int  # samples the loss sees
    learning_rate: float = 3e-3
    final_rate: float = 1e-5
    seed: int = 0
    steps: int | None = None  # a fixed number instead of minutes


class Recipe(ABC):
    """One style."""

    name: str
    schedule: Schedule
    warm_up: int  # samples before the loss's segment that fill the network's memory
    latency: int  # samples by which :meth:`convert` lags

    @abstractmethod
    def data(self) -> PairSet:
        """Make or load the pairs."""

    @abstractmethod
    def network(self) -> Streamable:
        """A fresh network."""

    @abstractmethod
    def convert(self, network: Streamable, dry: Tensor) -> Tensor:
        """``[batch, n] -> [batch, n]``, `latency` samples late."""

    @abstractmethod
    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """What training lowers."""

    @abstractmethod
    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """The exported file's card."""

    @abstractmethod
    def example(self, steps: int) -> Tensor:
        """Graph input of so many steps, for tracing ``[2, ..., steps, ...]``."""

    def augment(self, dry: Tensor, wet: Tensor) -> tuple[Tensor, Tensor]:
        """Change a training batch; by default nothing."""
        return dry, wet

    def aligned(self, network: Streamable, dry: Tensor, wet: Tensor) -> tuple[Tensor, Tensor]:
        """Convert and cut both signals to where they belong together, warm-up removed."""
        y = self.convert(network, dry)
        lag = self.latency
        y = y[:, lag:] if lag else y
        target = wet[:, : y.shape[1]]
        return y[:, self.warm_up :], target[:, self.warm_up :]


def random_gain(batch: int, low_db: float, high_db: float) -> Tensor:
    """One amplitude factor per example ``[batch, 1]``."""
    db = low_db + (high_db - low_db) * torch.rand(batch, 1)
    return 10.0 ** (db / 20.0)
