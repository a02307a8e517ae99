"""Band-limited interpolation: a Kaiser-windowed sinc as a table of phases, and its kernels.

Method: J. O. Smith, "Digital Audio Resampling" (CCRMA, 2002); window length and shape from Kaiser's
formulas (Oppenheim & Schafer, "Discrete-Time Signal Processing", §7.5.3).

One thing is done to keep the delay short: only what is heard is protected.  At 44.1 kHz and above
the transition band is centred on the lower Nyquist frequency, so that what folds back lands above
20 kHz; and the cutoff leans on the stopband edge, since 0.05 dB at 20 kHz is audible to nobody
while a Kaiser window of -104 dB would spend a fifth of its length on keeping it below 0.0001 dB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..native.late_numba import njit

ATTENUATION_DB = 104.0  # of the window; images and aliases measure below -103 dB
PASSBAND_DB = 0.05  # largest loss at the passband edge
HEARD_HZ = 20000.0
LOWEST_HZ, HIGHEST_HZ = 8000, 384000  # sample rates
_STEPS = 32  # points per sample at which a candidate's response is summed


@dataclass(frozen=True)
class Filter:
    """What a table is made from.

    Attributes
    ----------
    taps : int [input samples]
        A multiple of 4; the delay is half of it.
    cutoff : float [cycles per input sample]
        Where the ideal filter would end.
    passband_hz, stopband_hz : float
        Flat within :data:`PASSBAND_DB` up to the first; down by :data:`ATTENUATION_DB` (the
        window's design value) from the second.
    """

    taps: int
    cutoff: float
    passband_hz: float
    stopband_hz: float

    @property
    def half(self) -> int:
        """Input samples on either side of the point of interpolation: the delay."""
        return self.taps // 2


def impulse_response(
    taps: int, cutoff: float, t: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Continuous impulse response at times `t` [input samples], 0 from ``taps / 2`` on."""
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    inside = np.maximum(0.0, 1.0 - (2.0 * t / taps) ** 2)
    window = np.where(np.abs(t) < taps / 2, np.i0(beta * np.sqrt(inside)) / np.i0(beta), 0.0)
    return np.asarray(2.0 * cutoff * np.sinc(2.0 * cutoff * t) * window)


def _gain_db(taps: int, cutoff: float, frequency: float) -> float:
    t = np.arange(-taps // 2 * _STEPS, taps // 2 * _STEPS + 1) / _STEPS
    h = impulse_response(taps, cutoff, t)
    return float(20.0 * np.log10(abs(h @ np.cos(2.0 * np.pi * frequency * t)) / _STEPS))


def design(in_rate: int, out_rate: int) -> Filter:
    """Return the shortest filter of this family for a conversion.

    Parameters
    ----------
    in_rate, out_rate : int [Hz]

    Returns
    -------
    Filter
        Passband to 20 kHz, or to 5/12 of the lower rate if that is more, or to 0.4 of it if that is
        below 44.1 kHz (then nothing at all folds back).

    Raises
    ------
    ConfigError
        For rates that are no audio rates.
    """
    for rate in (in_rate, out_rate):
        if not LOWEST_HZ <= rate <= HIGHEST_HZ:
            raise ConfigError(
                f"sample rates can be converted within {LOWEST_HZ}..{HIGHEST_HZ} Hz,"
                f" got {in_rate} Hz to {out_rate} Hz"
            )
    low = min(in_rate, out_rate)
    if low >= 44100:
        passband = max(HEARD_HZ, low * 5 / 12)
        stopband = low - passband
    else:
        passband, stopband = 0.4 * low, 0.5 * low
    taps = 8
    while True:
        taps += 4
        width = (ATTENUATION_DB - 7.95) / (14.36 * taps)
        cutoff = stopband / in_rate - width / 2.0
        if cutoff > 0.0 and _gain_db(taps, cutoff, passband / in_rate) > -PASSBAND_DB:
            return Filter(taps, cutoff, passband, stopband)


def make_table(shape: Filter, phases: int) -> npt.NDArray[np.float32]:
    """Sample the impulse response.

    Returns
    -------
    ndarray [shape=(phases + 1, taps), float32]
        Row `p` interpolates at ``p / phases`` between two samples; the last row stands for 1.
        All rows have one common factor, which makes the gain at 0 Hz 1: a factor for each row
        would clear an offset of its images and give more of them to everything else.
    """
    fraction = np.arange(phases + 1)[:, None] / phases
    t = np.arange(shape.taps)[None, :] - (shape.half - 1) - fraction
    table = impulse_response(shape.taps, shape.cutoff, t)
    return np.ascontiguousarray(table * (phases / table[:phases].sum()), dtype=np.float32)


@njit(nogil=True, error_model="numpy", cache=True)
def at_phase(table, phase, history, channel, index):  # type: ignore[no-untyped-def]
    """Interpolate exactly on row `phase`.

    Parameters
    ----------
    table : ndarray [shape=(phases + 1, taps), float32]
        :func:`make_table`.
    phase : int
    history : ndarray [shape=(channels, capacity), float32]
        Circular; sample `k` lies at ``k mod capacity``, a power of two.
    channel : int
    index : int
        Whole part of the position: samples ``index - taps/2 + 1 .. index + taps/2`` are read.

    Returns
    -------
    float
        Summed in float64 in the order of time, so that it depends on nothing else.
    """
    taps, mask = table.shape[1], history.shape[1] - 1
    first = index - taps // 2 + 1
    total = 0.0
    for i in range(taps):
        total += float(table[phase, i]) * float(history[channel, (first + i) & mask])
    return total


@njit(nogil=True, error_model="numpy", cache=True)
def between(table, history, channel, index, fraction):  # type: ignore[no-untyped-def]
    """Interpolate at ``index + fraction``, `fraction` in 0..1, linearly between the nearest rows.

    Parameters are those of :func:`at_phase`.
    """
    taps, mask = table.shape[1], history.shape[1] - 1
    place = fraction * (table.shape[0] - 1)
    row = min(int(place), table.shape[0] - 2)
    first = index - taps // 2 + 1
    low, high = 0.0, 0.0
    for i in range(taps):
        value = float(history[channel, (first + i) & mask])
        low += float(table[row, i]) * value
        high += float(table[row + 1, i]) * value
    return low + (place - row) * (high - low)
