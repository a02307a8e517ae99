"""Stages of plain arithmetic, so that what a chain gives can be said in one line of NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from realtime.stages.chain import Chain

from ..signals import Array
from .test_effects import RATE


class Parameter(NamedTuple):
    """What a stage says of one of its values."""

    name: str
    minimum: float
    maximum: float
    kind: str


class Scale:
    """Multiplies by a number, later by `latency` samples."""

    def __init__(self, factor: float, latency: int = 0) -> None:
        self.name, self.latency, self.factor = f"scale {factor}", latency, factor
        self.prepared: tuple[int, int, int] | None = None

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        self.prepared = (sample_rate, channels, block_length)
        self.reset()

    def process(self, block: Array) -> Array:
        held = np.concatenate([self.held, block], axis=1)
        self.held = held[:, block.shape[1] :]
        return (held[:, : block.shape[1]] * self.factor).astype(np.float32)

    def reset(self) -> None:
        assert self.prepared is not None
        self.held = np.zeros((self.prepared[1], self.latency), dtype=np.float32)


class Bias(Scale):
    """Adds a number."""

    def __init__(self, offset: float) -> None:
        super().__init__(1.0)
        self.name, self.offset = "bias", np.float32(offset)

    def process(self, block: Array) -> Array:
        return super().process(block) + self.offset


def chain(*stages: Scale, block: int = 128) -> Chain:
    made = Chain(stages)
    made.prepare(RATE, 1, block)
    return made
