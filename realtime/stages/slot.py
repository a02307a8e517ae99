"""A slot: one stage in a chain, with bypass, mix, and a click-free way in and out.

Three sounds meet in it: the block as it came, the same delayed by the stage's latency (dry), and
what the stage made of it (wet).  Bypass and mix fade between the last two, which are aligned;
coming and going fades to the first.  All gains of a fade add up to one.  What the stage is fed
fades too when it comes or moves, or a delay would repeat the edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.delay import MovingDelay
from .glide import Glide
from .stage import Stage

Array = npt.NDArray[np.float32]
FADE_SECONDS = 0.02
BYPASS, MIX, PARAMETERS = 0, 1, 2  # what a slot's parameter numbers mean
MARK_STAGE = 0  # place in the mark where the running slot's identity stands


class Slot:
    """One stage of a chain.

    Parameters
    ----------
    stage : Stage
        Owned by the slot from now on.
    identity : int
        Unique within a session; how events and the crash mark name the slot.
    bypass : bool
    mix : float
        0 dry .. 1 wet.
    source : dict, optional
        What the stage was built from, for presets.

    Attributes
    ----------
    error : Exception or None
        What the stage raised; it is passed over from then on.
    scrubbed : int
        Times the stage gave samples that were not finite and was started afresh.
    """

    def __init__(
        self,
        stage: Stage,
        identity: int = 0,
        *,
        bypass: bool = False,
        mix: float = 1.0,
        source: dict[str, Any] | None = None,
    ) -> None:
        self.stage, self.identity, self.source = stage, identity, source or {}
        self.bypass, self.mix = bypass, mix
        self.present, self.moving_to = True, -1
        self.error: Exception | None = None
        self.scrubbed = 0
        self.mark: npt.NDArray[np.int64] | None = None
        self.glide = Glide(stage)
        self._jumps: list[tuple[int, float]] = []

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.stage.name

    @property
    def latency(self) -> int:
        """The stage's latency [samples]; a slot on its way out has none."""
        return self.stage.latency if self.present else 0

    @property
    def gone(self) -> bool:
        """Whether the slot is out of the sound and may be taken from its chain."""
        return not self.present and self._presence == 0.0

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        """Allocate for blocks ``[channels, block_length]``; see :class:`Stage`."""
        self._write_mark(self.identity)
        self.stage.prepare(sample_rate, channels, block_length)
        self._write_mark(0)
        self._step = 1.0 / (FADE_SECONDS * sample_rate)
        self.glide.prepare(sample_rate, block_length)
        self._dry = MovingDelay(channels, self.stage.latency, self.stage.latency)
        self._last: Array = np.zeros((channels, 1), dtype=np.float32)
        self._settle()

    def _settle(self) -> None:
        self._presence = 1.0 if self.present else 0.0
        self._wet = 0.0 if self.bypass else self.mix
        self._held, self._unheard = False, 0
        self._fed = 1.0

    def enter(self) -> None:
        """Fade in from the block as it came, once the stage has filled its latency."""
        self.present, self._presence = True, 0.0
        self._unheard = self.stage.latency
        self.start_quietly()

    def start_quietly(self) -> None:
        """Fade in what the stage is fed: it begins while sound is running."""
        self._fed = 0.0

    def leave(self, moving_to: int = -1) -> None:
        """Fade out to the block as it came; then go, or move to another place of the chain."""
        self.present, self.moving_to = False, moving_to

    def reset(self) -> None:
        """Return to the initial state, all fades completed."""
        self.stage.reset()
        self.glide.finish()
        self._dry.reset()
        self._last[...] = 0.0
        self._settle()

    def apply(self, number: int, value: float) -> None:
        """Take a parameter event (worker thread, between blocks)."""
        if number == BYPASS:
            self.bypass = value >= 0.5
        elif number == MIX:
            self.mix = min(1.0, max(0.0, value))
        elif self.glide.jumps(number - PARAMETERS):
            self._jumps.append((number - PARAMETERS, value))  # made while the stage is not heard
        else:
            self.glide.towards(number - PARAMETERS, value)

    def process(self, block: Array) -> Array:
        """Process one block; returns an array of the same shape (allocates: Python lane only)."""
        n = block.shape[1]
        dry = self._dry.process(block) if self.stage.latency else block
        wet = self._run(block)
        wanted = 0.0 if self.bypass or self._held or self._jumps else self.mix
        if self._jumps and self._wet == 0.0:
            for number, value in self._jumps:
                self.glide.towards(number, value)
            self._jumps.clear()
        if self._held and self._wet == 0.0 and self.error is None:
            self._held = False  # started afresh, and from level 0 it may return
        if self._wet == wanted == 1.0:
            made = wet
        else:
            gain, self._wet = ramp(self._wet, wanted, self._step, n)
            made = ((1.0 - gain) * dry + gain * wet).astype(np.float32)
        self._unheard, waiting = max(0, self._unheard - n), self._unheard > 0
        here = 1.0 if self.present and not waiting else 0.0
        if self._presence == here == 1.0:
            return made
        gain, self._presence = ramp(self._presence, here, self._step, n)
        out: Array = ((1.0 - gain) * block + gain * made).astype(np.float32)
        return out

    def _run(self, block: Array) -> Array:
        """The stage's sound; its last good sample, held, where it gives none."""
        if self.error is None:
            self._write_mark(self.identity)
            wet = self._try(block)
            self._write_mark(0)
            if wet is not None and not self._held:
                self._last[:, 0] = wet[:, -1]
                return wet
        return np.broadcast_to(self._last, block.shape)

    def _write_mark(self, identity: int) -> None:
        if self.mark is not None:
            self.mark[MARK_STAGE] = identity

    def _try(self, block: Array) -> Array | None:
        goal = 0.0 if not self.present and self.moving_to >= 0 else 1.0
        if self._fed != goal or goal == 0.0:
            gain, self._fed = ramp(self._fed, goal, self._step, block.shape[1])
            block = (gain * block).astype(np.float32)
        try:
            wet = self.glide.process(block)
        except Exception as error:  # a broken stage must not end the sound
            self.error, self._held = error, True
            return None
        if np.isfinite(wet).all():
            return wet
        self.stage.reset()
        self.scrubbed += 1
        self._held = True
        return None


def ramp(now: float, wanted: float, step: float, n: int) -> tuple[npt.NDArray[np.float32], float]:
    """Gains of the next `n` samples on the way from `now` to `wanted`, and the last of them."""
    way = wanted - now
    gains = now + np.copysign(step, way) * np.arange(1, n + 1)
    gains[np.arange(1, n + 1) >= abs(way) / step - 0.5] = wanted
    return gains.astype(np.float32), float(gains[-1])
