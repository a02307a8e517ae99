"""What a chain is made of: blocks in, blocks of the same length out, with a declared latency."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class Stage(Protocol):
    """An effect; called from the worker thread, one constant block at a time."""

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
