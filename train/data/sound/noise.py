"""What microphones and lines add: coloured noise, hum, and a band that was never recorded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len
from scipy.signal import butter, sosfilt

from realtime.errors import ConfigError, nearest

Array = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.float64]
COLOURS = ("white", "pink", "brown", "hum")
EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}  # power falls as 1 / f to this
LOWEST_HZ = 20.0


def coloured_noise(
    n: int, colour: str, rng: np.random.Generator, sample_rate: int = 48000
) -> Array:
    """Noise of unit RMS.

    Parameters
    ----------
    n : int [samples]
    colour : str
        ``white``, ``pink`` (1/f), ``brown`` (1/f²), flat below 20 Hz; or ``hum``: 50 or 60 Hz and
        its harmonics, falling by 6 dB per octave, over pink noise 20 dB lower.

    Returns
    -------
    ndarray [shape=(n,), float32]
    """
    if colour not in COLOURS:
        raise ConfigError(
            f"no noise '{colour}'{nearest(colour, COLOURS)}; there are {', '.join(COLOURS)}"
        )
    if n < 1:
        return np.zeros(0, dtype=np.float32)
    if colour == "hum":
        hz, time = float(rng.choice((50.0, 60.0))), np.arange(n) / sample_rate
        y = 0.1 * coloured_noise(n, "pink", rng, sample_rate).astype(np.float64)
        tones = np.zeros(n)
        for k in range(1, 11):
            tones += np.sin(2 * np.pi * (k * hz * time + rng.random())) / k
        y += tones / _rms(tones)
    else:
        exponent = -EXPONENTS[colour] / 2
        y = _shaped(n, sample_rate, rng, lambda hz: np.maximum(hz, LOWEST_HZ) ** exponent)
    return np.asarray(y / _rms(y), dtype=np.float32)


def fill_high_band(
    x: Array,
    sample_rate: int,
    rng: np.random.Generator,
    from_hz: float = 7500.0,
    level_db: float = -12.0,
) -> Array:
    """Give narrow-band speech a band above `from_hz`, as a live microphone would.

    Noise shaped in time by the envelope of the octave below `from_hz`, falling by 12 dB per octave:
    fricatives, which fill that band in speech, are such noise (the high-band model of harmonic plus
    noise coding, Stylianou, 1996).  It has nothing of its own to say: silence stays silent.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    sample_rate : int [Hz]
    from_hz : float
        Where the recorded band ends.
    level_db : float
        Power of the new band relative to the octave below `from_hz`.

    Returns
    -------
    ndarray [shape=(n,), float32]
    """
    if not 100 <= from_hz < 0.45 * sample_rate:
        raise ConfigError(f"from_hz must be from 100 to {0.45 * sample_rate:g}, got {from_hz:g}")
    if len(x) < 256 or not np.any(x):
        return x
    octave = butter(4, (from_hz / 2, 0.95 * from_hz), "bandpass", fs=sample_rate, output="sos")
    smooth = butter(1, 200.0, fs=sample_rate, output="sos")
    heard = sosfilt(octave, x.astype(np.float64))
    envelope = np.maximum(sosfilt(smooth, np.abs(heard)), 0.0)
    band = envelope * _shaped(
        len(x),
        sample_rate,
        rng,
        lambda hz: (
            np.sqrt(1 - 1 / (1 + (hz / from_hz) ** 32))  # Butterworth, order 16
            / np.sqrt(1 + (hz / (1.5 * from_hz)) ** 4)
        ),
    )
    power = float(np.square(band).mean())
    if power == 0:
        return x
    gain = np.sqrt(np.square(heard).mean() / power) * 10 ** (level_db / 20)
    return np.asarray(x + gain * band, dtype=np.float32)


def _shaped(
    n: int, sample_rate: int, rng: np.random.Generator, gain: Callable[[Spectrum], Spectrum]
) -> Spectrum:
    """Gaussian noise with a magnitude response over Hz, drawn as a spectrum."""
    length = next_fast_len(n, real=True)
    parts = rng.standard_normal((2, length // 2 + 1))
    hz = np.arange(length // 2 + 1) * (sample_rate / length)
    return np.asarray(irfft((parts[0] + 1j * parts[1]) * gain(hz), n=length)[:n])


def _rms(x: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(x).mean())) or 1.0
