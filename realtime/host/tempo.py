"""Tap tempo: beats a minute from taps, and what in a sound follows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from ..parameters.parameter import Parameter

PAUSE_SECONDS = 2.5  # after which taps begin anew
MOST_TAPS = 6
SLOWEST, FASTEST = 24.0, 400.0  # beats a minute
DELAYS, TEMPI = ("delay_seconds",), ("tempo_bpm", "bpm")


class TapTempo:
    """Tells the tempo from the last taps: by the median of the times between them."""

    def __init__(self) -> None:
        self._taps: deque[float] = deque(maxlen=MOST_TAPS)

    def tap(self, time: float) -> float | None:
        """Take a tap [seconds]; the tempo in beats a minute, None after the first."""
        if self._taps and time - self._taps[-1] > PAUSE_SECONDS:
            self._taps.clear()
        self._taps.append(time)
        if len(self._taps) < 2:
            return None
        beat = float(np.median(np.diff(np.array(self._taps))))
        return min(FASTEST, max(SLOWEST, 60.0 / max(beat, 1e-3)))


def set_tempo(
    parameters: Iterable[Parameter], turn: Callable[[str, float], None], tempo: float
) -> None:
    """Set all delays to a beat, or to half or double it where that fits, and all tempi.

    Parameters
    ----------
    parameters : iterable of Parameter
        Under their full names.
    turn : callable
        Sets one by name.
    tempo : float [beats a minute]
    """
    for p in parameters:
        own = p.own_name.rpartition(".")[2]
        if own in DELAYS:
            beat = 60.0 / tempo
            while beat > p.maximum and beat / 2 >= p.minimum:
                beat /= 2
            turn(p.name, min(p.maximum, max(p.minimum, beat)))
        elif own in TEMPI:
            turn(p.name, min(p.maximum, max(p.minimum, tempo)))
