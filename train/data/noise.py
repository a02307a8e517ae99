"""What microphones and lines add: coloured noise, hum, and a band that was never recorded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt, sosfiltfilt

from realtime.errors import ConfigError, nearest

Array = npt.NDArray[np.float32]
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
        spectrum = np.fft.rfft(rng.standard_normal(n))
        hz_axis = np.maximum(np.fft.rfftfreq(n, 1 / sample_rate), LOWEST_HZ)
        y = np.fft.irfft(spectrum * hz_axis ** (-EXPONENTS[colour] / 2), n=n)
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
    above = butter(8, from_hz, "highpass", fs=sample_rate, output="sos")
    slope = butter(2, 1.5 * from_hz, fs=sample_rate, output="sos")
    heard = sosfilt(octave, x.astype(np.float64))
    envelope = np.maximum(sosfilt(smooth, np.abs(heard)), 0.0)
    noise = sosfiltfilt(above, rng.standard_normal(len(x)))
    band = sosfilt(slope, noise) * envelope
    power = float(np.square(band).mean())
    if power == 0:
        return x
    gain = np.sqrt(np.square(heard).mean() / power) * 10 ** (level_db / 20)
    return np.asarray(x + gain * band, dtype=np.float32)


def _rms(x: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(x).mean())) or 1.0
