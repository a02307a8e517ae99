"""How late and which way up sound comes back, through filters and distortion.

The response from one to the other, ``S_dw / S_dd`` (Bendat & Piersol, Random Data, 2010, ch. 6; for
a distorting path the best linear approximation), has the phase of its own magnitude as long as the
gear has minimum phase (Oppenheim & Schafer, Discrete-Time Signal Processing, ch. 13).  What is left
of the phase is a delay, a slope, and the polarity, its sign.  Bins count by their coherence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
WINDOW = 4096  # samples
REACH = 10_000  # samples that a wet recording may be late
EARLY = 64  # samples that it may be early
WIDE = 400  # samples more that a filter may be late by itself
FINE = 16  # steps of a sample
SPAN = 48  # samples to either side of the coarse place where the exact one is looked for
CLEAR = 0.5  # coherence above which a response is heard
LOW, HIGH = 40, 18_000  # Hz
RATE = 48000


@dataclass(frozen=True)
class Response:
    """From one sound to the other.

    Attributes
    ----------
    gain : ndarray [shape=(WINDOW // 2 + 1,), complex]
    coherence : ndarray [shape=(WINDOW // 2 + 1,)]
        0..1: how much of what came back is the sound that went out, filtered.
    """

    gain: npt.NDArray[np.complex128]
    coherence: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Delay:
    """What :func:`find_delay` found.

    Attributes
    ----------
    samples : float
    inverted : bool
    share : float
        Of the power that came back, how much is the sound that went out, filtered: 0..1.
    """

    samples: float
    inverted: bool
    share: float


def response(dry: Array, wet: Array) -> Response:
    """The response over windows of `WINDOW` samples, a quarter apart; both of one length."""
    window = np.hanning(WINDOW)
    views = [
        np.lib.stride_tricks.sliding_window_view(np.asarray(v, dtype=np.float64), WINDOW)
        for v in (dry, wet)
    ]
    d, w = (np.fft.rfft(v[:: WINDOW // 4] * window) for v in views)
    cross = np.sum(np.conj(d) * w, axis=0)
    powers = [np.sum(np.abs(v) ** 2, axis=0) for v in (d, w)]
    gain = cross / (powers[0] + 1e-30)
    return Response(gain, np.abs(cross) ** 2 / (powers[0] * powers[1] + 1e-30))


def find_delay(dry: Array, wet: Array, at: int, reach: int = REACH, early: int = EARLY) -> Delay:
    """How late ``dry [n]`` is in `wet`.

    Parameters
    ----------
    wet : ndarray [shape=(m,)]
        A whole recording.
    at : int
        The sample of `wet` where `dry` would begin without any delay.
    reach, early : int [samples]
        The most that it may be late, and early.
    """
    n = len(dry)
    section = cut(wet, at - early, n + early + reach + WIDE)
    size = 1 << (len(section) + n - 1).bit_length()
    spectrum = np.fft.rfft(np.asarray(dry, dtype=np.float64), size)
    rough = np.fft.irfft(np.fft.rfft(section, size) * np.conj(spectrum), size)
    coarse = int(np.argmax(np.abs(rough[: early + reach + WIDE]))) - early
    begin = at + coarse - SPAN // 2
    found = response(dry, cut(wet, begin, n))
    exact, inverted = _excess(found)
    return Delay(coarse - SPAN // 2 + exact, inverted, share_of(found))


def share_of(found: Response) -> float:
    """Of the power that came back from white noise, how much is the noise itself, filtered."""
    power = np.abs(found.gain) ** 2 + 1e-30
    return float(power.sum() / np.sum(power / np.maximum(found.coherence, 1e-6)))


def _excess(found: Response) -> tuple[float, bool]:
    """The delay [samples] beyond the phase of a minimum-phase system, and the polarity."""
    frequency = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    size = _continued(np.log(np.abs(found.gain) + 1e-30), found.coherence)
    size[frequency < LOW] = size[np.searchsorted(frequency, LOW)]
    cepstrum = np.fft.irfft(size)
    cepstrum[1 : WINDOW // 2] *= 2
    cepstrum[WINDOW // 2 + 1 :] = 0
    least = np.imag(np.fft.rfft(cepstrum))
    coherence = np.clip(found.coherence, 0, 0.999)
    weight = coherence**2 / (1 - coherence)
    weight[(frequency < LOW) | (frequency > HIGH)] = 0
    turned = weight * np.exp(1j * (np.angle(found.gain) - least))
    place = np.real(np.fft.irfft(turned, FINE * WINDOW))
    place = np.concatenate([place[-SPAN * FINE :], place[: SPAN * FINE]])
    best = int(np.argmax(np.abs(place)))
    return best / FINE - SPAN, bool(place[best] < 0)


def _continued(size: npt.NDArray[np.float64], coherence: Array) -> npt.NDArray[np.float64]:
    """A log magnitude whose noise at the top gives way to the slope of the octave below it.

    The octave's own slope, not noise, is what the phase below belongs to.
    """
    smooth = np.convolve(coherence, np.ones(17) / 17, "same")
    last = int(np.flatnonzero(smooth[8:-8] > CLEAR)[-1:].sum()) + 8
    first = last // 2
    if last >= len(size) - 64 or first < 8:
        return size
    octaves = np.log2(np.arange(1, len(size) + 1))
    slope, offset = np.polyfit(octaves[first:last], size[first:last], 1)
    steep = np.polyfit(octaves[3 * last // 4 : last], size[3 * last // 4 : last], 1)[0]
    made = size.copy()
    at = slope * octaves[last] + offset
    made[last:] = at + min(0.0, slope, steep) * (octaves[last:] - octaves[last])
    return made


def cut(sound: Array, begin: int, n: int) -> npt.NDArray[np.float64]:
    """`n` samples from `begin` on; silence where the sound does not reach."""
    part = np.zeros(n)
    low, high = max(0, begin), min(len(sound), begin + n)
    if high > low:
        part[low - begin : high - begin] = sound[low:high]
    return part
