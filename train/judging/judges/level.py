"""How loud: ITU-R BS.1770 by pyloudnorm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .packages import require

Array = npt.NDArray[np.float32]
SILENCE = -70.0  # LUFS, the standard's absolute gate


def loudness(samples: Array, rate: int = 48000) -> float:
    """Integrated loudness in LUFS of a mono recording; -70 for silence or less than 0.4 s."""
    if len(samples) < 0.4 * rate or not np.any(samples):
        return SILENCE
    meter = require("pyloudnorm").Meter(rate)
    return float(max(SILENCE, meter.integrated_loudness(samples.astype(np.float64))))
