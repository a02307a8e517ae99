"""Convolution with long responses: no delay, and the work of each callback alike.

The response is cut as in W. G. Gardner, "Efficient convolution without input-output delay" (JAES
43(3), 1995): its first :data:`HEAD` samples are applied directly; the rest is cut into *levels*, of
which one of size `B` covers the response from `2 B` on in partitions of `B` samples (overlap-save
with transforms of `2 B`, one sum of products of spectra).  What a block of `B` input samples adds
through a level is heard `2 B` later at the earliest, so that a level has `B` samples of time for
it.  That work is cut into steps (a pass of a transform, some products), which
:mod:`realtime.dsp.convolver` lays out over that time by what they cost.

Everything counts from the first sample, not from the beginnings of callbacks: the bits are the same
however the sound is cut.
"""

from __future__ import annotations

import numpy as np

from ..native.late_numba import njit
from ..native.records import F32, I64, INT, Array, Table
from .fft import repack, transform, unpack

CELL = 64  # samples: size of the first level, and the most that is done at a time
HEAD = 2 * CELL

# kinds of steps, and the columns of a program
PACK, FORWARD, UNPACK, MULTIPLY, REPACK, INVERSE, OUT = range(7)
KIND, INDEX, CHANNEL, BEGIN, END, START, COLUMNS = range(7)

LEVEL = Table(
    "level",
    channels=INT, responses=INT, size=INT, bins=INT, partitions=INT, passes=INT,
    # steps of one period, in order, each with the sample from which it is due; the next one
    steps=INT, program=Array(I64, f"steps, {COLUMNS}"), next=INT,
    table=Array(F32, "2, 2 * size"), work=Array(F32, "4, size"), sum=Array(F32, "2, bins"),
    # spectra of the response's partitions, of the newest input blocks (circular), and what is
    # played in even and odd periods
    filters=Array(F32, "responses, partitions, 2, bins"),
    spectra=Array(F32, "channels, partitions, 2, bins"), out=Array(F32, "channels, 2, size"),
)  # fmt: skip
CONVOLVER = Table(
    "convolver",
    channels=INT, responses=INT, position=INT, levels=INT, level=Array(I64, "levels"),
    head=Array(F32, f"responses, {HEAD}"), recent=Array(F32, f"channels, {HEAD + CELL}"),
    ring_length=INT, ring=Array(F32, "channels, ring_length"), wet=Array(F32, f"channels, {CELL}"),
)  # fmt: skip
view_level, view_convolver = LEVEL.view, CONVOLVER.view
_program, _table, _work, _sum = (LEVEL.array(n) for n in ("program", "table", "work", "sum"))
_filters, _spectra, _out = (LEVEL.array(n) for n in ("filters", "spectra", "out"))
_level, _head, _recent = (CONVOLVER.array(n) for n in ("level", "head", "recent"))
_ring, wet_of = CONVOLVER.array("ring"), CONVOLVER.array("wet")
_FUSED = {"contract"}  # may join a product and a sum; the order of sums stays


@njit(nogil=True, error_model="numpy", fastmath=_FUSED, cache=True)
def _multiply(total, x, h, begin, end, first):  # type: ignore[no-untyped-def]
    """Add bins ``begin <= k < end`` of ``x h`` to `total`, or write them there."""
    tr, ti = total[0, begin:end], total[1, begin:end]
    xr, xi = x[0, begin:end], x[1, begin:end]
    hr, hi = h[0, begin:end], h[1, begin:end]
    if first:
        for k in range(end - begin):
            tr[k] = xr[k] * hr[k] - xi[k] * hi[k]
            ti[k] = xr[k] * hi[k] + xi[k] * hr[k]
    else:
        for k in range(end - begin):
            tr[k] = tr[k] + xr[k] * hr[k] - xi[k] * hi[k]
            ti[k] = ti[k] + xr[k] * hi[k] + xi[k] * hr[k]


@njit(nogil=True, error_model="numpy", fastmath=_FUSED, cache=True)
def _direct(recent, offset, head, y):  # type: ignore[no-untyped-def]
    """Write the part of the response's first samples to `y`; four taps at a time."""
    n = y.shape[0]
    for i in range(n):
        y[i] = 0.0
    for k in range(0, head.shape[0], 4):
        a, b, c, d = head[k], head[k + 1], head[k + 2], head[k + 3]
        x = recent[offset - k - 3 : offset - k + n]
        for i in range(n):
            y[i] = y[i] + a * x[i + 3] + b * x[i + 2] + c * x[i + 1] + d * x[i]


