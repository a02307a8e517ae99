"""Duration without pitch and pitch without duration: a phase vocoder with locked phases.

Flanagan & Golden (1966) as a short-time Fourier transform (Portnoff, 1976); bins between two peaks
keep their phase relative to the peak they belong to (Laroche & Dolson, 1999, identity locking),
which keeps attacks and voices from smearing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import ConfigError

from .preprocess import checked

Array = npt.NDArray[np.float32]
N_FFT = 2048
HOP = N_FFT // 4


def time_stretch(x: Array, factor: float, n_fft: int = N_FFT) -> Array:
    """Make a sound `factor` times as long, pitch kept.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    factor : float
        From 0.25 to 4.

    Returns
    -------
    ndarray [shape=(round(n * factor),), float32]
    """
    if not 0.25 <= factor <= 4:
        raise ConfigError(f"stretch must be from 0.25 to 4, got {factor:g}")
    x = checked(x)
    length = round(len(x) * factor)
    if factor == 1 or length == 0:
        return x if factor == 1 else x[:0]
    hop, half = n_fft // 4, n_fft // 2
    window = np.hanning(n_fft + 1)[:-1]
    padded = np.pad(x.astype(np.float64), (half + hop, n_fft + hop))
    steps = length // hop + 2
    out, weight = np.zeros(steps * hop + n_fft), np.zeros(steps * hop + n_fft)
    advance = 2 * np.pi * hop * np.arange(half + 1) / n_fft
    phase: npt.NDArray[np.float64] | None = None
    for step in range(steps):
        at = min(round(step * hop / factor), len(padded) - n_fft - hop)
        old, new = (np.fft.rfft(padded[b : b + n_fft] * window) for b in (at, at + hop))
        size, angle = np.abs(new), np.angle(new)
        if phase is None:
            phase = angle
        else:
            deviation = angle - np.angle(old) - advance
            deviation -= 2 * np.pi * np.round(deviation / (2 * np.pi))
            phase = _locked(size, angle, phase + advance + deviation)
        place = slice(step * hop, step * hop + n_fft)
        out[place] += np.fft.irfft(size * np.exp(1j * phase)) * window
        weight[place] += window**2
    y = out / np.maximum(weight, 1e-3)
    return np.asarray(y[half : half + length], dtype=np.float32)


def _locked(
    size: npt.NDArray[np.float64],
    angle: npt.NDArray[np.float64],
    phase: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Turn every bin by what the nearest peak turns."""
    inner = size[2:-2]
    peaks = 2 + np.flatnonzero(
        (inner > size[1:-3]) & (inner > size[3:-1]) & (inner > size[:-4]) & (inner > size[4:])
    )
    if len(peaks) == 0:
        return phase
    borders = (peaks[1:] + peaks[:-1] + 1) // 2
    owner = peaks[np.searchsorted(borders, np.arange(len(size)), side="right")]
    return np.asarray(angle + (phase - angle)[owner])


def pitch_shift(x: Array, semitones: float, n_fft: int = N_FFT) -> Array:
    """Raise or lower the pitch, duration kept: stretched, then played faster (or the reverse).

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    semitones : float
        From -24 to 24.

    Returns
    -------
    ndarray [shape=(n,), float32]
    """
    if not -24 <= semitones <= 24:
        raise ConfigError(f"pitch must be from -24 to 24 semitones, got {semitones:g}")
    x = checked(x)
    if semitones == 0 or len(x) == 0:
        return x
    ratio = 2 ** (semitones / 12)
    y = np.asarray(soxr.resample(time_stretch(x, ratio, n_fft), ratio, 1.0, quality="VHQ"))
    return np.asarray(np.pad(y, (0, max(0, len(x) - len(y))))[: len(x)], dtype=np.float32)
