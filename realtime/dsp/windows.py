"""Analysis and synthesis windows of the low-latency STFT (numpy only; training imports this too).

A long analysis window sees low notes, a short synthesis window keeps the delay small.  The pair is
that of Mauler & Martin, "A low delay, variable resolution, perfect reconstruction spectral
analysis-synthesis system for speech enhancement" (EUSIPCO 2007): with K the analysis length, 2M
the synthesis length and R the hop, the product of the two windows is a Hann window of length 2M at
the newest end of the frame, which overlap-adds to one for every R that divides M.  The delay is
``2M - R`` samples on top of the hop itself, whatever K is.

The analysis window falls over its newest M samples, or, steeper, over fewer of them.  A filter in
the frame hears samples before the one it makes, and these were weighed by another value of the
window than that one wherever the window falls; what overlaps then no longer adds up to a constant,
and tones come at the hop rate.  With a steep fall nearly all of it lies where the window is flat.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError


def _hann(length: int, n: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 - np.cos(2.0 * np.pi * n / length)))


def check_geometry(n_fft: int, synthesis_length: int, hop_length: int) -> None:
    """Raise :class:`ConfigError` unless the three lengths allow perfect reconstruction."""
    if n_fft < 16 or n_fft & (n_fft - 1):
        raise ConfigError(f"n_fft must be a power of two of at least 16, got {n_fft}")
    if synthesis_length % 2 or not 2 <= synthesis_length <= n_fft:
        raise ConfigError(
            f"synthesis_length must be even and at most n_fft = {n_fft}, got {synthesis_length}"
        )
    half = synthesis_length // 2
    if hop_length < 1 or half % hop_length:
        raise ConfigError(
            f"hop_length must divide half the synthesis window ({half} samples), got {hop_length}"
        )


def asymmetric_windows(
    n_fft: int, synthesis_length: int, hop_length: int, fall: int | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the (analysis, synthesis) window pair.

    Parameters
    ----------
    n_fft : int [samples]
        Analysis and transform length K, a power of two.
    synthesis_length : int [samples]
        2M: only the newest 2M samples of each inverse transform are kept.
    hop_length : int [samples]
        R, a divisor of M.
    fall : int or None [samples]
        Over how many newest samples the analysis window falls; None: M.

    Returns
    -------
    analysis : ndarray [shape=(n_fft,), float32]
    synthesis : ndarray [shape=(synthesis_length,), float32]
        For the newest `synthesis_length` samples of the frame; the overlap-add scale R/M is in it.

    Raises
    ------
    ConfigError
        When the lengths cannot reconstruct.
    """
    check_geometry(n_fft, synthesis_length, hop_length)
    k, two_m, m = n_fft, synthesis_length, synthesis_length // 2
    f = m if fall is None else fall
    if not 1 <= f <= m:
        raise ConfigError(f"the window's fall must be 1 to {m} samples, got {fall}")
    rise = np.arange(k - f, dtype=np.float64)
    newest = np.arange(f, 2 * f, dtype=np.float64)
    analysis = np.concatenate([np.sqrt(_hann(2 * (k - f), rise)), np.sqrt(_hann(2 * f, newest))])
    tail = np.arange(k - two_m, k, dtype=np.float64)
    product = _hann(two_m, tail - (k - two_m)) * (hop_length / m)
    kept = analysis[k - two_m :]
    synthesis = np.divide(product, kept, out=np.zeros(two_m), where=kept > 1e-12)
    return analysis.astype(np.float32), synthesis.astype(np.float32)
