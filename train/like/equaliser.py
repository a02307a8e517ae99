"""A static equaliser towards the reference, as effects that any chain file can hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..data.manifest import SAMPLE_RATE
from .search import PRICE
from .space import Chain, Stage, levelled, play
from .statistics import Likeness

Array = npt.NDArray[np.float32]
CENTRES = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # Hz
ROUNDS = 4  # bands overlap: what is missing is added again
MOST = 18.0  # dB


def spectrum(recordings: Sequence[Array]) -> npt.NDArray[np.float64]:
    """Level of each octave in dB, over all recordings together."""
    total = np.zeros(2049)
    for x in recordings:
        for start in range(0, max(1, len(x) - 4096), 2048):
            part = np.zeros(4096)
            part[: len(x[start : start + 4096])] = x[start : start + 4096]
            total += np.abs(np.fft.rfft(part * np.hanning(4096))) ** 2
    hz = np.arange(2049) * SAMPLE_RATE / 4096
    octave = np.sqrt(2)
    found = [total[(hz >= c / octave) & (hz < c * octave)].sum() for c in CENTRES]
    level = 10 * np.log10(np.array(found) + 1e-9 * total.sum() + 1e-12)
    return np.asarray(level - 10 * np.log10(total.sum() + 1e-12))


def equaliser(dry: Sequence[Array], reference: Sequence[Array]) -> Chain:
    """Eight peak filters an octave apart that give `dry` the mean spectrum of `reference`.

    Returns
    -------
    Chain
        At the dry sound's level.
    """
    return levelled(bands(dry, reference, "before"), np.concatenate(list(dry)))


def bands(dry: Sequence[Array], reference: Sequence[Array], place: str) -> Chain:
    """The filters of :func:`equaliser` alone; those of less than half a dB are left out."""
    wanted, gains = spectrum(reference), np.zeros(len(CENTRES))
    for _ in range(ROUNDS):
        error = wanted - spectrum([play(_filters(gains, place), x) for x in dry])
        gains = np.clip(gains + 0.7 * (error - np.median(error)), -MOST, MOST)
    return _filters(gains, place)


def toned(chain: Chain, dry: Sequence[Array], likeness: Likeness) -> Chain:
    """The chain with such filters behind its drive, where they are worth their price.

    The search hears a few pieces and has two shelves and a peak; over all of the playing a mean
    spectrum is known better than that.
    """
    early = tuple(s for s in chain if s.place != "after")
    late = tuple(s for s in chain if s.place == "after")
    filters = bands([play(early, x) for x in dry], likeness.reference, "model")
    made = (*early, *filters, *late)
    before, after = (likeness([play(c, x) for x in dry]) for c in (chain, made))
    return made if after + PRICE * len(filters) < before else chain


def _filters(gains: npt.NDArray[np.float64], place: str) -> Chain:
    return tuple(
        Stage(
            "PeakFilter",
            place,
            {"cutoff_frequency_hz": hz, "gain_db": round(float(gain), 1), "q": 1.0},
        )
        for hz, gain in zip(CENTRES, gains, strict=True)
        if abs(gain) >= 0.5
    )
