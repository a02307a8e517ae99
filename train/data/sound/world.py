"""Pitch and spectral envelope of speech by the WORLD vocoder.

Morise et al., IEICE Trans. E99-D(7), 2016: pitch by DIO and StoneMask, envelope by CheapTrick.  The
work is done at 16 kHz, the bandwidth of recorded prompts and of synthesised speech.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import ConfigError

from ...legacy import import_legacy
from ..manifest import SAMPLE_RATE

RATE, PERIOD_MS = 16_000, 5.0


class Spoken(NamedTuple):
    """An envelope of power ``[frames, bins]`` up to 8 kHz, and the pitch [Hz], 0 where none is."""

    envelope: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.float64]


@cache
def world() -> Any:
    """The package pyworld.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        return import_legacy("pyworld")
    except ImportError:
        raise ConfigError("this needs pyworld; run: pip install pyworld") from None


def analysed(x: npt.NDArray[np.float32]) -> Spoken:
    """A frame every 5 ms of ``x [n]`` at 48 kHz."""
    low, pitch, times = _pitched(x)
    return Spoken(world().cheaptrick(low, pitch, times, RATE), pitch)


def pitch_of(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The pitch alone [Hz], 0 where none is."""
    return np.asarray(_pitched(x)[1])


def _pitched(x: npt.NDArray[np.float32]) -> tuple[Any, Any, Any]:
    low = soxr.resample(x.astype(np.float64), SAMPLE_RATE, RATE)
    pitch, times = world().dio(low, RATE, frame_period=PERIOD_MS)
    return low, world().stonemask(low, pitch, times, RATE), times
