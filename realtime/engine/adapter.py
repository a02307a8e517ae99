"""Serve callbacks of any size with a converter that advances by whole hops.

Input collects until a hop is full; the finished hop goes to a FIFO that was pre-filled with
:func:`realtime.engine.latency.adapter_latency` zeros, the least that never runs dry.  Hops lie on a
grid fixed to the stream's first sample, so the result does not depend on how callbacks cut it.
"""

from __future__ import annotations

from numba import njit

from ..native.intrinsics import call_hop, flush_denormals, restore_denormals, view_f32
from .hop import WHOLE
from .lane import view_lane


@njit(nogil=True, error_model="numpy", cache=True)
def _process(lane, x, y, offset, n):  # type: ignore[no-untyped-def]
    hop, capacity = lane.hop, lane.fifo_out_capacity
    block = view_f32(lane.fifo_in, (lane.channels, hop))
    fifo = view_f32(lane.fifo_out, (lane.channels, capacity))
    done = 0
    while done < n:
        take = min(hop - lane.fifo_in_fill, n - done)
        for c in range(lane.channels):
            for i in range(take):
                block[c, lane.fifo_in_fill + i] = x[c, offset + done + i]
        lane.fifo_in_fill += take
        done += take
        if lane.fifo_in_fill == hop:
            call_hop(lane.hop_function, (lane.address, lane.fifo_in, WHOLE))
            for c in range(lane.channels):
                for i in range(hop):
                    fifo[c, (lane.fifo_out_written + i) & (capacity - 1)] = block[c, i]
            lane.fifo_out_written += hop
            lane.fifo_in_fill = 0
    if lane.fifo_out_written - lane.fifo_out_read < n:
        # The device broke its promise of a constant block size: from here on the pre-fill for
        # varying sizes applies, as silence put in front.  It happens once; the new latency is
        # declared.
        grow = max(0, hop - 1 - lane.prefill)
        lane.fifo_out_read -= grow
        for c in range(lane.channels):
            for i in range(grow):
                fifo[c, (lane.fifo_out_read + i) & (capacity - 1)] = 0.0
        lane.prefill += grow
        lane.resized += 1
    for c in range(lane.channels):
        for i in range(n):
            y[c, offset + i] = fifo[c, (lane.fifo_out_read + i) & (capacity - 1)]
    lane.fifo_out_read += n


@njit(nogil=True, error_model="numpy", cache=True)
def process(lane, x, y, n):  # type: ignore[no-untyped-def]
    """Process one callback of `n` samples.

    Parameters
    ----------
    lane : record
        :data:`realtime.engine.lane.LANE`.
    x, y : ndarray [shape=(channels, >= n), float32]
        Input, and output to write; must not be the same memory.
    n : int [samples]
        Any size; more than ``lane.max_block`` is taken in parts.
    """
    done = 0
    while done < n:
        part = min(lane.max_block, n - done)
        _process(lane, x, y, done, part)
        done += part


@njit(nogil=True, error_model="numpy", cache=True)
def process_block(address, x, y):  # type: ignore[no-untyped-def]
    """:func:`process` for Python callers, with denormals off (releases the GIL)."""
    old = flush_denormals()
    process(view_lane(address), x, y, x.shape[1])
    restore_denormals(old)


@njit(nogil=True, error_model="numpy", cache=True)
def run_hops(address, part, block, scratch, scratch_address):  # type: ignore[no-untyped-def]
    """Run a part of the lane over every whole hop of a block in place, past the adapter.

    Parameters
    ----------
    address : int
        Of the lane.
    part : int
        ``WHOLE``, ``FRONT``, ``CONVERT`` or ``BACK`` of :mod:`realtime.engine.hop`.
    block : ndarray [shape=(channels, >= k * hop), float32]
    scratch, scratch_address
        One hop ``[shape=(channels, hop), float32]`` and its address.
    """
    old = flush_denormals()
    lane = view_lane(address)
    hop = lane.hop
    for start in range(0, block.shape[1] - hop + 1, hop):
        for c in range(lane.channels):
            for i in range(hop):
                scratch[c, i] = block[c, start + i]
        call_hop(lane.hop_function, (address, scratch_address, part))
        for c in range(lane.channels):
            for i in range(hop):
                block[c, start + i] = scratch[c, i]
    restore_denormals(old)
