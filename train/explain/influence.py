"""What each control does: the sound at both ends of its range by band, and clips on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.models.card import Card
from realtime.parameters.parameter import Parameter

from ..losses.mel import mel_matrix
from ..player import play

Array = npt.NDArray[np.float32]
N_FFT, BANDS, RATE = 2048, 40, 48000
PLACES = 5  # of a traverse


@dataclass(frozen=True)
class Influence:
    """One control.

    Attributes
    ----------
    bands_db : ndarray [shape=(BANDS,)]
        Change of level from its lowest to its highest value; of a blend, from the first style
        alone to this one alone.
    overall_db : float
        Root mean square of the change over bands that sound.
    clips : tuple of (value, ndarray)
        The same sound on the way from one end to the other.
    """

    name: str
    unit: str
    bands_db: npt.NDArray[np.float64]
    overall_db: float
    clips: tuple[tuple[float, Array], ...]


def band_levels(x: Array) -> npt.NDArray[np.float64]:
    """Mean power of mel bands in dB ``[BANDS]``."""
    frames = np.lib.stride_tricks.sliding_window_view(x, N_FFT)[:: N_FFT // 2] * np.hanning(N_FFT)
    power = np.square(np.abs(np.fft.rfft(frames))).mean(axis=0)
    matrix = mel_matrix(N_FFT, BANDS, RATE).numpy()
    return np.asarray(10 * np.log10(power @ matrix + 1e-9))


def influences(path: Path, card: Card, x: Array) -> list[Influence]:
    """Every control of a converter in turn, the others at their defaults."""
    return [_one(path, card, control, x) for control in card.controls]


def _settings(card: Card, control: Parameter, share: float) -> dict[str, float]:
    if control.kind != "blend":
        value = control.minimum + share * (control.maximum - control.minimum)
        return {control.name: round(value) if control.kind == "categorical" else value}
    styles = [c.name for c in card.controls if c.kind == "blend"]
    first = next(n for n in styles if n != control.name)
    weights = dict.fromkeys(styles, 0.0)
    return {**weights, first: 1.0 - share, control.name: share}


def _one(path: Path, card: Card, control: Parameter, x: Array) -> Influence:
    clips = []
    for share in np.linspace(0.0, 1.0, PLACES):
        settings = _settings(card, control, float(share))
        clips.append((settings[control.name], play(path, x, settings)))
    low, high = (band_levels(clips[k][1]) for k in (0, -1))
    sounding = np.maximum(low, high) > max(low.max(), high.max()) - 50.0
    change = high - low
    overall = float(np.sqrt(np.square(change[sounding]).mean()))
    return Influence(control.name, control.unit, change, overall, tuple(clips))
