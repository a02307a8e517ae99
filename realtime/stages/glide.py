"""Glide an effect's parameters instead of setting them at once.

pedalboard's effects take most values between two blocks without smoothing, which clicks.  An effect
that can be fed shorter blocks is stepped through the change in pieces of :data:`PIECE` samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..engine.stage import Block
from ..parameters.parameter import CONTINUOUS, Parameter

GLIDE_SECONDS = 0.05
PIECE = 8  # samples between two values


class Glide:
    """Moves parameters while an effect is fed.

    Parameters
    ----------
    parameters : sequence of Parameter
    get, put : callable
        ``get(parameter) -> value`` in force, and ``put(parameter, value)``.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        get: Callable[[Parameter], float],
        put: Callable[[Parameter, float], None],
    ) -> None:
        self._parameters, self._get, self._put = parameters, get, put
        self._ways: dict[int, tuple[float, float, int]] = {}  # number -> from, to, steps taken

    def prepare(self, sample_rate: int, length: int, in_pieces: bool) -> None:
        """Choose the pieces for blocks of `length`: short ones where the effect takes them."""
        self._piece = PIECE if in_pieces and length % PIECE == 0 else length
        self._steps = max(1, round(GLIDE_SECONDS * sample_rate / self._piece))

    def turn(self, number: int, value: float) -> bool:
        """Begin to move a parameter; False for one that has no values between two."""
        parameter = self._parameters[number]
        if not parameter.live:
            return True
        if parameter.kind != CONTINUOUS:
            return False
        self._ways[number] = (self._get(parameter), value, 0)
        return True

    def finish(self) -> None:
        """Take the last value of every change under way."""
        for number, (_, end, _) in self._ways.items():
            self._put(self._parameters[number], end)
        self._ways.clear()

    def process(self, block: Block, play: Callable[[Block], Block]) -> Block:
        """Have `play` process one block, in pieces while a parameter moves."""
        if not self._ways:
            return play(block)
        parts = []
        for start in range(0, block.shape[1], self._piece):
            self._advance()
            parts.append(play(block[:, start : start + self._piece]))
        return np.concatenate(parts, axis=1)

    def _advance(self) -> None:
        for number, (begin, end, taken) in list(self._ways.items()):
            taken += 1
            value = end if taken >= self._steps else begin + (end - begin) * taken / self._steps
            self._put(self._parameters[number], value)
            if taken >= self._steps:
                del self._ways[number]
            else:
                self._ways[number] = (begin, end, taken)
