"""How late a wet recording is: interfaces delay it, and a model must not learn that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

Array = npt.NDArray[np.float32]
WINDOW = 1 << 17  # samples, 2.7 s
REACH = 24000  # samples to either side: half a second
CLEAR = 15.0  # peak over RMS of an impulse response; unrelated sounds stay below 8
DRIFT = 24  # samples by which the end may be later than the beginning
LEFT = 16  # samples of lateness that are the sound's own and stay


@dataclass(frozen=True)
class Lag:
    """`samples` by which the wet sound is late, and how far the peak stands out."""

    samples: int
    clearness: float


def lag(dry: Array, wet: Array) -> Lag:
    """Find the delay of `wet`, through filters and distortion.

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
    peak = float(near.max())
    first = int(np.flatnonzero(near >= 0.5 * peak)[0]) - REACH
    return Lag(first, peak / float(np.sqrt(np.mean(near**2)) + 1e-20))


def aligned(name: str, dry: Array, wet: Array) -> tuple[Array, Array, int]:
    """Both sounds with the delay taken out, of one length, and the delay in samples.

    Up to :data:`LEFT` samples of lateness stay: a filter's own delay is part of the sound, and
    asking a causal network to be early is asking for the impossible.

    Raises
    ------
    ConfigError
        The two are not the same playing, or their clocks ran apart.
    """
    found = lag(dry, wet)
    if found.clearness < CLEAR:
        raise ConfigError(
            f"'{name}': the wet recording does not follow the dry one (peak {found.clearness:.0f}"
            f" times the rest, {CLEAR:.0f} is needed); record the same playing twice, or name them"
            " alike only if they are"
        )
    third = min(len(dry), len(wet)) // 3
    if third > WINDOW:
        ends = [lag(dry[s], wet[s]) for s in (slice(0, third), slice(2 * third, 3 * third))]
        if all(e.clearness >= CLEAR for e in ends):
            apart = ends[1].samples - ends[0].samples
            if abs(apart) > DRIFT:
                raise ConfigError(
                    f"'{name}': the wet recording is {apart:+d} samples later at its end than at"
                    " its beginning; record both on one device, so that they share a clock"
                )
    shift = 0 if 0 <= found.samples <= LEFT else found.samples - LEFT // 2
    dry, wet = (dry, wet[shift:]) if shift >= 0 else (dry[-shift:], wet)
    n = min(len(dry), len(wet))
    return np.ascontiguousarray(dry[:n]), np.ascontiguousarray(wet[:n]), shift
