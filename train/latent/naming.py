"""Names for directions: the descriptor that moves most surely with each, no name twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
WEAKEST = 0.3  # correlation below which a direction keeps its number


@dataclass(frozen=True)
class Knob:
    """A direction with a name.

    Attributes
    ----------
    name : str
        A descriptor, or ``latent k``.
    descriptor : str
        Empty where none goes with it.
    correlation : float
        Of the descriptor with the knob, after `sign`; 0 without one.
    sign : int
        -1 where the direction was turned over, so that more of the knob is more of the descriptor.
    reach : float
        How far the knob goes at 1, in deviations of the latent along the direction.
    explained : float
        Share of the latent's variance.
    """

    name: str
    descriptor: str
    correlation: float
    sign: int
    reach: float
    explained: float


def correlations(moved: Matrix, offsets: Matrix) -> Matrix:
    """Pearson's r of descriptors with a knob, each recording around its own mean.

    Parameters
    ----------
    moved : ndarray [shape=(directions, offsets, recordings, descriptors)]
    offsets : ndarray [shape=(offsets,)]

    Returns
    -------
    ndarray [shape=(directions, descriptors)]
    """
    centred = moved - moved.mean(axis=1, keepdims=True)
    x = (offsets - offsets.mean())[None, :, None, None]
    top = (centred * x).sum(axis=(1, 2))
    power = (centred**2).sum(axis=(1, 2)) * (x**2).sum() * moved.shape[2]
    return np.asarray(top / np.sqrt(power + 1e-18))


def assign(r: Matrix, names: Sequence[str]) -> list[tuple[int, float]]:
    """For each direction the descriptor's index and correlation, or ``(-1, 0)``.

    The assignment with the largest sum of ``|r|`` (Kuhn & Munkres), so no name is given twice;
    below :data:`WEAKEST` none is given.
    """
    from scipy.optimize import linear_sum_assignment

    strength = np.abs(r)
    rows, columns = linear_sum_assignment(-np.where(strength >= WEAKEST, strength, 0.0))
    found = [(-1, 0.0)] * len(r)
    for row, column in zip(rows, columns, strict=True):
        if strength[row, column] >= WEAKEST:
            found[row] = (int(column), float(r[row, column]))
    return found


def reach(curve: Matrix, offsets: Matrix, sign: int) -> float:
    """Largest symmetric range over which a descriptor's mean only rises.

    Parameters
    ----------
    curve : ndarray [shape=(offsets,)]
        Mean over recordings.
    offsets : ndarray [shape=(offsets,)]
        Rising, as many below 0 as above.

    Returns
    -------
    float
        The smallest of the offsets above 0 where there is no such range.
    """
    limits = offsets[offsets > 0]
    for limit in limits[::-1]:
        part = sign * curve[np.abs(offsets) <= limit + 1e-9]
        if np.all(np.diff(part) > 0):
            return float(limit)
    return float(limits[0])


def name_knobs(
    moved: Matrix, offsets: Matrix, explained: Sequence[float], names: Sequence[str]
) -> list[Knob]:
    """Name every direction and say how far its knob may go."""
    knobs = []
    for k, (column, r) in enumerate(assign(correlations(moved, offsets), names)):
        if column < 0:
            limit = float(offsets.max()) / 2
            knobs.append(Knob(f"latent {k + 1}", "", 0.0, 1, limit, explained[k]))
            continue
        sign = 1 if r > 0 else -1
        limit = reach(moved[k, :, :, column].mean(axis=1), offsets, sign)
        knobs.append(Knob(names[column], names[column], abs(r), sign, limit, explained[k]))
    return knobs
