"""How late a wet recording is: interfaces delay it, and a model must not learn that."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..data.manifest import SAMPLE_RATE

Array = npt.NDArray[np.float32]
WINDOW = 1 << 17  # samples, 2.7 s
REACH = 24000  # samples to either side: half a second
SHORT = 4096  # samples: windows of the test whether one recording follows the other
RELATED = 0.1  # share that a linear filter explains; other playing stays below 0.03
END = 16 * SAMPLE_RATE  # samples at either end that are compared for drift
DRIFT = 24  # samples by which the end may be later than the beginning
ALIKE = 0.99  # of the response's peak: at least this at no delay is no delay
LEFT = 16  # samples of lateness that are the sound's own and stay


def lag(dry: Array, wet: Array) -> int:
    """Delay of `wet` in samples, through filters and distortion.

    The impulse response from one to the other, ``S_dw / S_dd`` over all windows (Bendat & Piersol,
    Random Data, 2010, ch. 6; for a distorting path the best linear approximation); its first sample
    of at least half the peak is when sound begins to come through.

    Parameters
    ----------
    dry, wet : ndarray [shape=(n,), float32]
        Lengths may differ.
    """
    n = min(len(dry), len(wet))
    window = np.hanning(WINDOW)
    cross, power = np.zeros(WINDOW // 2 + 1, complex), np.zeros(WINDOW // 2 + 1)
    for start in range(0, max(1, n - WINDOW // 2), WINDOW // 2):
        d, w = (np.zeros(WINDOW), np.zeros(WINDOW))
        part = slice(start, min(n, start + WINDOW))
        d[: part.stop - start], w[: part.stop - start] = dry[part], wet[part]
        a, b = np.fft.rfft(d * window), np.fft.rfft(w * window)
        cross += np.conj(a) * b
        power += np.abs(a) ** 2
    response = np.fft.irfft(cross / (power + 1e-3 * power.mean() + 1e-20))
    near = np.abs(np.concatenate([response[-REACH:], response[: REACH + 1]]))
    if near[REACH] >= ALIKE * near.max():  # of a few tones any whole period is as good
        return 0
    return int(np.flatnonzero(near >= 0.5 * near.max())[0]) - REACH


def follows(dry: Array, wet: Array, late: int) -> float:
    """Share of the wet power that a short filter of the dry sound, `late` samples on, explains.

    The coherence over windows of 85 ms, weighted by the wet power; distortion lowers it, other
    playing brings it to almost nothing.
    """
    dry, wet = _shifted(dry, wet, late)
    n = min(len(dry), len(wet))
    if n < 2 * SHORT:
        return 0.0
    window = np.hanning(SHORT)
    cross = np.zeros(SHORT // 2 + 1, complex)
    powers = np.zeros((2, SHORT // 2 + 1))
    for start in range(0, n - SHORT + 1, SHORT // 2):
        a, b = (np.fft.rfft(v[start : start + SHORT] * window) for v in (dry, wet))
        cross += np.conj(a) * b
        powers += np.abs([a, b]) ** 2
    explained = np.abs(cross) ** 2 / (powers[0] + 1e-12)
    return float(explained.sum() / (powers[1].sum() + 1e-12))


def aligned(name: str, dry: Array, wet: Array) -> tuple[Array, Array, int]:
    """Both sounds with the delay taken out, of one length, and the delay in samples.

    Up to :data:`LEFT` samples to either side stay: a filter's own delay is part of the sound, and
    asking a causal network to be early is asking for the impossible.

    Raises
    ------
    ConfigError
        The two are not the same playing, or their clocks ran apart.
    """
    n = min(len(dry), len(wet))
    part = min(END, n // 3)
    ends = []
    for section in (slice(0, part), slice(n - part, n)):
        late = lag(dry[section], wet[section])
        if follows(dry[section], wet[section], late) >= RELATED:
            ends.append(late)
    if len(ends) == 2 and abs(ends[1] - ends[0]) > DRIFT:
        raise ConfigError(
            f"'{name}': the wet recording is {ends[1] - ends[0]:+d} samples later at its end than"
            " at its beginning; record both on one device, so that they share a clock"
        )
    found = lag(dry, wet)
    share = follows(dry, wet, found)
    if share < RELATED:
        raise ConfigError(
            f"'{name}': the wet recording does not follow the dry one ({100 * share:.0f} % of it"
            f" comes from the dry one, {100 * RELATED:.0f} % is the least); record the same playing"
            " twice, or name them alike only if they are"
        )
    shift = 0 if abs(found) <= LEFT else found - LEFT // 2
    dry, wet = _shifted(dry, wet, shift)
    n = min(len(dry), len(wet))
    return np.ascontiguousarray(dry[:n]), np.ascontiguousarray(wet[:n]), shift


def _shifted(dry: Array, wet: Array, late: int) -> tuple[Array, Array]:
    return (dry, wet[late:]) if late >= 0 else (dry[-late:], wet)
