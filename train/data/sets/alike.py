"""Which files are one recording in another coding: other bits, rate, channels, codec or lead-in.

What sounds alike roughly (level over time and frequency) is compared exactly: the normalised
cross-correlation of the waveforms below 1.8 kHz, at the delay where it is greatest.  Codecs keep
that band's waveform; two takes of the same tune do not share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from realtime.audio_files import Clip

RATE = 4000
MIDDLE = 6.0  # seconds about a recording's middle that are compared
PARTS, FRAME = 8, 128  # of time, and samples of a spectrum, for the rough look
LAG = 0.25  # seconds by which codecs and cuts may delay
LIKE = 0.9  # of rough looks whose waveforms are compared
SAME = 0.8  # of waveforms: codecs leave 0.95 and more, other takes 0.3 and less
NEAREST = 20  # files that one is compared with at most

Array = npt.NDArray[np.float32]


def middle(clip: Clip) -> Array:
    """A recording's middle at :data:`RATE` as one channel ``[n]``, of power 1 (or silent)."""
    n, rate = clip.samples.shape[1], clip.sample_rate
    half = round(MIDDLE / 2 * rate)
    part = clip.samples[:, max(0, n // 2 - half) : n // 2 + half].mean(axis=0)
    x = np.asarray(soxr.resample(part, rate, RATE), dtype=np.float32)
    x -= x.mean() if len(x) else np.float32(0.0)
    power = float(np.mean(x.astype(np.float64) ** 2)) if len(x) else 0.0
    return x / np.float32(np.sqrt(power)) if power > 1e-12 else x


def rough(x: Array) -> Array:
    """Level in eight parts of time and 65 bands, as a vector of length 1."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, (0, FRAME)), FRAME)[:: FRAME // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    parts = [p.mean(axis=0) for p in np.array_split(power, PARTS) if len(p)]
    level = 10.0 * np.log10(np.stack(parts) + 1e-4 * max(1e-12, float(power.max())))
    level -= level.mean()
    vector = np.zeros(PARTS * (FRAME // 2 + 1), dtype=np.float32)
    vector[: level.size] = level.ravel()
    return vector / max(1e-9, float(np.linalg.norm(vector)))


def likeness(a: Array, b: Array) -> float:
    """The greatest normalised cross-correlation of two ``[n]`` within :data:`LAG` (0 to 1)."""
    size = 1 << (len(a) + len(b)).bit_length()
    found = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    lag = round(LAG * RATE)
    near = np.abs(np.concatenate([found[: lag + 1], found[-lag:]]))
    whole = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(near.max()) / whole if whole > 0.0 else 0.0


def met_before(
    looks: Sequence[Array],
    seconds: Sequence[float],
    files: Sequence[Path],
    read: Callable[[Path], Clip],
) -> dict[int, int]:
    """Of each file that is a recording met before, by number: an earlier file of it.

    Parameters
    ----------
    looks : sequence of [520]
        :func:`rough` of each file's :func:`middle`.
    seconds : sequence of float
        How long each is: what differs by more than twice :data:`LAG` is another recording.
    read : callable
        Reads a file again where it is compared exactly.
    """

    @lru_cache(maxsize=4 * NEAREST)
    def heard(k: int) -> Array:
        return middle(read(files[k]))

    found: dict[int, int] = {}
    table = np.stack(looks) if looks else np.zeros((0, 0), dtype=np.float32)
    length = np.asarray(seconds)
    for k in range(1, len(looks)):
        like = table[:k] @ table[k]
        like[np.abs(length[:k] - length[k]) > 2 * LAG] = 0.0
        nearest = np.argsort(like)[::-1][:NEAREST]
        for other in (int(j) for j in nearest if like[j] >= LIKE):
            if likeness(heard(other), heard(k)) >= SAME:
                found[k] = other
                break
    return found
