"""One speaker's sound with another's spectral envelope, moment by moment: what is to be learnt.

Both say the same words.  Envelopes are WORLD's (CheapTrick, Morise, Speech Communication 67, 2015);
moments that belong together are found by dynamic time warping (Sakoe and Chiba, IEEE Trans. ASSP
26(1), 1978) of mel cepstra without each speaker's own mean and spread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d

from realtime.errors import ConfigError

from ..data.manifest import SAMPLE_RATE
from ..data.sound.world import PERIOD_MS, RATE, Spoken
from ..losses import mel_matrix

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
BANDS, CEPSTRA = 40, 20
SPREAD = 1.5  # frames over which the change of the envelope is smoothed
MOST = 3.0  # of the change, in nepers: 26 dB
QUIET = 4.6  # nepers of power below the loud moments where nobody speaks: 20 dB
WINDOW = 1024  # samples at 48 kHz
TINY = 1e-12


def median_pitch(pitches: Sequence[Floats]) -> float:
    """Of what is voiced [Hz].

    Raises
    ------
    ConfigError
        Nothing is.
    """
    pitch = np.concatenate(pitches)
    if not (pitch > 0).any():
        raise ConfigError("the recordings have no voice in them: nothing has a pitch")
    return float(np.median(pitch[pitch > 0]))


def features(spoken: Spoken) -> Floats:
    """What is said rather than who says it: ``[frames, 2 * (cepstra - 1)]``."""
    bands = _bands(spoken.envelope)
    cepstra = dct(bands, axis=1, norm="ortho")[:, 1:CEPSTRA]
    found = np.concatenate([cepstra, 2.0 * np.gradient(cepstra, axis=0)], axis=1)
    speaks = _speaks(bands)
    return np.asarray((found - found[speaks].mean(axis=0)) / (found[speaks].std(axis=0) + 1e-6))


def _bands(envelope: Floats) -> Floats:
    mel = mel_matrix(2 * (envelope.shape[1] - 1), BANDS, RATE).numpy()
    return np.asarray(np.log(envelope @ mel.astype(np.float64) + TINY))


def _speaks(bands: Floats) -> npt.NDArray[np.bool_]:
    level = bands.mean(axis=1)
    return np.asarray(level >= np.percentile(level, 90) - QUIET)


@numba.njit(cache=True)
def warped(distance: Floats) -> npt.NDArray[np.int64]:
    """For each row the column that belongs to it, by the cheapest way through ``distance``.

    Steps lead one row on, one column on, or both; of several columns a row has its last.
    """
    rows, columns = distance.shape
    cost = np.full((rows + 1, columns + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(rows):
        for k in range(columns):
            best = min(cost[i, k], cost[i, k + 1], cost[i + 1, k])
            cost[i + 1, k + 1] = distance[i, k] + best
    found = np.zeros(rows, dtype=np.int64)
    i, k = rows, columns
    seen = rows + 1
    while i > 0 and k > 0:
        if i < seen:
            found[i - 1] = k - 1
            seen = i
        both, up, left = cost[i - 1, k - 1], cost[i - 1, k], cost[i, k - 1]
        if both <= up and both <= left:
            i, k = i - 1, k - 1
        elif up <= left:
            i -= 1
        else:
            k -= 1
    return found


def aligned(source: Spoken, target: Spoken) -> npt.NDArray[np.int64]:
    """For each frame of the source the frame of the target in which the same is said."""
    a, b = features(source), features(target)
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * a @ b.T
    return np.asarray(warped(np.sqrt(np.maximum(square, 0.0))))


def change(source: Spoken, target: Spoken) -> Floats:
    """By what the source's spectrum is to be multiplied: log amplitude ``[frames, bins]``.

    The power of every frame stays: how loud a word is said is the source's own.
    """
    envelope = source.envelope + TINY
    log = 0.5 * np.log((target.envelope[aligned(source, target)] + TINY) / envelope)
    speaks = _speaks(_bands(source.envelope))
    log -= np.median(log[speaks].mean(axis=1))
    log = np.clip(gaussian_filter1d(log, SPREAD, axis=0), -MOST, MOST)
    kept = 0.5 * np.log((envelope * np.exp(2.0 * log)).sum(axis=1) / envelope.sum(axis=1))
    log -= kept[:, None]
    shown = gaussian_filter1d(speaks.astype(float), 4.0)  # where nobody speaks nothing is changed
    return np.asarray(log * np.minimum(1.0, 2.0 * shown)[:, None])


def transplanted(x: Array, source: Spoken, target: Spoken) -> Array:
    """The source's ``x [n]`` with the target's envelope; above 8 kHz as at 8 kHz."""
    log = change(source, target)
    hop = round(SAMPLE_RATE * PERIOD_MS / 1000.0)
    window = np.hanning(WINDOW + 1)[:-1]
    padded = np.pad(x.astype(np.float64), WINDOW)
    out, weight = np.zeros_like(padded), np.zeros_like(padded)
    hz = np.fft.rfftfreq(WINDOW, 1.0 / SAMPLE_RATE)
    own = np.linspace(0.0, RATE / 2, log.shape[1])
    for k in range((len(padded) - WINDOW) // hop + 1):
        at = k * hop
        frame = round((at - WINDOW / 2) / hop)
        gain = np.exp(np.interp(hz, own, log[min(max(frame, 0), len(log) - 1)]))
        spectrum = np.fft.rfft(window * padded[at : at + WINDOW]) * gain
        out[at : at + WINDOW] += window * np.fft.irfft(spectrum, WINDOW)
        weight[at : at + WINDOW] += window**2
    y = out / np.maximum(weight, 1e-6)
    return y[WINDOW : WINDOW + len(x)].astype(np.float32)
