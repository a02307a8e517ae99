"""Plucked strings as sums of partials that die away, and how far a sound is from them elsewhere.

Since every partial's frequency is known, so is what a perfect change of pitch would make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .strings import overtones

Array = npt.NDArray[np.float64]
RATE = 48000
STIFF = 5e-5  # inharmonicity of a string
PLUCKED_AT = 0.18  # of its length
HIGHEST_HZ = 9000.0
NEAR_HZ = 12.0  # what lies this close to a partial belongs to it
FAINT = 1e-3  # of the strongest partial: those below are not looked at
STRINGS = {"E2": 82.41, "A2": 110.0, "D3": 146.83, "G3": 196.0, "B3": 246.94, "E4": 329.63}
CHORDS = {
    "E5 power chord": (82.41, 123.47),
    "E major": (82.41, 123.47, 164.81, 207.65, 246.94, 329.63),
    "A minor": (110.0, 164.81, 220.0, 261.63, 329.63),
    "G major": (98.0, 123.47, 146.83, 196.0, 246.94, 392.0),
    "D major": (146.83, 220.0, 293.66, 369.99),
}


class Partial(NamedTuple):
    """A wave that begins at once and dies away: Hz, amplitude, 1/s, radians."""

    hz: float
    amplitude: float
    decay: float
    phase: float


def strings(pitches: Sequence[float], seed: int = 0) -> list[Partial]:
    """Partials of strings plucked at once."""
    rng, found = np.random.default_rng(seed), []
    for pitch in pitches:
        for k, hz in enumerate(overtones(pitch, STIFF, 30), 1):
            if hz < HIGHEST_HZ:
                loud = abs(np.sin(np.pi * k * PLUCKED_AT)) / k**1.2
                found.append(Partial(hz, loud, 0.8 + 0.25 * k, rng.uniform(0.0, 2.0 * np.pi)))
    return found


def sounded(partials: Sequence[Partial], n: int, at: int, ratio: float = 1.0) -> Array:
    """Their sum ``[n]`` from sample `at` on, every frequency times `ratio`."""
    t = (np.arange(n) - at) / RATE
    y = np.zeros(n)
    for p in partials:
        y[at:] += (
            p.amplitude
            * np.exp(-p.decay * t[at:])
            * np.sin(2.0 * np.pi * p.hz * ratio * t[at:] + p.phase)
        )
    return 0.1 * y


def sidebands(y: Array, partials: Sequence[Partial], ratio: float) -> float:
    """Power away from every partial over all power [dB], for sound without onsets ``[n]``."""
    n = len(y)
    u = 2.0 * np.pi * np.arange(n) / n
    window = 0.35875 - 0.48829 * np.cos(u) + 0.14128 * np.cos(2 * u) - 0.01168 * np.cos(3 * u)
    power = np.abs(np.fft.rfft(y * window, 4 * n)) ** 2
    hz = np.arange(len(power)) * RATE / (4 * n)
    near = np.zeros(len(power), dtype=bool)
    least = FAINT * max(p.amplitude for p in partials)
    for p in partials:
        if p.amplitude > least:
            near |= np.abs(hz - p.hz * ratio) < NEAR_HZ
    return float(10.0 * np.log10(power[~near].sum() / power.sum()))


def cents_off(y: Array, partials: Sequence[Partial], ratio: float) -> float:
    """Mean distance of the partials' pitch [cents] from the exact one, by power, for ``[n]``.

    By how far the phase of each, brought to 0 Hz, turns within 20 ms: up to 25 Hz are told.
    """
    apart = round(0.02 * RATE)
    n = len(y) - apart
    window = np.hanning(n)
    t = np.arange(len(y)) / RATE
    found, weights = [], []
    for p in partials:
        hz = p.hz * ratio
        others = [q.hz * ratio for q in partials if q is not p]
        if min((abs(hz - f) for f in others), default=np.inf) < 2 * NEAR_HZ:
            continue
        still = y * np.exp(-2j * np.pi * hz * t)
        first, second = (window * still[:n]).sum(), (window * still[apart:]).sum()
        off = np.angle(second * np.conj(first)) / (2.0 * np.pi * apart / RATE)
        found.append(abs(1200.0 * np.log2(1.0 + off / hz)))
        weights.append(abs(first * second))
    return float(np.average(found, weights=weights))


def envelope(y: Array, milliseconds: float = 5.0) -> Array:
    """RMS ``[n]`` of so much sound around each sample."""
    size = round(milliseconds * RATE / 1000)
    return np.sqrt(np.convolve(y**2, np.ones(size) / size, "same"))


def onset(y: Array, exact: Array, at: int) -> tuple[float, float]:
    """How strong an onset at sample `at` is beside the exact one, and how late [ms].

    Strength is the peak of the envelope in 50 ms; the onset is where half of it is reached.
    """
    begin, end = at - round(0.03 * RATE), at + round(0.05 * RATE)
    ours, theirs = envelope(y)[begin:end], envelope(exact)[begin:end]
    places = [int(np.argmax(e > 0.5 * e.max())) for e in (ours, theirs)]
    return float(ours.max() / theirs.max()), (places[0] - places[1]) * 1000.0 / RATE
