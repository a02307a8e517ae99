"""Effects that networks learn from: causal, the same every time, no delay.

Filters are pedalboard's; the bent curves are our own, at four times the rate so that they alias no
more than the machines they stand for.  Wow, flutter and crackle are chance and cannot be learnt
from pairs: add them as effects behind the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pedalboard
from scipy.signal import resample_poly

from ..scores.render import SAMPLE_RATE

Array = npt.NDArray[np.float32]
OVERSAMPLING = 4


def bend(x: Array, drive_db: float, bias: float = 0.0) -> Array:
    """Saturate: ``tanh(g x + b) - tanh(b)``; a bias bends both halves differently, as tubes do.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    drive_db : float
        Gain before the curve.
    bias : float
        0 makes odd harmonics alone.
    """
    dense = resample_poly(x.astype(np.float64), OVERSAMPLING, 1)
    bent = np.tanh(10 ** (drive_db / 20) * dense + bias) - np.tanh(bias)
    return np.asarray(resample_poly(bent, 1, OVERSAMPLING)[: len(x)], dtype=np.float32)


def filtered(x: Array, *effects: pedalboard.Plugin) -> Array:
    """Run `x` through pedalboard effects at 48 kHz, length kept."""
    y = pedalboard.Pedalboard(list(effects))(x[None], SAMPLE_RATE)[0]
    return np.asarray(np.pad(y, (0, max(0, len(x) - len(y))))[: len(x)], dtype=np.float32)


def _high(hz: float) -> pedalboard.Plugin:
    return pedalboard.HighpassFilter(hz)


def _low(hz: float) -> pedalboard.Plugin:
    return pedalboard.LowpassFilter(hz)


def _peak(hz: float, gain_db: float, q: float) -> pedalboard.Plugin:
    return pedalboard.PeakFilter(hz, gain_db=gain_db, q=q)


def tube_amp(x: Array) -> Array:
    """A driven amplifier: tight low end, uneven tube curve, mid push, speaker-like top."""
    pushed = bend(filtered(x, _high(90), _peak(750, 4, 0.7)), 22.0, 0.35)
    return filtered(
        pushed, _high(30), _peak(2200, 4, 0.8), _low(4800), _low(7500), pedalboard.Gain(-7)
    )


def warm(x: Array) -> Array:
    """A clean combo on the edge: little bend, round top."""
    pushed = bend(filtered(x, _high(70), _peak(300, 3, 0.7)), 9.0, 0.2)
    return filtered(pushed, _high(30), _low(4000), pedalboard.Gain(-3))


def fuzz(x: Array) -> Array:
    """Two stages driven flat, scooped mids."""
    first = filtered(bend(filtered(x, _high(120)), 30.0, 0.5), _high(60), _low(6000))
    return filtered(
        bend(first, 14.0), _high(40), _peak(700, -8, 0.8), _low(5500), pedalboard.Gain(-9)
    )


def tape(x: Array) -> Array:
    """A recorder pushed hard: highs saturate first, head bump, soft top."""
    emphasised = filtered(x, pedalboard.HighShelfFilter(3500, gain_db=8, q=0.7))
    pushed = bend(emphasised, 13.0)
    return filtered(
        pushed,
        pedalboard.HighShelfFilter(3500, gain_db=-8, q=0.7),
        _peak(85, 3.5, 0.9),
        _high(25),
        _low(13000),
        pedalboard.Gain(-6),
    )


def radio(x: Array) -> Array:
    """A hand-held set: 350 to 3200 Hz, overdriven, boxy."""
    narrow = filtered(x, _high(350), _high(350), _low(3200), _low(3200), _peak(1300, 5, 0.9))
    return filtered(
        bend(narrow, 20.0, 0.15),
        _high(350),
        _high(350),
        _low(3200),
        _low(3400),
        pedalboard.Gain(-8),
    )


def blended(x: Array, teachers: Sequence[object], weights: Sequence[float]) -> Array:
    """Outputs of several teachers mixed by weight."""
    total = np.zeros(len(x), dtype=np.float32)
    for teacher, weight in zip(teachers, weights, strict=True):
        if weight:
            total += np.float32(weight) * teacher(x)  # type: ignore[operator]
    return total
