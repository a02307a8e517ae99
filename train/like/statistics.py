"""What a recording sounds like, whatever is played in it: statistics to search by.

Every figure is of one piece of a few seconds, level taken out:

tone
    mean band level over time (long-term average spectrum), dB; weight 1
spread
    deviation of each band's level over time, dB; weight 0.25
linked
    correlation of neighbouring bands and of each band with the whole; weight 0.5
movement
    modulation spectrum of the level, dB per octave of rate; weight 0.15
dynamics
    percentiles of the level around its median, and crest factor, dB; weight 1
grit
    spectral flatness and spectral crest by region, dB: tones against noise; weight 1

Means, deviations, correlations and modulation of sub-bands are what McDermott & Simoncelli (Neuron
71, 2011) found textures to be heard by; crest and dynamics tell compression and distortion as in
De Man et al. (2013).  A figure weighs by how little it changes inside the reference itself and
inside the dry recording (a diagonal Mahalanobis distance), so that what changes with every note
counts for little; and never more than it changes with what is played: `python -m
benchmarks.measures.like --content` prints how far each group moves between guitars and scores, and
how far between amplifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from ..data.manifest import SAMPLE_RATE

Array = npt.NDArray[np.float32]
Figures = npt.NDArray[np.float64]
N_FFT, HOP, BANDS = 2048, 1024, 24
LOWEST, HIGHEST = 50.0, 16000.0  # Hz
PIECE = 4 * SAMPLE_RATE
QUIET_DB = 45.0  # frames so far below the loud ones are pauses
RATES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 23.0)  # Hz, edges of the modulation bands
REGIONS = (50.0, 250.0, 1000.0, 4000.0, 12000.0)  # Hz
GROUPS = {  # weight; how far it moves with guitars and scores (benchmarks.measures.like)
    "tone": (1.0, 5.8),
    "spread": (0.25, 2.8),
    "linked": (0.5, 0.12),
    "movement": (0.15, 2.3),
    "dynamics": (1.0, 1.0),
    "grit": (1.0, 2.3),
}
FREE = 0.7  # deviations that what is played explains, and no effect is to answer for
EPS = 1e-12


@cache
def _bands() -> Figures:
    """Rectangular bands, equally wide on a mel scale ``[bins, bands]``, each a mean."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    hz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    inside = (hz[:, None] >= edges[:-1]) & (hz[:, None] < edges[1:])
    for band in np.flatnonzero(~inside.any(axis=0)):
        inside[np.argmin(np.abs(hz - edges[band])), band] = True
    return inside / inside.sum(axis=0)


def describe(x: Array) -> dict[str, Figures]:
    """All groups of figures of one piece ``[shape=(n,)]`` of at least a second."""
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float32), N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32), axis=1)) ** 2
    level = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + EPS)
    heard = level > np.percentile(level, 95) - QUIET_DB
    if heard.sum() < 8:
        heard[:] = True
    frames, power, level = frames[heard], power[heard], level[heard]
    power = power / (power.mean() + EPS)
    bands = 10 * np.log10(power @ _bands() + 1e-7)
    peaks = 10 * np.log10(np.max(np.square(frames, dtype=np.float64), axis=1) + EPS) - level
    around = np.percentile(level, (10, 25, 75, 95)) - np.median(level)
    long_term = 10 * np.log10((power @ _bands()).mean(axis=0) + 1e-7)
    return {
        "tone": 0.5 * (bands.mean(axis=0) - bands.mean() + long_term - long_term.mean()),
        "spread": bands.std(axis=0),
        "linked": _linked(bands, level),
        "movement": _movement(level),
        "dynamics": np.array([*around, peaks.mean(), _crest(frames)]),
        "grit": _grit(power),
    }


