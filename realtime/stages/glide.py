"""Glide a stage's parameters instead of setting them at once.

pedalboard's effects take most values between two blocks without smoothing, which clicks.  A stage
that can be fed shorter blocks is stepped through the change in pieces of :data:`PIECE` samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .stage import Stage

Array = npt.NDArray[np.float32]
GLIDE_SECONDS = 0.05
PIECE = 8  # samples between two values


class Glide:
    """Feeds a stage and moves its parameters.

    A stage with parameters has ``parameters()``, a list of values with ``name``, ``minimum``,
    ``maximum`` and ``kind``, and ``get_parameter(name)`` and ``set_parameter(name, value)``.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage: Any = stage
        listing = getattr(stage, "parameters", None)
        self._parameters = list(listing()) if callable(listing) else []
        self._ways: dict[int, tuple[float, float, int]] = {}  # number -> from, to, steps taken

    def prepare(self, sample_rate: int, block_length: int) -> None:
        """Choose the pieces: short ones where the stage takes them."""
        whole = not getattr(self._stage, "takes_pieces", False) or self._stage.latency > 0
        self._piece = block_length if whole or block_length % PIECE else PIECE
        self._steps = max(1, round(GLIDE_SECONDS * sample_rate / self._piece))

    def jumps(self, number: int) -> bool:
        """Whether parameter `number` has no values between two."""
        known = 0 <= number < len(self._parameters)
        return known and self._parameters[number].kind != "float"

    def towards(self, number: int, value: float) -> None:
        """Move parameter `number` (its place in the stage's list) to `value`, from now on."""
        if not 0 <= number < len(self._parameters):
            return
        parameter = self._parameters[number]
        value = min(parameter.maximum, max(parameter.minimum, value))
        if not getattr(parameter, "live", True):
            return
        if parameter.kind == "choice":
            self._stage.set_parameter(parameter.name, parameter.choices[round(value)])
            return
        if parameter.kind != "float":
            self._stage.set_parameter(parameter.name, value)
            return
        now = float(self._stage.get_parameter(parameter.name))
        self._ways[number] = (now, value, 0)

    def finish(self) -> None:
        """Take the last value of every change under way."""
        for number, (_, end, _) in self._ways.items():
            self._stage.set_parameter(self._parameters[number].name, end)
        self._ways.clear()

    def process(self, block: Array) -> Array:
        """Feed the stage one block, in pieces while a parameter moves."""
        if not self._ways:
            result: Array = self._stage.process(block)
            return result
        parts = []
        for start in range(0, block.shape[1], self._piece):
            self._advance()
            parts.append(self._stage.process(block[:, start : start + self._piece]))
        return np.concatenate(parts, axis=1)

    def _advance(self) -> None:
        for number, (begin, end, taken) in list(self._ways.items()):
            taken += 1
            value = end if taken >= self._steps else begin + (end - begin) * taken / self._steps
            self._stage.set_parameter(self._parameters[number].name, value)
            if taken >= self._steps:
                del self._ways[number]
            else:
                self._ways[number] = (begin, end, taken)
