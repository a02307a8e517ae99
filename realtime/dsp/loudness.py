"""Loudness by ITU-R BS.1770-5: K-weighted, gated, in LUFS.

The K-weighting's two biquads are given by the recommendation at 48 kHz; here they are taken as
their analogue prototypes' magnitude at any rate, and each gating block is weighted in the frequency
domain, where its power is the sum of its bins' (Parseval).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SILENCE_LUFS = -70.0  # the absolute gate
BLOCK_SECONDS, OVERLAP = 0.4, 4
_RELATIVE_GATE, _OFFSET = -10.0, -0.691
# biquads at 48 kHz (b, a): the head's shelf, and the high-pass that leaves rumble out
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGHPASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_RATE = 48000.0


def loudness(x: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Integrated loudness of ``x [shape=(channels, n)]`` in LUFS, channels of equal weight.

    :data:`SILENCE_LUFS` for silence and for less than 0.4 s.
    """
    block = round(BLOCK_SECONDS * sample_rate)
    hop = block // OVERLAP
    if x.shape[1] < block:
        return SILENCE_LUFS
    weight = _k_weight(np.arange(block // 2 + 1) * (sample_rate / block))
    weight[1 : (block + 1) // 2] *= 2.0  # both halves of the spectrum
    powers = np.array(
        [
            np.sum(weight * np.abs(np.fft.rfft(x[:, i : i + block], axis=1)) ** 2) / block**2
            for i in range(0, x.shape[1] - block + 1, hop)
        ]
    )
    heard = powers[_lufs(powers) > SILENCE_LUFS]
    if not len(heard):
        return SILENCE_LUFS
    heard = heard[_lufs(heard) > _lufs(heard.mean()) + _RELATIVE_GATE]
    return max(SILENCE_LUFS, float(_lufs(heard.mean())))


def _lufs(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return _OFFSET + 10.0 * np.log10(np.maximum(power, 1e-12))


def _k_weight(frequencies: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Squared magnitude of the K-weighting."""
    z = np.exp(-2j * np.pi * np.minimum(frequencies, 0.5 * _RATE) / _RATE)
    gain = np.ones(len(frequencies))
    for b, a in (_SHELF, _HIGHPASS):
        over = b[0] + b[1] * z + b[2] * z**2
        gain *= np.abs(over / (a[0] + a[1] * z + a[2] * z**2)) ** 2
    return gain
