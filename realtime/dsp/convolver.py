"""Lay a response out for :mod:`realtime.dsp.convolution`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..native.records import Record
from .convolution import (
    CELL,
    COLUMNS,
    CONVOLVER,
    FORWARD,
    HEAD,
    INVERSE,
    LEVEL,
    MULTIPLY,
    OUT,
    PACK,
    REPACK,
    START,
    UNPACK,
)
from .fft import count_passes, twiddles

# of the levels, and the shortest response for which each makes callbacks cheaper: measured
SIZES = {CELL: HEAD, 512: 3072, 4096: 65536}
SLICE = 1024  # bins multiplied in one step
ALIGN = 16  # floats
# what a step takes, relative to each other, for a sample or bin: measured
COSTS = {PACK: 0.5, FORWARD: 1.1, UNPACK: 0.9, MULTIPLY: 0.45, REPACK: 0.9, INVERSE: 1.1, OUT: 0.1}
FIRST_PASS_COST = 0.4


class Convolver:
    """Owner of the memory of one convolution.

    Parameters
    ----------
    responses : ndarray [shape=(responses, taps), float]
        Channel `c` plays response ``c % responses``.
    channels : int
    sizes : mapping of int to int [samples]
        As :data:`SIZES`.

    Attributes
    ----------
    record : Record
        :data:`realtime.dsp.convolution.CONVOLVER`.
    """

    def __init__(
        self,
        responses: npt.NDArray[np.floating],
        channels: int,
        sizes: Mapping[int, int] = SIZES,
    ) -> None:
        many, taps = responses.shape
        used = [b for b, least in sizes.items() if taps > least]
        ends = [*(2 * b for b in used[1:]), taps]
        self.levels = [
            _level(responses[:, 2 * b : end], b, channels)
            for b, end in zip(used, ends, strict=False)
        ]
        self.record = v = CONVOLVER.make(
            channels=channels,
            responses=many,
            levels=len(self.levels),
            ring_length=4 * max(used, default=CELL),
        )
        v.arrays["level"][:] = [level.address for level in self.levels]
        first = responses[:, :HEAD]
        v.arrays["head"][:, : first.shape[1]] = first
        self.address = v.address


def _level(responses: npt.NDArray[np.floating], size: int, channels: int) -> Record:
    """One level for what it covers of the responses."""
    many, taps = responses.shape
    partitions = -(-taps // size)
    passes = int(count_passes(size))
    rows = _steps(size, partitions, passes, channels)
    level = LEVEL.make(
        channels=channels,
        responses=many,
        size=size,
        bins=-(-(size + 1) // ALIGN) * ALIGN,
        partitions=partitions,
        passes=passes,
        steps=len(rows),
    )
    level.arrays["program"][:] = rows
    level.arrays["table"][:] = twiddles(2 * size)
    padded = np.zeros((many, partitions, 2 * size))
    padded[:, :, :size] = np.pad(responses, ((0, 0), (0, partitions * size - taps))).reshape(
        many, partitions, size
    )
    spectra = np.fft.rfft(padded)
    level.arrays["filters"][:, :, 0, : size + 1] = spectra.real
    level.arrays["filters"][:, :, 1, : size + 1] = spectra.imag
    return level


def _steps(size: int, partitions: int, passes: int, channels: int) -> npt.NDArray[np.int64]:
    """The program of a level: rows of :data:`realtime.dsp.convolution.COLUMNS` numbers."""
    rows: list[tuple[int, ...]] = []
    costs: list[float] = []

    def add(kind: int, channel: int, index: int = 0, begin: int = 0, end: int = size) -> None:
        rows.append((kind, index, channel, begin, end, 0))
        first = kind in (FORWARD, INVERSE) and index == 0
        costs.append((FIRST_PASS_COST if first else COSTS[kind]) * (end - begin))

    cuts = [*range(0, size, SLICE), size + 1]
    for c in range(channels):
        add(PACK, c)
        for k in range(passes):
            add(FORWARD, c, k)
        add(UNPACK, c)
        for p in range(partitions):
            for begin, end in zip(cuts, cuts[1:], strict=False):
                add(MULTIPLY, c, p, begin, end)
        add(REPACK, c)
        for k in range(passes):
            add(INVERSE, c, k)
        add(OUT, c)
    program = np.array(rows, dtype=np.int64).reshape(-1, COLUMNS)
    before = np.cumsum([0.0, *costs])
    program[:, START] = np.floor(before[:-1] / before[-1] * size)
    return program
