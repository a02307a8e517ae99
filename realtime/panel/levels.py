"""Exact levels of the sound that passed between two looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FLOOR_DB = -120.0
FULL_SCALE = 1.0 - 2.0**-15  # the last step of 16 bits
RMS_SECONDS = 0.3


class Level:
    """Peak, mean square and clipping of one signal.

    The peak is that of the samples since the last look, for whoever holds it; the mean square is
    averaged over about :data:`RMS_SECONDS`.
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._power: float | None = None
        self._clip = False

    def take(self, x: npt.NDArray[np.float32], sample_rate: float) -> None:
        """Take the samples ``x [shape=(channels, n)]`` of one look; none change nothing."""
        if x.size == 0:
            return
        clean = np.nan_to_num(x, nan=0.0, posinf=1.0, neginf=-1.0)
        self._peak = float(np.abs(clean).max())
        keep = float(np.exp(-x.shape[1] / (RMS_SECONDS * sample_rate)))
        power = float(np.square(clean).mean())
        before = power if self._power is None else self._power
        self._power = keep * before + (1.0 - keep) * power
        # a peak that just reaches full scale is not clipped; three samples in a row there are
        full = np.abs(clean) >= FULL_SCALE
        self._clip = bool((full[:, 2:] & full[:, 1:-1] & full[:, :-2]).any())

    def to_dict(self) -> dict[str, Any]:
        """As sent to the page."""
        return {
            "peak_db": decibels(self._peak),
            "rms_db": decibels((self._power or 0.0) ** 0.5),
            "clip": self._clip,
        }


def decibels(amplitude: float) -> float:
    """Amplitude to dBFS, not below :data:`FLOOR_DB`, in hundredths."""
    if not amplitude > 10 ** (FLOOR_DB / 20):
        return FLOOR_DB
    return round(20.0 * float(np.log10(amplitude)), 2)
