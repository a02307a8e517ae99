"""Columns of a spectrogram: the newest samples, in bands of equal ratio."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BANDS, LOWEST_HZ, HIGHEST_HZ = 96, 40.0, 20_000.0
WINDOW_SECONDS = 0.08
FLOOR_DB = -100.0
MOST_CHANNELS = 2


class Spectrum:
    """The last :data:`WINDOW_SECONDS` of a signal and its spectrum.

    A band shows its strongest bin, or where it is narrower than a bin, the amplitude interpolated
    at its centre; a sine of full scale shows as 0 dBFS (less the Hann window's scalloping of at
    most 1.4 dB).

    Parameters
    ----------
    sample_rate : float [Hz]
    """

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        n = 1 << int(np.ceil(np.log2(WINDOW_SECONDS * sample_rate)))
        self._window = np.hanning(n + 1)[:-1].astype(np.float32)
        self._window *= np.float32(2.0 / self._window.sum())
        self._kept = np.zeros((1, n), dtype=np.float32)
        bin_hz = sample_rate / n
        edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
        low = np.ceil(edges[:-1] / bin_hz).astype(np.int64)
        high = np.ceil(edges[1:] / bin_hz).astype(np.int64)
        last = n // 2
        self._places = np.sqrt(edges[:-1] * edges[1:]) / bin_hz
        self._heard = self._places < last
        self._wide = (high > low) & (low < last)
        self._pairs = np.minimum(np.stack([low, high], axis=1)[self._wide], last).ravel()

    def take(self, x: npt.NDArray[np.float32]) -> None:
        """Take new samples ``x [shape=(channels, n)]``."""
        x = np.nan_to_num(x[:MOST_CHANNELS], nan=0.0, posinf=0.0, neginf=0.0)
        length = self._kept.shape[1]
        if self._kept.shape[0] != x.shape[0]:
            self._kept = np.zeros((x.shape[0], length), dtype=np.float32)
        n = min(x.shape[1], length)
        if n:
            self._kept[:, : length - n] = self._kept[:, n:]
            self._kept[:, length - n :] = x[:, x.shape[1] - n :]

    def column(self) -> bytes:
        """One byte a band, low to high: 0..255 for -100..0 dBFS.

        Channels are averaged by their power.
        """
        spectra = np.abs(np.fft.rfft(self._kept * self._window, axis=1))
        amplitude = np.sqrt(np.square(spectra).mean(axis=0))
        found = np.where(
            self._heard, np.interp(self._places, np.arange(len(amplitude)), amplitude), 0.0
        )
        if len(self._pairs):
            strongest = np.maximum.reduceat(amplitude, self._pairs)[::2]
            found[self._wide] = np.maximum(found[self._wide], strongest)
        levels = 20.0 * np.log10(np.maximum(found, 1e-9))
        steps = np.rint((levels - FLOOR_DB) * (255.0 / -FLOOR_DB))
        return np.clip(steps, 0.0, 255.0).astype(np.uint8).tobytes()
