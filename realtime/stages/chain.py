"""A chain: slots in series, edited while sound runs, with one mix for all of it.

An edit is a small change of the list of slots that the worker makes between two blocks; what is
heard of it are the slots' own fades.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..dsp.delay import MovingDelay
from ..errors import ChainError
from .slot import Slot, ramp
from .stage import Stage

Array = npt.NDArray[np.float32]
LONGEST_LATENCY = 1 << 15  # samples; what the dry path of a chain can be delayed by
MIX_SECONDS = 0.02


class Chain:
    """Stages in series.

    Parameters
    ----------
    stages : sequence of Stage or Slot
        May be empty: the block passes.
    mix : float
        0 dry .. 1 wet, the dry sound delayed by the chain's latency.
    """

    def __init__(self, stages: Sequence[Stage | Slot] = (), mix: float = 1.0) -> None:
        self._slots = tuple(s if isinstance(s, Slot) else Slot(s) for s in stages)
        self.mix = mix
        self.gone: list[Slot] = []  # slots out of the sound, to be freed by another thread
        self._shape: tuple[int, int, int] | None = None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots in order, those on their way out included."""
        return self._slots

    @property
    def names(self) -> list[str]:
        """Names of the stages in order, without those on their way out."""
        return [s.name for s in self._slots if s.present]

    @property
    def latency(self) -> int:
        """Sum of the stages' latencies [samples]."""
        return sum(s.latency for s in self._slots)

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        """Prepare every stage for constant blocks."""
        self._shape = (sample_rate, channels, block_length)
        for slot in self._slots:
            slot.prepare(*self._shape)
        self._dry = MovingDelay(channels, LONGEST_LATENCY, self.latency)
        self._mix, self._step = self.mix, 1.0 / (MIX_SECONDS * sample_rate)

    def process(self, block: Array) -> Array:
        """Process one block of the prepared shape (worker thread)."""
        y = block
        for slot in self._slots:
            y = slot.process(y)
        if any(not s.present for s in self._slots):
            self._let_go()
        self._dry.length = self.latency
        if self._mix == self.mix == 1.0:
            self._dry.feed(block)
            return y
        dry = self._dry.process(block)
        gain, self._mix = ramp(self._mix, self.mix, self._step, block.shape[1])
        return np.asarray((1.0 - gain) * dry + gain * y, dtype=np.float32)

    def _let_go(self) -> None:
        for slot in [s for s in self._slots if s.gone]:
            left = [s for s in self._slots if s is not slot]
            if slot.moving_to >= 0:
                left.insert(min(slot.moving_to, len(left)), slot)
                slot.enter()
            else:
                self.gone.append(slot)
            self._slots = tuple(left)

    # -- edits: prepared in any thread, made by the worker between two blocks ------------------

    def ready(self, slot: Slot) -> Slot:
        """Prepare a slot for :meth:`insert` (the caller's thread; may take long)."""
        if self._shape is None:
            raise ChainError("a chain must be prepared before it can be edited")
        slot.prepare(*self._shape)
        return slot

    def insert(self, place: int, slot: Slot) -> None:
        """Fade `slot` in before the stage at `place`."""
        slots = list(self._slots)
        slot.enter()
        slots.insert(self._index(place), slot)
        self._slots = tuple(slots)

    def _index(self, place: int) -> int:
        """Where place `place` lies among all slots, those on their way out included."""
        present = [i for i, s in enumerate(self._slots) if s.present]
        return present[place] if place < len(present) else len(self._slots)

    def find(self, identity: int) -> Slot | None:
        """The slot of that identity, if it is here."""
        return next((s for s in self._slots if s.identity == identity), None)

    def clear(self) -> None:
        """Fade every stage out."""
        for slot in self._slots:
            slot.leave()

    def reset(self) -> None:
        """Return every stage to its initial state, all edits completed (not live)."""
        self._slots = tuple(s for s in self._slots if s.present)
        for slot in self._slots:
            slot.reset()
        self._dry.length = self.latency
        self._dry.reset()
        self._mix = self.mix
