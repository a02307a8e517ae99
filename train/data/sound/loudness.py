"""Programme loudness after ITU-R BS.1770-4 and its normalisation, by pyloudnorm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from realtime.errors import ConfigError

from .preprocess import checked

Array = npt.NDArray[np.float32]
BLOCK = 0.4  # seconds of one gating block of BS.1770
CEILING_DB = -1.0  # dBTP, after EBU R 128
OVERSAMPLING = 4  # BS.1770 annex 2
PART, OVERLAP = 1 << 20, 64  # samples worked on at a time; more than half the filter
LARGEST_GAIN_DB = 60.0  # what is quieter is noise, not sound to be raised


def loudness(x: Array, sample_rate: int) -> float:
    """Integrated loudness.

    Sounds shorter than a gating block (0.4 s) are measured as one block of their own length.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    sample_rate : int [Hz]

    Returns
    -------
    float [LUFS]
        ``-inf`` for silence, or for what lies below the absolute gate of -70.
    """
    import pyloudnorm

    x = checked(x)
    if len(x) == 0 or not np.any(x):
        return -np.inf
    block = min(BLOCK, (len(x) - 0.5) / sample_rate)
    if len(x) < 16:
        return -np.inf
    meter = pyloudnorm.Meter(sample_rate, block_size=block)
    with np.errstate(divide="ignore"):
        return float(meter.integrated_loudness(x.astype(np.float64)))


def true_peak(x: Array) -> float:
    """Largest value between the samples, found at four times the rate (BS.1770-4, annex 2)."""
    x = checked(x)
    if len(x) == 0:
        return 0.0
    highest = float(np.abs(x).max())
    for start in range(0, len(x), PART):
        before = min(start, OVERLAP)
        part = x[start - before : start + PART + OVERLAP].astype(np.float64)
        dense = np.abs(resample_poly(part, OVERSAMPLING, 1))
        own = slice(OVERSAMPLING * before, OVERSAMPLING * (before + PART))
        highest = max(highest, float(dense[own].max()))
    return highest


def loudness_normalise(
    x: Array, sample_rate: int, target_lufs: float = -23.0, ceiling_db: float = CEILING_DB
) -> Array:
    """Bring a sound to a loudness by one gain, and less where its true peak would pass the ceiling.

    Silence comes back as it is.  No gain is above 60 dB.
    """
    if not -70 < target_lufs <= 0:
        raise ConfigError(f"loudness must be above -70 and at most 0 LUFS, got {target_lufs:g}")
    x = checked(x)
    found = loudness(x, sample_rate)
    if not np.isfinite(found):
        return x
    gain = 10 ** (min(target_lufs - found, LARGEST_GAIN_DB) / 20)
    peak = true_peak(x)
    gain = min(gain, 10 ** (ceiling_db / 20) / peak)
    return np.asarray(x * np.float32(gain), dtype=np.float32)
