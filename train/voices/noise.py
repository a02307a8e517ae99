"""Bands of noise between a note's partials, fitted to its spectrum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..data.scores.render import SAMPLE_RATE
from .tables import DEVIATION, shapes

Floats = npt.NDArray[np.float64]
HOP = 256
FREE = 0.3  # of the fundamental: what lies farther from all harmonics is noise
CELL_EDGES = np.geomspace(130.0, 18500.0, 97)  # Hz: between them a spectrum counts as flat
ROUNDS, GUESSED = 60, 0.1  # of the fit; what counts a value that nobody saw


def between_partials(x: Floats, f0: float, hz: Floats, share: float) -> Floats:
    """Power of every band of noise, once a hop ``[hops, BANDS]``; windows are centred.

    Partials `hz` are left out; of harmonics that are none of them `share` counts, 0..1.
    Under partials the noise is taken to go on as beside them.
    """
    length = 4096 if f0 > 120.0 else 8192
    window = np.blackman(length + 1)[:-1]
    padded = np.pad(x, (length // 2, length // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[:: 4 * HOP]
    psd = np.square(np.abs(np.fft.rfft(frames * window, axis=1)))
    psd /= 0.5 * SAMPLE_RATE * np.square(window).sum()
    f = np.arange(psd.shape[1]) * SAMPLE_RATE / length
    lobe = 3.0 * SAMPLE_RATE / length
    away = np.abs(f / f0 - np.round(f / f0)) * f0
    between = away > max(lobe, FREE * f0)
    weight = np.where(between, 1.0, np.where(f > 0.5 * f0, share, 0.0))
    weight *= (np.abs(f[:, None] - hz[None]) > max(lobe, FREE * f0)).all(axis=1)
    cell = np.searchsorted(CELL_EDGES, f) - 1
    inside = (cell[:, None] == np.arange(len(CELL_EDGES) - 1)) * weight[:, None]
    count = inside.sum(axis=0)
    density = (psd @ inside) / np.maximum(count, 1e-9)
    return np.repeat(band_powers(density, count), 4, axis=0)


def band_powers(density: Floats, count: Floats) -> Floats:
    """Powers of the bands whose sum is likeliest to have given a spectrum ``[frames, BANDS]``.

    Noise scatters about its density by a factor, so the fit minimises the Itakura-Saito divergence,
    by multiplicative steps (Févotte, Bertin & Durrieu, 2009).

    Parameters
    ----------
    density : ndarray [shape=(frames, cells), 1/Hz]
        Mean over each cell of :data:`CELL_EDGES`.
    count : ndarray [shape=(cells,)]
        How many values each is a mean of; 0: it is not known.
    """
    middle = np.log(CELL_EDGES[1:] * CELL_EDGES[:-1]) / 2.0
    basis, seen = shapes(np.exp(middle)), count > 0.0
    if not seen.any():
        return np.zeros((len(density), basis.shape[1]))
    # what is not seen goes straight from what is to what is, in decibels an octave
    rows = np.log(density[:, seen] + 1e-24)
    known = np.array([np.interp(middle, middle[seen], row) for row in rows])
    # silence counts as something 10 dB under the flanks that bands cannot but have
    flank = -0.5 * np.square((middle[:, None] - middle) / DEVIATION) - np.log(10.0)
    known = np.exp(np.maximum(known, np.max(known[:, None, :] + flank, axis=2)))
    weight = np.where(seen, count, GUESSED)
    near = basis * weight[:, None]
    powers = (known @ near) / (near * basis).sum(axis=0)
    for _ in range(ROUNDS):
        made = powers @ basis.T
        more = (weight * known / made**2) @ basis
        less = (weight / made) @ basis
        powers *= np.sqrt(more / less)
    return np.asarray(powers)
