"""Spectrograms as PNG files, written with the standard library and numpy alone."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from .sounds import Samples

N_FFT = 4096
LOW, HIGH = 30.0, 20000.0  # Hz
RANGE_DB = 90.0
COLOURS = (  # dark to bright, evenly spaced
    (0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122), (229, 80, 100),
    (251, 135, 97), (254, 194, 135), (252, 253, 191),
)  # fmt: skip


def levels(x: npt.NDArray[np.floating], rate: int, width: int, height: int) -> Samples:
    """Level in dB over log frequency and time ``[height, width]``, the highest pitch first.

    A pixel shows the strongest bin of its band, so that no thin line is lost.
    """
    starts = np.linspace(-N_FFT // 2, len(x) - N_FFT // 2, width).astype(int)
    padded = np.pad(np.asarray(x, dtype=np.float64), N_FFT)
    window = np.hanning(N_FFT)
    frames = np.stack([padded[s + N_FFT : s + 2 * N_FFT] for s in starts]) * window
    size = np.abs(np.fft.rfft(frames)) / window.sum() * 2.0
    edges = np.geomspace(LOW, min(HIGH, 0.49 * rate), height + 1) * N_FFT / rate
    rows = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        a = int(low)
        rows.append(size[:, a : max(a + 1, int(np.ceil(high)))].max(axis=1))
    return 20.0 * np.log10(np.stack(rows[::-1]) + 1e-10)


def colours(level: Samples, top: float) -> npt.NDArray[np.uint8]:
    """Paint dB, :data:`RANGE_DB` deep under `top` ``[h, w] -> [h, w, 3]``."""
    part = np.clip((level - top) / RANGE_DB + 1.0, 0.0, 1.0)
    places = np.linspace(0.0, 1.0, len(COLOURS))
    table = np.array(COLOURS, dtype=np.float64)
    painted = [np.interp(part, places, table[:, channel]) for channel in range(3)]
    return np.stack(painted, axis=2).astype(np.uint8)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of ``pixels [height, width, 3]`` (RFC 2083)."""
    height, width = pixels.shape[:2]
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + chunk(b"IEND", b"")
    )
