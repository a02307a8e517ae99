"""Numbers that people have words for: what a knob changes, measured on the sound.

Each rises with the word.  All but the loudness ignore the level.  Frames more than 40 dB below the
loudest count as silence.  After Peeters et al., "The Timbre Toolbox", JASA 2011.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
N_FFT, HOP, DEPTH_DB = 2048, 512, 40.0
NAMES = ("loudness", "brightness", "noisiness", "warmth", "presence", "air", "attack", "width")
UNITS = {
    "loudness": "dB", "brightness": "octaves", "noisiness": "dB", "warmth": "dB",
    "presence": "dB", "air": "dB", "attack": "dB", "width": "octaves",
}  # fmt: skip


def describe(x: Array, rate: int = 48000) -> dict[str, float]:
    """Descriptors of a mono recording ``[shape=(n,)]``, means over its sounding frames.

    Returns
    -------
    dict
        ``loudness``: mean power in dB; ``brightness``: spectral centroid in octaves over 1 Hz;
        ``noisiness``: spectral flatness from 100 Hz to 12 kHz in dB; ``warmth``, ``presence``,
        ``air``: share of power below 400 Hz, from 2 to 6 kHz, above 8 kHz, in dB; ``attack``: mean
        rise of the level from frame to frame, in dB; ``width``: deviation of the spectrum around
        its centroid in octaves over 1 Hz.
    """
    padded = np.pad(x, (0, max(0, N_FFT - len(x)))).astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT))) ** 2 / N_FFT + 1e-12
    hz = np.fft.rfftfreq(N_FFT, 1 / rate)
    total = power.sum(axis=1)
    decibel = 10 * np.log10(total)
    heard = decibel > decibel.max() - DEPTH_DB
    power, total = power[heard], total[heard]

    def share(low: float, high: float) -> float:
        part = power[:, (hz >= low) & (hz < high)].sum(axis=1)
        return float(np.mean(10 * np.log10(part / total + 1e-9)))

    tones = power[:, (hz >= 100) & (hz < 12000)]
    flatness = np.log(tones).mean(axis=1) - np.log(tones.mean(axis=1))
    centroid = power @ hz / total
    variance = np.maximum(power @ hz**2 / total - centroid**2, 1.0)
    return {
        "loudness": 10 * float(np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-12)),
        "brightness": float(np.mean(np.log2(centroid + 1.0))),
        "noisiness": 10 / np.log(10) * float(np.mean(flatness)),
        "warmth": share(0, 400),
        "presence": share(2000, 6000),
        "air": share(8000, rate),
        "attack": float(np.mean(np.maximum(np.diff(np.maximum(decibel, decibel.max() - 60)), 0))),
        "width": float(np.mean(0.5 * np.log2(variance))),
    }
