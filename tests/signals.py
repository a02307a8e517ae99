"""Signals the tests play, and small measurements on what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def noise(samples: int, channels: int = 1, level: float = 0.2, seed: int = 0) -> Array:
    """White noise of amplitude `level`, uniformly distributed ``[channels, samples]``."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-level, level, (channels, samples)).astype(np.float32)


def impulse(samples: int, at: int, channels: int = 1, height: float = 0.5) -> Array:
    """One sample of `height` at position `at` ``[channels, samples]``."""
    x = np.zeros((channels, samples), dtype=np.float32)
    x[:, at] = height
    return x


def sine(samples: int, frequency: float, level: float = 0.5, rate: int = 48000) -> Array:
    """A sine ``[1, samples]``."""
    phase = 2.0 * np.pi * frequency * np.arange(samples) / rate
    return (level * np.sin(phase)).astype(np.float32)[None]


def cut(x: Array, sizes: Sequence[int]) -> Iterator[Array]:
    """Cut ``x [channels, n]`` into blocks of the given sizes, cycled through."""
    start, k = 0, 0
    while start < x.shape[1]:
        end = min(start + sizes[k % len(sizes)], x.shape[1])
        yield np.ascontiguousarray(x[:, start:end])
        start, k = end, k + 1


def random_sizes(seed: int, largest: int = 1500, count: int = 200) -> list[int]:
    """Random block sizes, small ones as likely as large ones."""
    rng = np.random.default_rng(seed)
    return [int(v) for v in np.exp(rng.uniform(0.0, np.log(largest), count)).round()]


def delayed(x: Array, by: int) -> Array:
    """`x` later by `by` samples, the same length."""
    y = np.zeros_like(x)
    y[:, by:] = x[:, : x.shape[1] - by]
    return y
