"""Plucked strings whose pitch is known: stiff, so that their partials are sharp of whole multiples.

Partials ``n f sqrt(1 + B n^2)`` (H. Fletcher, JASA 36(1), 1964) with the amplitudes of an ideal
string plucked at a fifth of its length, each fading the faster the higher it is; a pick's noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PLUCKED_AT, PICK_SECONDS = 0.2, 0.004


class String(NamedTuple):
    """A string of an instrument.

    Attributes
    ----------
    hertz : float
        Of its first partial.
    stiffness : float
        Fletcher's B.
    seconds : float
        In which the first partial fades by 60 dB.
    """

    name: str
    hertz: float
    stiffness: float
    seconds: float


STRINGS = (
    String("E1 bass", 41.203, 1.5e-4, 8.0),
    String("A1 bass", 55.0, 1.0e-4, 8.0),
    String("D2 bass", 73.416, 0.8e-4, 7.0),
    String("E2 guitar", 82.407, 1.2e-4, 6.0),
    String("A2 guitar", 110.0, 0.9e-4, 6.0),
    String("D3 guitar", 146.832, 0.7e-4, 5.0),
    String("G3 guitar", 195.998, 1.5e-4, 4.0),
    String("B3 guitar", 246.942, 0.6e-4, 4.0),
    String("E4 guitar", 329.628, 0.4e-4, 3.0),
    String("E5, 12th fret", 659.255, 1.6e-4, 2.0),
    String("E6, 24th fret", 1318.51, 6.0e-4, 1.0),
)


def overtones(base: float, stiffness: float, count: int) -> list[float]:
    """The first `count` partials' frequencies [Hz]."""
    return [n * base * (1.0 + stiffness * n * n) ** 0.5 for n in range(1, count + 1)]


def pluck(
    string: String, cents: float = 0.0, seconds: float = 1.0, rate: int = 48000, seed: int = 0
) -> npt.NDArray[np.float32]:
    """A note ``[n]`` that begins at once, its first partial `cents` from the string's pitch."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    first = string.hertz * 2.0 ** (cents / 1200.0)
    base = first / np.sqrt(1.0 + string.stiffness)
    sound = np.zeros(t.size)
    for n, hertz in enumerate(overtones(base, string.stiffness, 40), 1):
        if hertz > 0.45 * rate:
            break
        size = np.sin(np.pi * n * PLUCKED_AT) / n**1.5
        fading = 10.0 ** (-3.0 * t * (1.0 + 0.15 * (n - 1)) / string.seconds)
        sound += size * fading * np.sin(2.0 * np.pi * hertz * t + rng.uniform(0.0, 2.0 * np.pi))
    sound *= 1.0 - np.exp(-t / 0.001)
    sound += 0.3 * rng.standard_normal(t.size) * np.exp(-t / PICK_SECONDS)
    sound += 10.0 ** (-70.0 / 20.0) * rng.standard_normal(t.size)
    return (0.2 * sound / np.abs(sound).max()).astype(np.float32)
