"""The Python lane's block path: input stage, pre-chain, converter, post-chain, output stage.

The stages between the chains are the very kernels of the inline lane; only the two chains are
Python objects.  Worker and offline render both run this, so they give the same bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..engine.engine import Engine
from ..engine.hop import BACK, CONVERT, FRONT, WHOLE
from ..errors import ConfigError
from ..native.events import CHAIN, PER_SLOT, EventQueue
from ..stages.chain import Chain
from ..stages.slot import Slot

Array = npt.NDArray[np.float32]
LEAST_BLOCK = 64  # samples; Python stages are not called for less
FADE_SECONDS = 0.02


class BlockPath:
    """Engine plus chains, advancing by a constant block.

    Parameters
    ----------
    engine : Engine
    pre, post : Chain or None
        Before and after the converter; prepared here for this block length.

    Attributes
    ----------
    block_length : int [samples]
        A multiple of the engine's hop, the same for every device block size.
    position : int [samples]
        Processed so far.
    taken : list of (position, name)
        Edits made, for a journal; whoever keeps one empties it.
    """

    def __init__(self, engine: Engine, pre: Chain | None = None, post: Chain | None = None) -> None:
        self.engine, self.pre, self.post = engine, pre, post
        hop = engine.hop_length
        self.native = pre is None and post is None
        self.block_length = hop if self.native else hop * -(-LEAST_BLOCK // hop)
        self.position = 0
        self.events: EventQueue | None = None
        self.changed: Callable[[], None] = _nothing
        self._edits: deque[tuple[int | None, str, Callable[[], None]]] = deque()
        self.taken: list[tuple[int, str]] = []
        self._incoming: Engine | None = None
        self._origin = 0
        self._unheard = self._faded = 0
        for chain in self.chains:
            chain.prepare(engine.sample_rate, engine.channels, self.block_length)

    @property
    def chains(self) -> list[Chain]:
        """The chains there are."""
        return [c for c in (self.pre, self.post) if c is not None]

    @property
    def origin(self) -> int:
        """Position of the stream at this path's first sample [samples]."""
        return self._origin

    @property
    def newest(self) -> Engine:
        """The engine on its way in, or the one there is."""
        return self._incoming or self.engine

    @property
    def latency(self) -> int:
        """Algorithmic latency of engine and chains, as it is now [samples]."""
        return self.engine.latency + sum(c.latency for c in self.chains)

    def process(self, block: Array) -> Array:
        """Process ``block [shape=(channels, k * block_length)]``; the result may be `block`."""
        if self.native:
            self.engine.run(WHOLE, block)
            self.position += block.shape[1]
            return block
        self._between_blocks()
        engine, other = self.engine, self._incoming
        if other is not None:
            other.run(FRONT, block.copy())  # takes its events
        engine.run(FRONT, block)
        if self.pre is not None:
            block = self.pre.process(block)
        block = np.ascontiguousarray(block) if block.flags.writeable else block.copy()
        second = block.copy() if other is not None else block
        engine.run(CONVERT, block)
        if other is not None:
            other.run(CONVERT, second)
            self._crossfade(block, second)
        if self.post is not None:
            block = self.post.process(block)
        self.engine.run(BACK, block)
        self.position += block.shape[1]
        return block

    def reset(self) -> None:
        """Return engine and chains to their initial state (not live)."""
        self.engine.reset()
        self.position = 0
        for chain in self.chains:
            chain.reset()

    # -- changes while sound runs -----------------------------------------------------------------

    def edit(self, name: str, change: Callable[[], None], at: int | None = None) -> None:
        """Have the worker make `change` between two blocks, at position `at` or the next.

        `change` must be short and must not fail.
        """
        self._edits.append((at, name, change))

    @property
    def editing(self) -> bool:
        """Whether edits wait, or an engine is on its way in."""
        return bool(self._edits) or self._incoming is not None

    def slot(self, identity: int) -> Slot | None:
        """The slot of that identity in either chain."""
        found = [c.find(identity) for c in self.chains]
        return next((s for s in found if s is not None), None)

    def _between_blocks(self) -> None:
        """Make the edits and take the chain events that are due."""
        latency = self.latency
        if self.position == 0:
            self._origin = int(self.engine.lane["start"])
        while self._edits and (self._edits[0][0] is None or self._edits[0][0] <= self.position):
            _, name, change = self._edits.popleft()
            change()
            self.taken.append((self.position, name))
        if self.events is not None and len(self.events):
            start = int(self.engine.lane["start"])
            for _, _, number, value in self.events.take_until(start + self.position):
                identity, parameter = divmod(number - CHAIN, PER_SLOT)
                slot = self.slot(identity)
                if slot is not None:
                    slot.apply(parameter, value)
        if self.latency != latency:
            self.changed()

    def let_go(self) -> None:
        """Forget who listens (not live): the engine process runs without a cycle collector."""
        self.changed, self.events = _nothing, None

    def check_engine(self, engine: Engine) -> None:
        """Refuse an engine that this path cannot crossfade to.

        Raises
        ------
        ConfigError
            Its hops do not fit the path's blocks.
        """
        if self.native or self.block_length % engine.hop_length:
            raise ConfigError(
                f"a model of hop {engine.hop_length} does not fit blocks of {self.block_length}"
            )

    def bring_in(self, engine: Engine) -> None:
        """Crossfade to another engine (an edit); see :meth:`check_engine`."""
        engine.lane["start"] = int(self.engine.lane["start"]) + self.position
        engine.follow(self.engine)
        self._incoming, self._faded = engine, 0
        self._unheard = engine.latency + int(engine.lane["warm_hops"]) * engine.hop_length

    def _crossfade(self, old: Array, new: Array) -> None:
        """Fade from `old` to `new` in `old`; the new engine takes over at the end."""
        n, length = old.shape[1], round(FADE_SECONDS * self.engine.sample_rate)
        if self._unheard > 0:
            self._unheard -= n
            return
        at = np.minimum(np.arange(self._faded + 1, self._faded + n + 1) / length, 1.0)
        gain = (0.5 - 0.5 * np.cos(np.pi * at)).astype(np.float32)
        old *= 1.0 - gain
        old += gain * new
        self._faded += n
        if self._faded >= length and self._incoming is not None:
            self._incoming.follow(self.engine, targets=False)
            self.engine, self._incoming = self._incoming, None
            self.changed()


def _nothing() -> None:
    """Nobody listens."""
