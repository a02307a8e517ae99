"""When a note is heard: the time from its beginning to a tenth of its height, over many offsets.

A model that works in hops hears a note early or late in a hop; played on a grid of its own a player
would never learn how much that moves.  So the notes begin at random samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .sounds import Note, Samples, hertz, played

EVENTS = 500
ROWS = 20  # events are played side by side
SPACING, LENGTH = 0.25, 0.14  # seconds from event to event, and of a note
BEFORE = 0.03  # seconds before an event that say where it rises from
SMOOTH = 0.001  # seconds
HEIGHT = 0.1  # of the rise, in amplitude
LEAST = 2.0  # a rise by less than that factor is no event


@dataclass(frozen=True)
class Onsets:
    """Median and spread of the delay, and the share of notes that were not heard.

    Attributes
    ----------
    late_ms : float
        Over the input's own, declared latency taken off: 0 is as early as can be.
    jitter_ms : float
        From the 5th to the 95th percentile.
    missed : float
        0..1.
    """

    late_ms: float
    jitter_ms: float
    missed: float


@dataclass(frozen=True)
class Events:
    """Notes at random samples: ``samples [rows, n]`` and ``begins [rows, events of a row]``."""

    samples: Samples
    begins: npt.NDArray[np.int64]
    rate: int
    notes: tuple[tuple[Note, ...], ...]  # of every row


def events(rate: int, count: int = EVENTS, rows: int = ROWS, seed: int = 3) -> Events:
    """Short plucked notes between A2 and A4, each beginning at a sample of its own."""
    rng = np.random.default_rng(seed)
    each = -(-count // rows)
    n = round((each * SPACING + 0.2) * rate)
    samples = np.zeros((rows, n))
    begins = np.zeros((rows, each), dtype=np.int64)
    written = []
    for row in range(rows):
        notes = []
        for k in range(each):
            at = round((0.1 + k * SPACING) * rate) + int(rng.integers(0, 1024))
            begins[row, k] = at
            key = 45 + int(rng.integers(0, 25))
            notes.append(Note(at / rate, at / rate + LENGTH, hertz(key), 2.0))
        samples[row] = played(notes, n, rate)
        written.append(tuple(notes))
    return Events(samples, begins, rate, tuple(written))


def envelope(x: npt.NDArray[np.floating], rate: int) -> Samples:
    """Size of the analytic signal, smoothed over a millisecond ``[n]``."""
    n = len(x)
    spectrum = np.fft.rfft(x)
    spectrum[0] = 0.0
    full = np.zeros(n, dtype=np.complex128)
    full[: len(spectrum)] = 2.0 * spectrum
    size = np.abs(np.fft.ifft(full))
    kernel = np.hanning(max(3, round(2 * SMOOTH * rate)))
    return np.convolve(size, kernel / kernel.sum(), "same")


def delays(y: npt.NDArray[np.floating], made: Events) -> Samples:
    """Seconds from each event's beginning to a tenth of its rise; NaN where nothing rises."""
    rate, found = made.rate, np.full(made.begins.shape, np.nan)
    reach, before = round(SPACING * rate) - 2048, round(BEFORE * rate)
    for row, begins in enumerate(made.begins):
        size = envelope(np.asarray(y[row], dtype=np.float64), rate)
        for k, at in enumerate(begins):
            rest = float(np.median(size[at - before : at - before // 6]))
            part = size[at - before // 6 : at + reach]
            if not part.size:  # at a rate of a few kHz there is no room
                continue
            top = float(part.max())
            if top > max(LEAST * rest, 1e-5):
                level = rest + HEIGHT * (top - rest)
                found[row, k] = (int(np.argmax(part > level)) - before // 6) / rate
    return found


def judge(y: npt.NDArray[np.floating], made: Events) -> Onsets:
    """Compare an output ``[rows, n]``, aligned by the declared latency, with its input."""
    late = 1000.0 * (delays(y, made) - delays(made.samples, made))
    known = late[np.isfinite(late)]
    missed = 1.0 - known.size / late.size
    if not known.size:
        return Onsets(0.0, 0.0, 1.0)
    low, middle, high = np.percentile(known, [5, 50, 95])
    return Onsets(float(middle), float(high - low), float(missed))
