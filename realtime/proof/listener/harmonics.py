"""Harmonics-to-noise ratio of notes that are known, by fitting their harmonics.

Within each note every harmonic below 1 kHz is a sine and a cosine whose amplitudes go straight
from one value to another (Stylianou, 1996); what the fit leaves over is noise.  The fit is tried
at pitches around the written one, since a style may be slightly off or detuned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .pitch import decimate
from .sounds import Note, Samples, decibels

HIGHEST = 1000.0  # Hz
SETTLED, END = 0.025, 0.005  # seconds left out at the beginning and end of a note
LONGEST = 0.12  # seconds fitted at once
RIDGE = 1e-7
TUNINGS = 2.0 ** (np.linspace(-20.0, 20.0, 9) / 1200.0)


def harmonics_to_noise(y: npt.NDArray[np.floating], rate: int, notes: Sequence[Note]) -> float:
    """Median over notes, dB; notes that begin together are fitted together.

    Parameters
    ----------
    y : ndarray [shape=(n,)]
        Aligned with the notes.
    """
    low, low_rate = decimate(y, rate, round(2.5 * HIGHEST))
    ratios = []
    for begin in sorted({n.begin for n in notes}):
        together = [n for n in notes if n.begin == begin]
        first = round((begin + SETTLED) * low_rate)
        end = min(min(n.end for n in together) - END, begin + SETTLED + LONGEST)
        part = low[first : round(end * low_rate)]
        if len(part) > 40 and np.any(part):
            ratios.append(_ratio(part, low_rate, [n.hz for n in together]))
    return float(np.median(ratios)) if ratios else -200.0


def _ratio(part: Samples, rate: float, pitches: Sequence[float]) -> float:
    t = np.arange(len(part)) / rate
    ramp = t / t[-1]
    total = float(np.sum(part**2))
    best = total
    for tuning in TUNINGS:
        hz = {
            round(k * f * tuning, 3)
            for f in pitches
            for k in range(1, int(1.05 * HIGHEST / f) + 1)
            if k * f * tuning < 0.48 * rate
        }
        angle = 2.0 * np.pi * np.outer(t, sorted(hz))
        waves = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
        basis = np.concatenate([waves, waves * ramp[:, None]], axis=1)
        if basis.shape[1] > len(part) // 2:
            basis = waves
        gram = basis.T @ basis  # a little is added where partials of a chord all but coincide
        gram[np.diag_indices_from(gram)] += RIDGE * len(part)
        fitted = basis @ np.linalg.solve(gram, basis.T @ part)
        spare = max(1, len(part) - basis.shape[1]) / len(part)  # a fit takes noise along
        best = min(best, float(np.sum((part - fitted) ** 2)) / spare)
    return decibels(max(total - best, 1e-9 * total)) - decibels(best)
