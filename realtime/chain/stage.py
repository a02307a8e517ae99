"""Stages and chains: blocks in, blocks of the same length out, with a declared latency.

A chain is edited by building a new one and :meth:`Chain.swap`-ping it in: between two blocks the
old and the new run side by side under an equal-power crossfade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..errors import ChainError

Array = npt.NDArray[np.float32]
CROSSFADE_SECONDS = 0.02


class Stage(Protocol):
    """What a chain is made of; called from the worker thread, one constant block at a time."""

    @property
    def name(self) -> str:
        """What to call the stage in messages."""

    @property
    def latency(self) -> int:
        """Delay in samples, valid after :meth:`prepare`."""

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        """Allocate for blocks ``[channels, block_length]`` and return to the initial state."""

    def process(self, block: Array) -> Array:
        """Process one block; returns an array of the same shape."""

    def reset(self) -> None:
        """Return to the initial state."""


class Chain:
    """Stages in series.

    Parameters
    ----------
    stages : sequence of Stage
        May be empty: the block passes.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages: tuple[Stage, ...] = tuple(stages)
        self._next: tuple[Stage, ...] | None = None
        self._fading: tuple[Stage, ...] | None = None
        self._shape: tuple[int, int, int] | None = None
        self._faded = 0
        self._fade: npt.NDArray[np.float64] = np.zeros((2, 0))

    @property
    def names(self) -> list[str]:
        """Names of the stages in order."""
        return [s.name for s in self._stages]

    @property
    def latency(self) -> int:
        """Sum of the stages' latencies [samples]."""
        return sum(s.latency for s in self._stages)

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        """Prepare every stage for constant blocks."""
        self._shape = (sample_rate, channels, block_length)
        for stage in self._stages:
            stage.prepare(*self._shape)
        blocks = max(1, round(CROSSFADE_SECONDS * sample_rate / block_length))
        phase = (np.arange(blocks * block_length) + 0.5) / (blocks * block_length) * np.pi / 2
        self._fade = np.stack([np.cos(phase), np.sin(phase)])

    def process(self, block: Array) -> Array:
        """Process one block of the prepared shape."""
        if self._next is not None and self._fading is None:
            self._fading, self._stages, self._next = self._stages, self._next, None
            self._faded = 0
        new = _through(self._stages, block)
        if self._fading is None:
            return new
        old = _through(self._fading, block)
        n = block.shape[1]
        gains = self._fade[:, self._faded : self._faded + n]
        self._faded += n
        if self._faded >= self._fade.shape[1]:
            self._fading = None
        return np.asarray(gains[0] * old + gains[1] * new, dtype=np.float32)

    def swap(self, stages: Sequence[Stage]) -> None:
        """Crossfade to `stages` from the next block on (any thread, while running).

        The new stages are prepared here, in the caller's thread; the latency is theirs as soon as
        the crossfade begins.
        """
        if self._shape is None:
            raise ChainError("a chain must be prepared before stages can be swapped")
        for stage in stages:
            stage.prepare(*self._shape)
        self._next = tuple(stages)

    def reset(self) -> None:
        """Return every stage to its initial state, a swap under way completed (not live)."""
        if self._next is not None:
            self._stages = self._next
        self._next = self._fading = None
        for stage in self._stages:
            stage.reset()


def _through(stages: Sequence[Stage], block: Array) -> Array:
    for stage in stages:
        block = stage.process(block)
    return block
