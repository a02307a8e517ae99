"""The spectrum that a player's voice has of its own: where its partials lie, and how wide they are.

An ensemble's partials are narrow-band noise and a bell's lie anywhere, so what is a fault of a
filter is the sound of a player.  Its card tells the partials of every voice, as they were learnt
from the true instrument; a tone that is none of them is a fault still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...models.card import Card
from .sounds import Samples

KEY, TRUTH = "voices", "truth"  # of the card's proof
STEADY = 1.0  # Hz: what a line without chance takes


@dataclass(frozen=True)
class Own:
    """Partials of one note.

    Attributes
    ----------
    hz, power, width : ndarray [shape=(n,)]
        Frequency, share of the power, corner frequency of the chance around it in Hz.
    """

    hz: Samples
    power: Samples
    width: Samples

    def density(self, hz: npt.NDArray[np.floating]) -> Samples:
        """Power a Hz at frequencies ``[n] -> [n]``, 1 in all: noise through two equal poles."""
        away = (hz - self.hz[:, None]) / self.width[:, None]
        shape = 2.0 / (np.pi * self.width[:, None]) / np.square(1.0 + np.square(away))
        return np.asarray(self.power @ shape)


def owns(card: Card) -> list[dict[int, Own]]:
    """Spectra by MIDI key of every voice of a player, in the order of its blend."""
    voices = card.proof.get(KEY)
    if not isinstance(voices, dict):
        return []
    return [{int(k): own(rows) for k, rows in keys.items()} for keys in voices.values()]


def own(rows: Sequence[Sequence[float]]) -> Own:
    """From rows of frequency [Hz], level [dB] and width [Hz] of partials, as cards keep them."""
    hz, db, width = np.asarray(rows, dtype=np.float64).reshape(-1, 3).T
    power = 10.0 ** (db / 10.0)
    return Own(hz, power / power.sum(), np.maximum(width, STEADY))


def truth(card: Card) -> Mapping[str, float]:
    """What the true instrument gets by the same judges, where the card tells it."""
    found = card.proof.get(TRUTH)
    return found if isinstance(found, dict) else {}
