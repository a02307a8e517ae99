"""What a sine looks like after processing: its level, and everything that is not it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def fit(y: Array, frequency: float, rate: int) -> tuple[float, float]:
    """Amplitude and THD+N of a sine by least squares.

    Parameters
    ----------
    y : ndarray [shape=(n,)]
    frequency : float [Hz]
    rate : int [Hz]

    Returns
    -------
    amplitude : float
    distortion_db : float
        Power of what is neither the sine, its linear drift over the stretch, nor an offset,
        relative to the sine.
    """
    t = np.arange(y.size) / rate
    s, c = np.sin(2 * np.pi * frequency * t), np.cos(2 * np.pi * frequency * t)
    base = np.stack([s, c, t * s, t * c, np.ones_like(t)])
    found = np.linalg.lstsq(base.T, y.astype(np.float64), rcond=None)[0]
    sine = found @ base
    rest = np.mean((y - sine) ** 2)
    return float(np.hypot(found[0], found[1])), float(10 * np.log10(rest / np.mean(sine**2)))


def sine(samples: int, frequency: float, rate: int, level: float = 0.5) -> Array:
    """A sine ``[1, samples]``, float32."""
    phase = 2.0 * np.pi * frequency * np.arange(samples) / rate
    return np.asarray(level * np.sin(phase), dtype=np.float32)[None]
