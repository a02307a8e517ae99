"""A whisperer made from a speaker: the WORLD vocoder with breath for its only source."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import ConfigError

from ...legacy import import_legacy
from ..manifest import SAMPLE_RATE

Array = npt.NDArray[np.float32]
RATE, PERIOD_MS = 16000, 5.0
PRE_EMPHASIS = 0.6  # a whisper is brighter than a voice: Ito et al., Speech Communication 45, 2005


def whisper(x: Array) -> Array:
    """Keep the spectral envelope, replace the voice by noise.

    WORLD (Morise et al., IEICE Trans. E99-D(7), 2016): pitch by DIO, envelope by CheapTrick, then
    synthesis with no pitch and full aperiodicity.  The work is done at 16 kHz, the bandwidth of the
    recordings.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
        At 48 kHz.

    Returns
    -------
    ndarray [shape=(n,), float32]
        At the same mean power.
    """
    try:
        pyworld = import_legacy("pyworld")
    except ImportError:
        raise ConfigError("the whisper teacher needs pyworld; run: pip install pyworld") from None
    low = soxr.resample(x.astype(np.float64), SAMPLE_RATE, RATE)
    pitch, times = pyworld.dio(low, RATE, frame_period=PERIOD_MS)
    pitch = pyworld.stonemask(low, pitch, times, RATE)
    envelope = pyworld.cheaptrick(low, pitch, times, RATE)
    breath = pyworld.synthesize(
        np.zeros_like(pitch), envelope, np.ones_like(envelope), RATE, PERIOD_MS
    )
    breath[1:] -= PRE_EMPHASIS * breath[:-1]
    y = soxr.resample(breath, RATE, SAMPLE_RATE)[: len(x)]
    y = np.pad(y, (0, len(x) - len(y)))
    power = np.mean(np.square(y)) + 1e-12
    return np.asarray(
        y * np.sqrt(np.mean(np.square(x, dtype=np.float64)) / power), dtype=np.float32
    )
