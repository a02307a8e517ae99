"""Steady noise lowered by a spectral gate.

Boll's spectral subtraction (IEEE ASSP-27(2), 1979) in its gating form: a noise floor is estimated
for every frequency, and bins that do not rise above it are turned down, smoothly in time and
frequency so that no "musical noise" is left.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from realtime.errors import ConfigError

from .preprocess import checked

Array = npt.NDArray[np.float32]
FRAME_MS = 32.0
QUIETEST = 0.1  # share of the frames taken for the noise, where no noise is given
SLOPE = 4.0  # steepness of the gate per factor of two in power


def spectral_gate(
    x: Array,
    sample_rate: int,
    noise: Array | None = None,
    threshold_db: float = 6.0,
    reduction_db: float = 20.0,
) -> Array:
    """Turn down time-frequency bins that hold no more than noise.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    sample_rate : int [Hz]
    noise : ndarray [shape=(m,), float32], optional
        A stretch of noise alone; by default the quietest tenth of the frames of `x` stands for it.
        Where that is digital silence nothing is lowered: crop such silence before.
    threshold_db : float
        How far above the noise a bin must be to pass.
    reduction_db : float
        By how much the others are lowered.

    Returns
    -------
    ndarray [shape=(n,), float32]
        A sound shorter than two frames (64 ms) comes back as it is.
    """
    if reduction_db < 0:
        raise ConfigError(f"denoise must lower by 0 dB or more, got {reduction_db:g}")
    x = checked(x)
    n_fft = 2 ** round(np.log2(max(64, FRAME_MS / 1000 * sample_rate)))
    if len(x) < 2 * n_fft or not np.any(x):
        return x
    transform = ShortTimeFFT(hann(n_fft, sym=False), n_fft // 4, fs=sample_rate)
    spectrum = transform.stft(x.astype(np.float64))
    power = np.square(np.abs(spectrum))
    floor = _floor(power) if noise is None else _mean_power(transform, checked(noise), n_fft)
    local = uniform_filter(power, size=(3, 5), mode="nearest")
    threshold = floor * 10 ** (threshold_db / 10)
    ratio = local / np.maximum(threshold, 1e-20)
    opened = ratio**SLOPE / (1 + ratio**SLOPE)
    lowest = 10 ** (-reduction_db / 20)
    gain = lowest + (1 - lowest) * uniform_filter(opened, size=(3, 3), mode="nearest")
    y = transform.istft(spectrum * gain, k1=len(x))
    return np.asarray(np.pad(y, (0, len(x) - len(y))), dtype=np.float32)


def _floor(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean power per bin over the quietest frames."""
    order = np.argsort(power.sum(axis=0))
    count = max(1, round(QUIETEST * len(order)))
    return np.asarray(power[:, order[:count]].mean(axis=1, keepdims=True))


def _mean_power(transform: ShortTimeFFT, noise: Array, n_fft: int) -> npt.NDArray[np.float64]:
    if len(noise) < 2 * n_fft:
        raise ConfigError(f"a noise sample needs {2 * n_fft} samples or more, got {len(noise)}")
    power = np.square(np.abs(transform.stft(noise.astype(np.float64))))
    return np.asarray(power[:, 2:-2].mean(axis=1, keepdims=True))
