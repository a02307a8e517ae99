"""Lines off the grid: tones in the output that are no harmonics of what went in.

A long spectrum of the settled output is split into three: the *grid* (harmonics of the input's
pitch, with room for vibrato and ensemble), *lines* (narrow peaks off the grid that stand out of
their neighbourhood) and *noise* (everything else off the grid).  Noise has peaks, too, so a line
must exceed what noise of its neighbourhood's median would hold, and what the spectrum of a player's
own voice would (:mod:`.own`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .own import Own
from .sounds import Samples, decibels

LOBE = 5  # bins either side of a line: the window's main lobe is 4
LOWEST = 20.0  # Hz; what is below is no tone
DETUNED = 0.012  # of a harmonic's frequency that vibrato and ensembles may take (20 cents)
VIBRATO = 8.0  # Hz further, for the side bands of a vibrato
WIDEST = 0.25  # of the spacing between harmonics that one harmonic may take
AROUND = 128  # bins of a neighbourhood
ALLOWED = 6.0  # times the neighbourhood's mean noise that noise alone rarely reaches
ENSEMBLE, FAINT = 0.03, 1e-5  # what a voice's own partials take (50 cents), down to this power
CHANCE = 10.0  # times its mean that narrow-band noise rarely reaches
MOST = 64  # lines that are told apart
SILENT = 1e-10  # power (-100 dBFS) below which there is nothing to compare with
NOTHING = -120.0  # dB


@dataclass(frozen=True)
class OffGrid:
    """Strongest line and all noise, dB over the sound on the grid, and where the line is."""

    line_db: float
    line_hz: float
    noise_db: float


def blackman_harris(n: int) -> Samples:
    """Four-term window with side lobes of -92 dB (Harris, 1978)."""
    t = 2.0 * np.pi * np.arange(n) / n
    return 0.35875 - 0.48829 * np.cos(t) + 0.14128 * np.cos(2 * t) - 0.01168 * np.cos(3 * t)


def powers(y: npt.NDArray[np.floating]) -> Samples:
    """Mean square per bin of the whole signal ``[n] -> [n // 2 + 1]``; their sum is the power."""
    window = blackman_harris(len(y))
    spectrum = np.fft.rfft(y * window)
    found = 2.0 * np.square(np.abs(spectrum)) / (len(y) * np.sum(window**2))
    found[0] *= 0.5
    return found


def grid(n: int, rate: int, pitches: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Which bins belong to harmonics of `pitches` [Hz] ``[n // 2 + 1]``."""
    hz, step = np.fft.rfftfreq(n, 1 / rate), rate / n
    on = np.zeros(len(hz), dtype=bool)
    for pitch in pitches:
        nearest = np.maximum(1.0, np.round(hz / pitch)) * pitch
        room = np.minimum(WIDEST * pitch, LOBE * step + VIBRATO + DETUNED * nearest)
        on |= np.abs(hz - nearest) <= np.maximum(room, LOBE * step)
    return on


def off_grid(
    y: npt.NDArray[np.floating],
    rate: int,
    pitches: Sequence[float],
    reference: float | None = None,
    own: Own | None = None,
) -> OffGrid:
    """Judge a settled, steady output.

    Parameters
    ----------
    y : ndarray [shape=(n,)]
        Half a second or more.
    pitches : sequence of float [Hz]
        Fundamentals of the input; none: nothing is on the grid.
    reference : float or None
        Power that the figures are relative to; None: that on the grid (of the line: with the
        noise, so that a style made of breath is not divided by nothing); silence has no line.
    own : Own or None
        Spectrum of the voice that plays the note, at the output's power.
    """
    p = powers(y)
    hz = np.fft.rfftfreq(len(y), 1 / rate)
    on = grid(len(y), rate, pitches)
    if own is not None:
        for partial in own.hz[own.power > FAINT]:
            on |= np.abs(hz - partial) <= max(LOBE * rate / len(y), ENSEMBLE * partial)
    off = np.where(on | (hz < LOWEST), 0.0, p)
    sounding = float(p[on].sum())
    if reference is None and p.sum() < SILENT:
        return OffGrid(NOTHING, 0.0, NOTHING)
    usual = (2 * LOBE + 1) * _floor(off)
    allowance = ALLOWED * usual
    if own is not None:
        step, near_by = rate / len(y), np.ones(2 * LOBE + 1)
        mine = p.sum() * step * np.convolve(own.density(hz), near_by, "same")
        usual, allowance = np.maximum(usual, mine), np.maximum(allowance, CHANCE * mine)
    near = np.convolve(off, np.ones(2 * LOBE + 1), "same")
    lines: list[tuple[float, float]] = []
    for _ in range(MOST):
        at = int(np.argmax(near - allowance))
        if near[at] <= allowance[at]:
            break
        first, last = max(0, at - LOBE), at + LOBE + 1
        peak = first + int(np.argmax(off[first:last]))
        lines.append((float(near[at] - usual[at]), float(hz[peak])))
        off[first:last] = 0.0
        for k in range(max(0, first - LOBE), min(len(off), last + LOBE)):
            near[k] = off[max(0, k - LOBE) : k + LOBE + 1].sum()
    noise = _everywhere(off, ~on)
    line, where = max(lines, default=(0.0, 0.0))
    base = sounding + noise if reference is None else reference
    if own is not None and reference is None:  # the voice is sounding off the grid, too
        base = max(base, float(p.sum()) - sum(power for power, _ in lines))
    return OffGrid(
        decibels(line) - decibels(base),
        where,
        decibels(noise) - decibels(sounding if reference is None else reference),
    )


def _blocks(n: int) -> list[npt.NDArray[np.int64]]:
    return np.array_split(np.arange(n), max(1, n // AROUND))


def _everywhere(off: Samples, known: npt.NDArray[np.bool_]) -> float:
    """Power of the noise, that under the grid guessed by its neighbourhood's mean."""
    return float(sum(off[b].sum() * len(b) / max(1, known[b].sum()) for b in _blocks(len(off))))


def _floor(off: Samples) -> Samples:
    """Mean noise per bin by the median of each neighbourhood's bins, as if it were noise."""
    floor = np.empty_like(off)
    for block in _blocks(len(off)):
        some = off[block]
        some = some[some > 0.0]
        floor[block] = np.median(some) / np.log(2.0) if some.size else 0.0
    return floor
