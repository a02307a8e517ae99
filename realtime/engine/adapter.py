"""Serve callbacks of any size with a path that advances by whole hops.

Input collects until a hop is full; the finished hop goes to a FIFO that was pre-filled with
:func:`realtime.engine.latency.adapter_latency` zeros, the least that never runs dry.  Hops lie on a
grid fixed to the stream's first sample, so the result does not depend on how callbacks cut it.
"""

from __future__ import annotations

from ..dsp.mix import copy
from ..native.intrinsics import call_hop, flush_denormals, restore_denormals
from ..native.late_numba import njit
from .hop import PATH_TABLE, view_path

_fifo_in, _fifo_out = PATH_TABLE.array("fifo_in"), PATH_TABLE.array("fifo_out")


@njit(nogil=True, error_model="numpy", cache=True)
def _process(p, x, y, offset, n):  # type: ignore[no-untyped-def]
    hop, capacity = p.hop, p.fifo_out_capacity
    block, fifo = _fifo_in(p), _fifo_out(p)
    done = 0
    while done < n:
        take = min(hop - p.fifo_in_fill, n - done)
        for c in range(p.channels):
            for i in range(take):
                block[c, p.fifo_in_fill + i] = x[c, offset + done + i]
        p.fifo_in_fill += take
        done += take
        if p.fifo_in_fill == hop:
            call_hop(p.hop_function, (p.address, p.fifo_in, 0))
            for c in range(p.channels):
                for i in range(hop):
                    fifo[c, (p.fifo_out_written + i) & (capacity - 1)] = block[c, i]
            p.fifo_out_written += hop
            p.fifo_in_fill = 0
    if p.fifo_out_written - p.fifo_out_read < n:
        # The device broke its promise of a constant block size: from here on the pre-fill for
        # varying sizes applies, as silence put in front.  It happens once; the new latency is
        # declared.
        grow = max(0, hop - 1 - p.prefill)
        p.fifo_out_read -= grow
        for c in range(p.channels):
            for i in range(grow):
                fifo[c, (p.fifo_out_read + i) & (capacity - 1)] = 0.0
        p.prefill += grow
        p.resized += 1
    for c in range(p.channels):
        for i in range(n):
            y[c, offset + i] = fifo[c, (p.fifo_out_read + i) & (capacity - 1)]
    p.fifo_out_read += n


@njit(nogil=True, error_model="numpy", cache=True)
def process(p, x, y, n):  # type: ignore[no-untyped-def]
    """Process one callback of `n` samples.

    Parameters
    ----------
    p : record
        :data:`realtime.engine.hop.PATH_TABLE`.
    x, y : ndarray [shape=(channels, >= n), float32]
        Input, and output to write; must not be the same memory.
    n : int [samples]
        Any size; more than ``p.max_block`` is taken in parts.
    """
    done = 0
    while done < n:
        part = min(p.max_block, n - done)
        _process(p, x, y, done, part)
        done += part


@njit(nogil=True, error_model="numpy", cache=True)
def process_block(address, x, y):  # type: ignore[no-untyped-def]
    """:func:`process` for Python callers, with denormals off (releases the GIL)."""
    old = flush_denormals()
    process(view_path(address), x, y, x.shape[1])
    restore_denormals(old)


@njit(nogil=True, error_model="numpy", cache=True)
def run_hops(address, block, scratch, scratch_address):  # type: ignore[no-untyped-def]
    """Run the path over every whole hop of a block in place, past the adapter.

    Parameters
    ----------
    address : int
        Of the path.
    block : ndarray [shape=(channels, >= k * hop), float32]
    scratch, scratch_address
        One hop ``[shape=(channels, hop), float32]`` and its address.
    """
    old = flush_denormals()
    p = view_path(address)
    hop = p.hop
    for start in range(0, block.shape[1] - hop + 1, hop):
        copy(block[:, start : start + hop], scratch)
        call_hop(p.hop_function, (address, scratch_address, 0))
        copy(scratch, block[:, start : start + hop])
    restore_denormals(old)
