"""The Python lane's block path: input stage, pre-chain, converter, post-chain, output stage.

The stages between the chains are the very kernels of the inline lane; only the two chains are
Python objects.  Worker and offline render both run this, so they give the same bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from .chain.stage import Chain
from .converter import back, convert, front, process_hop
from .dsp.meters import N_BINS, count_duration
from .engine import Engine
from .lane import view_lane
from .native import flush_denormals, monotonic_ns, restore_denormals, view_i64

Array = npt.NDArray[np.float32]
LEAST_BLOCK = 64  # samples; Python stages are not called for less

FRONT, CONVERT, BACK, ALL = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy", cache=True)
def run_hops(address, which, block, hop_block):  # type: ignore[no-untyped-def]
    """Run one part of the lane over every hop of ``block [shape=(channels, k * hop)]`` in place."""
    old = flush_denormals()
    lane = view_lane(address)
    hop = lane.hop
    for start in range(0, block.shape[1], hop):
        for c in range(lane.channels):
            for i in range(hop):
                hop_block[c, i] = block[c, start + i]
        if which == ALL:
            process_hop(lane, hop_block)
        else:
            begin = monotonic_ns(lane.clock)
            if which == FRONT:
                front(lane, hop_block)
            elif which == CONVERT:
                convert(lane, hop_block)
                count_duration(
                    view_i64(lane.hop_histogram, N_BINS), monotonic_ns(lane.clock) - begin
                )
            else:
                back(lane, hop_block)
        for c in range(lane.channels):
            for i in range(hop):
                block[c, start + i] = hop_block[c, i]
    restore_denormals(old)


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
        self._hop_block = np.zeros((engine.channels, hop), dtype=np.float32)

    @property
    def latency(self) -> int:
        """Algorithmic latency of engine and chains [samples]."""
        chains = sum(c.latency for c in (self.pre, self.post) if c is not None)
        return self.engine.latency + chains

    def process(self, block: Array) -> Array:
        """Process ``block [shape=(channels, k * block_length)]``; the result may be `block`."""
        if self.native:
            run_hops(self.engine.address, ALL, block, self._hop_block)
            return block
        address, hop_block = self.engine.address, self._hop_block
        run_hops(address, FRONT, block, hop_block)
        if self.pre is not None:
            block = self.pre.process(block)
        run_hops(address, CONVERT, block, hop_block)
        if self.post is not None:
            block = self.post.process(block)
        run_hops(address, BACK, block, hop_block)
        return block

    def reset(self) -> None:
        """Return engine and chains to their initial state (not live)."""
        self.engine.reset()
        for chain in (self.pre, self.post):
            if chain is not None:
                chain.reset()
