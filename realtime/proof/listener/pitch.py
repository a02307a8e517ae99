"""Pitch of a single line, low notes included: YIN (de Cheveigné & Kawahara, 2002).

The squared difference between a window and itself a period later, divided by its mean over all
shorter lags: periodicity is heard whether or not the fundamental is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .sounds import Note, Samples

WORKING_RATE = 16000  # Hz, about: enough for notes up to 1.2 kHz
PERIODIC = 0.15  # normalised difference below which the first minimum is taken
HOP = 0.005  # seconds
PERIODS = 1.6  # of the lowest note in a window
QUIETEST = -40.0  # dB under the loudest frame: what is below has no pitch


def decimate(x: npt.NDArray[np.floating], rate: int, target: int) -> tuple[Samples, float]:
    """Lower the rate by a whole factor through a windowed sinc; returns samples and their rate."""
    factor = max(1, round(rate / target))
    if factor == 1:
        return np.asarray(x, dtype=np.float64), float(rate)
    k = np.arange(-16 * factor, 16 * factor + 1)
    kernel = np.sinc(0.9 * k / factor) * np.hanning(len(k))
    return np.convolve(x, kernel / kernel.sum(), "same")[::factor], rate / factor


def track(
    x: npt.NDArray[np.floating], rate: int, lowest: float, highest: float = 1200.0
) -> tuple[Samples, Samples, float]:
    """Pitch over time.

    Parameters
    ----------
    x : ndarray [shape=(n,)]
    lowest, highest : float [Hz]
        Range that is searched.

    Returns
    -------
    times : ndarray [shape=(frames,)]
        Middle of each frame in seconds.
    hz : ndarray [shape=(frames,)]
        0 where it is silent.
    length : float
        Seconds that a frame looks at.
    """
    y, rate_y = decimate(x, rate, WORKING_RATE)
    longest, shortest = int(rate_y / lowest) + 2, max(2, int(rate_y / highest))
    window, hop = int(PERIODS * rate_y / lowest), max(1, round(HOP * rate_y))
    span = window + longest
    if len(y) < span:
        return np.zeros(0), np.zeros(0), span / rate_y
    frames = np.lib.stride_tricks.sliding_window_view(y, span)[::hop]
    size = 1 << (2 * span - 1).bit_length()
    head = np.zeros_like(frames)
    head[:, :window] = frames[:, :window]
    product = np.conj(np.fft.rfft(head, size)) * np.fft.rfft(frames, size)
    shared = np.fft.irfft(product, size)[:, : longest + 1]
    energy = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(frames**2, axis=1)], axis=1)
    lags = np.arange(longest + 1)
    moved = energy[:, lags + window] - energy[:, lags]
    difference = np.maximum(moved[:, :1] + moved - 2.0 * shared, 0.0)
    mean = np.cumsum(difference[:, 1:], axis=1) / lags[1:]
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-20)
    hz = np.array([_period(row, shortest) for row in normal])
    level = np.mean(frames**2, axis=1)
    loud = level > max(float(level.max()) * 10.0 ** (QUIETEST / 10.0), 1e-14)
    hz = np.where(loud & (hz > 0), rate_y / np.maximum(hz, 1e-9), 0.0)
    times = (np.arange(len(frames), dtype=np.float64) * hop + span / 2) / rate_y
    return times, np.asarray(hz, dtype=np.float64), span / rate_y


def _period(normal: Samples, shortest: int) -> float:
    """Lag of the first deep minimum, or of the deepest, between samples by a parabola."""
    part = normal[shortest:-1]
    below = np.flatnonzero(part < PERIODIC)
    if below.size:
        at = shortest + int(below[0])
        while at + 1 < len(normal) - 1 and normal[at + 1] < normal[at]:
            at += 1
    else:
        at = shortest + int(np.argmin(part))
    a, b, c = normal[at - 1], normal[at], normal[at + 1]
    bend = a - 2.0 * b + c
    return at + (0.5 * (a - c) / bend if bend > 1e-12 else 0.0)


def share_right(
    y: npt.NDArray[np.floating], rate: int, notes: Sequence[Note], lowest: float
) -> float:
    """Share of frames within a note whose pitch is its own to 50 cents, 0..1.

    Frames that begin in one note and end in another are left out; silent ones count as wrong.
    """
    times, hz, length = track(y, rate, lowest)
    right = heard = 0
    for note in notes:
        inside = (times - length / 2 >= note.begin) & (times + length / 2 <= note.end)
        found = hz[inside]
        heard += found.size
        cents = 1200.0 * np.abs(np.log2(np.maximum(found, 1e-3) / note.hz))
        right += int(np.sum(cents <= 50.0))
    return right / heard if heard else 0.0
