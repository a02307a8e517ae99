"""A whisperer made from a speaker: the WORLD vocoder with breath for its only source."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from ..manifest import SAMPLE_RATE
from ..sound.world import PERIOD_MS, RATE, analysed, world

Array = npt.NDArray[np.float32]
PRE_EMPHASIS = 0.6  # a whisper is brighter than a voice: Ito et al., Speech Communication 45, 2005


def whisper(x: Array) -> Array:
    """Keep the spectral envelope, replace the voice by noise.

    WORLD's analysis (:mod:`train.data.sound.world`), then synthesis with no pitch and full
    aperiodicity.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
        At 48 kHz.

    Returns
    -------
    ndarray [shape=(n,), float32]
        At the same mean power.
    """
    envelope, pitch = analysed(x)
    breath = world().synthesize(
        np.zeros_like(pitch), envelope, np.ones_like(envelope), RATE, PERIOD_MS
    )
    breath[1:] -= PRE_EMPHASIS * breath[:-1]
    y = soxr.resample(breath, RATE, SAMPLE_RATE)[: len(x)]
    y = np.pad(y, (0, len(x) - len(y)))
    power = np.mean(np.square(y)) + 1e-12
    return np.asarray(
        y * np.sqrt(np.mean(np.square(x, dtype=np.float64)) / power), dtype=np.float32
    )
