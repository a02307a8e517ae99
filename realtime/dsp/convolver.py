"""Lay a response out for :mod:`realtime.dsp.convolution`."""

from __future__ import annotations

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

SIZES = (CELL, 512, 4096)  # of the levels, as far as the response goes
SLICE = 1024  # bins multiplied in one step
ALIGN = 16  # floats
# what a step takes a bin [about ns]
TRANSFORM_COST, MULTIPLY_COST = 0.8, 0.7


class Convolver:
    """Owner of the memory of one convolution.

    Parameters
    ----------
    responses : ndarray [shape=(responses, taps), float]
        Channel `c` plays response ``c % responses``.
    channels : int

    Attributes
    ----------
    record : Record
        :data:`realtime.dsp.convolution.CONVOLVER`.
    """

    def __init__(
        self,
        responses: npt.NDArray[np.floating],
        channels: int,
        sizes: tuple[int, ...] = SIZES,
    ) -> None:
        many, taps = responses.shape
        sizes = tuple(b for b in sizes if taps > 2 * b)
        ends = [2 * b for b in sizes[1:]] + [taps] * (len(sizes) > 0)
        self.levels = [
            _level(responses[:, 2 * b : end], b, channels)
            for b, end in zip(sizes, ends, strict=True)
        ]
        self.record = v = CONVOLVER.make(
            channels=channels,
            responses=many,
            levels=len(self.levels),
            ring_length=4 * max(sizes, default=CELL),
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

    def add(kind: int, channel: int, index: int, begin: int, end: int, cost: float) -> None:
        rows.append((kind, index, channel, begin, end, 0))
        costs.append(cost * (end - begin))

    for c in range(channels):
        add(PACK, c, 0, 0, size, TRANSFORM_COST)
        for k in range(passes):
            add(FORWARD, c, k, 0, size, TRANSFORM_COST)
        add(UNPACK, c, 0, 0, size, TRANSFORM_COST)
        for p in range(partitions):
            cuts = [*range(0, size, SLICE), size + 1]
            for begin, end in zip(cuts, cuts[1:], strict=False):
                add(MULTIPLY, c, p, begin, end, MULTIPLY_COST)
        add(REPACK, c, 0, 0, size, TRANSFORM_COST)
        for k in range(passes):
            add(INVERSE, c, k, 0, size, TRANSFORM_COST)
        add(OUT, c, 0, 0, size, 0.5 * TRANSFORM_COST)
    program = np.array(rows, dtype=np.int64).reshape(-1, COLUMNS)
    before = np.cumsum([0.0, *costs])
    program[:, START] = np.floor(before[:-1] / before[-1] * size)
    return program