@njit(nogil=True, error_model="numpy", cache=True)
def _pack(ring, block, size, work):  # type: ignore[no-untyped-def]
    """Split input blocks ``block - 1`` and `block` into even and odd samples."""
    mask = ring.shape[0] - 1
    for part in range(2):
        begin = ((block - 1 + part) * size) & mask
        x = ring[begin : begin + size]
        even, odd = work[0, part * size // 2 :], work[1, part * size // 2 :]
        for k in range(size // 2):
            even[k], odd[k] = x[2 * k], x[2 * k + 1]


@njit(nogil=True, error_model="numpy", cache=True)
def _step(v, level, row, block):  # type: ignore[no-untyped-def]
    """Do one step of what input block `block` adds through a level."""
    kind, c = row[KIND], row[CHANNEL]
    size, work, table = level.size, _work(level), _table(level)
    base = 2 * (level.passes % 2)
    wr, wi, ur, ui = table[0, :size], table[1, :size], table[0, size:], table[1, size:]
    spectrum = _spectra(level)[c, block % level.partitions]
    total = _sum(level)
    if kind == MULTIPLY:
        p = row[INDEX]
        past = _spectra(level)[c, (block - p) % level.partitions]
        h = _filters(level)[c % level.responses, p]
        _multiply(total, past, h, row[BEGIN], row[END], p == 0)
    elif kind == FORWARD or kind == INVERSE:
        sign = np.float32(1.0) if kind == FORWARD else np.float32(-1.0)
        transform(size, row[INDEX], work, wr, wi, sign)
    elif kind == PACK:
        _pack(_ring(v)[c], block, size, work)
    elif kind == UNPACK:
        unpack(work[base], work[base + 1], spectrum[0], spectrum[1], ur, ui)
    elif kind == REPACK:
        repack(total[0], total[1], work[0], work[1], ur, ui)
    else:
        y = _out(level)[c, block % 2]  # heard two periods after the block came
        even, odd = work[base, size // 2 :], work[base + 1, size // 2 :]
        for k in range(size // 2):
            y[2 * k], y[2 * k + 1] = even[k], odd[k]


@njit(nogil=True, error_model="numpy", cache=True)
def _work_on(v, level, n):  # type: ignore[no-untyped-def]
    """Do the steps of a level that are due while `n` samples pass, at most to its period's end."""
    period, at = v.position // level.size, v.position % level.size + n
    if period > 0:
        program = _program(level)
        while level.next < level.steps and program[level.next, START] < at:
            _step(v, level, program[level.next], period - 1)
            level.next += 1
    if at == level.size:
        level.next = 0


@njit(nogil=True, error_model="numpy", cache=True)
def cell(v, n):  # type: ignore[no-untyped-def]
    """How many of `n` samples :func:`convolve` may take next."""
    return min(n, CELL - v.position % CELL)


@njit(nogil=True, error_model="numpy", cache=True)
def convolve(v, block, begin, n):  # type: ignore[no-untyped-def]
    """Take ``block[:, begin : begin + n]`` in and write the response's answer to ``wet[:, :n]``.

    Parameters
    ----------
    v : record
        :data:`CONVOLVER`; its wet sound is ``wet_of(v)``.
    n : int [samples]
        At most :func:`cell`.
    """
    offset = v.position % CELL
    recent, ring, wet = _recent(v), _ring(v), wet_of(v)
    at = v.position & (v.ring_length - 1)
    for c in range(v.channels):
        own = recent[c]
        for i in range(n):
            own[HEAD + offset + i] = ring[c, at + i] = block[c, begin + i]
        y = wet[c, :n]
        _direct(own, HEAD + offset, _head(v)[c % v.responses], y)
        if offset + n == CELL:
            for i in range(HEAD):
                own[i] = own[CELL + i]
    for k in range(v.levels):
        level = view_level(_level(v)[k])
        period, inside = v.position // level.size, v.position % level.size
        for c in range(v.channels):
            y = wet[c, :n]
            x = _out(level)[c, period % 2, inside : inside + n]
            for i in range(n):
                y[i] += x[i]
        _work_on(v, level, n)
    v.position += n


@njit(nogil=True, error_model="numpy", cache=True)
def silence(v):  # type: ignore[no-untyped-def]
    """Forget all input."""
    v.position = 0
    _recent(v)[...] = 0.0
    _ring(v)[...] = 0.0
    for k in range(v.levels):
        level = view_level(_level(v)[k])
        level.next = 0
        _out(level)[...] = 0.0
        _spectra(level)[...] = 0.0
