"""The Python lane's block path: input stage, pre-chain, converter, post-chain, output stage.

The stages between the chains are the very kernels of the inline lane; only the two chains are
Python objects.  Worker and offline render both run this, so they give the same bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .chain.stage import Chain
from .converter import BACK, CONVERT, FRONT, WHOLE
from .engine import Engine

Array = npt.NDArray[np.float32]
LEAST_BLOCK = 64  # samples; Python stages are not called for less


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
    """

    def __init__(self, engine: Engine, pre: Chain | None = None, post: Chain | None = None) -> None:
        self.engine, self.pre, self.post = engine, pre, post
        hop = engine.hop_length
        self.native = pre is None and post is None
        self.block_length = hop if self.native else hop * -(-LEAST_BLOCK // hop)
        for chain in (pre, post):
            if chain is not None:
                chain.prepare(engine.sample_rate, engine.channels, self.block_length)

    @property
    def latency(self) -> int:
        """Algorithmic latency of engine and chains [samples]."""
        chains = sum(c.latency for c in (self.pre, self.post) if c is not None)
        return self.engine.latency + chains

    def process(self, block: Array) -> Array:
        """Process ``block [shape=(channels, k * block_length)]``; the result may be `block`."""
        if self.native:
            self.engine.run(WHOLE, block)
            return block
        self.engine.run(FRONT, block)
        if self.pre is not None:
            block = self.pre.process(block)
        self.engine.run(CONVERT, block)
        if self.post is not None:
            block = self.post.process(block)
        self.engine.run(BACK, block)
        return block

    def reset(self) -> None:
        """Return engine and chains to their initial state (not live)."""
        self.engine.reset()
        for chain in (self.pre, self.post):
            if chain is not None:
                chain.reset()