def _linked(bands: Figures, level: Figures) -> Figures:
    table = np.column_stack([bands, level])
    table = table - table.mean(axis=0)
    table /= np.linalg.norm(table, axis=0) + 1e-6
    matrix = table.T @ table
    return np.concatenate([np.diag(matrix, 1)[:-1], np.diag(matrix, 3)[:-1], matrix[-1, :-1]])


def _movement(level: Figures) -> Figures:
    shape = np.hanning(len(level))
    spectrum = np.abs(np.fft.rfft((level - level.mean()) * shape, 512)) ** 2 / (shape**2).sum()
    hz = np.arange(len(spectrum)) * SAMPLE_RATE / HOP / 512
    edges = zip(RATES[:-1], RATES[1:], strict=True)
    return np.array([10 * np.log10(spectrum[(hz >= a) & (hz < b)].mean() + 0.1) for a, b in edges])


def _crest(frames: npt.NDArray[np.float32]) -> float:
    """Peak over RMS of the whole piece, dB; the peak is exceeded by one sample in a thousand."""
    x = np.abs(frames[::2].ravel())
    rms = np.sqrt(np.mean(np.square(x, dtype=np.float64))) + EPS
    return float(20 * np.log10(np.percentile(x, 99.9) / rms + EPS))


def _grit(power: Figures) -> Figures:
    hz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    found = []
    for low, high in zip(REGIONS[:-1], REGIONS[1:], strict=True):
        part = power[:, (hz >= low) & (hz < high)] + 1e-7
        mean = 10 * np.log10(part.mean(axis=1))
        found.append(float(np.mean(10 * np.log10(part).mean(axis=1) - mean)))
        found.append(float(np.mean(10 * np.log10(part.max(axis=1)) - mean)))
    return np.array(found)


def pieces(x: Array) -> list[Array]:
    """Cut a recording into pieces of four seconds, pauses left out; at least one."""
    found = [x[s : s + PIECE] for s in range(0, max(1, len(x) - PIECE // 2), PIECE)]
    powers = [float(np.mean(np.square(p, dtype=np.float64))) for p in found]
    loud = [p for p, w in zip(found, powers, strict=True) if w > 0.01 * max(powers)]
    return [p for p in loud if len(p) >= SAMPLE_RATE] or [x]


def averages(recordings: Sequence[Array]) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Mean of every figure over all pieces, and its deviation from piece to piece."""
    rows = [describe(p) for x in recordings for p in pieces(x)]
    stacked = {group: np.stack([row[group] for row in rows]) for group in GROUPS}
    return (
        {group: s.mean(axis=0) for group, s in stacked.items()},
        {group: s.std(axis=0) for group, s in stacked.items()},
    )


class Likeness:
    """Distance of recordings to one reference; 0 is the same, about 1 is as far as its own pieces.

    Parameters
    ----------
    reference : sequence of ndarray [shape=(n,), float32]
    dry : sequence of ndarray
        What will be changed: how its figures move from note to note counts, too.
    """

    def __init__(self, reference: Sequence[Array], dry: Sequence[Array] = ()) -> None:
        self.reference = reference
        self.target, moving = averages(reference)
        other = averages(dry)[1] if dry else moving
        self.scale = {
            group: np.sqrt(floor**2 + 0.5 * (moving[group] ** 2 + other[group] ** 2))
            for group, (_, floor) in GROUPS.items()
        }

    def groups(self, recordings: Sequence[Array]) -> dict[str, float]:
        """Distance by group, without the weights."""
        found, _ = averages(recordings)
        away = {g: np.abs(found[g] - self.target[g]) / self.scale[g] for g in GROUPS}
        return {g: float(np.sqrt(np.mean(np.maximum(a - FREE, 0.0) ** 2))) for g, a in away.items()}

    def __call__(self, recordings: Sequence[Array]) -> float:
        """Weighted mean over the groups."""
        found = self.groups(recordings)
        total = sum(weight for weight, _ in GROUPS.values())
        return sum(GROUPS[group][0] * d for group, d in found.items()) / total
