"""All test sounds of the proof, laid out in rows that are played side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from . import clips
from .clips import Clip
from .onsets import Events, events
from .sounds import Note, Samples, gain, hertz, noise, played, tone

Rows = npt.NDArray[np.float32]

PITCHES = tuple(range(40, 87, 2))  # E2 .. D6
PARTIALS = 4
SETTLE, STEADY = 0.5, 0.7  # seconds: until a style has settled, and what is judged
DC_DB, HUM_DB, OFFSET = -70.0, -60.0, 0.1  # dBFS, dBFS, amplitude
HISSES = (-90.0, -80.0, -70.0, -60.0, -50.0)  # dBFS
BURST_DB, RELEASED, BURST = -70.0, 2.0, (0.1, 0.6)  # hiss; end of the note; seconds after it
BASS_LOWEST, RUN_LOWEST = 32.0, 90.0  # Hz that the pitch judge looks down to


@dataclass(frozen=True)
class Material:
    """Inputs at one rate.

    Attributes
    ----------
    sines, partials : ndarray [shape=(24, n)]
        One row for each of :data:`PITCHES`.
    steady : dict of name to ndarray [shape=(n,)]
        DC, hum, hiss and silence.
    phrases : dict of name to Clip
    starts : Events
    """

    rate: int
    sines: Samples
    partials: Samples
    steady: dict[str, Samples]
    phrases: dict[str, Clip]
    starts: Events

    def settled(self, row: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The part of a steady row that is judged."""
        return row[-round(STEADY * self.rate) :]


@lru_cache(maxsize=2)
def material(rate: int) -> Material:
    """Make everything for a sample rate."""
    n = round((SETTLE + STEADY) * rate)
    t = np.arange(n) / rate
    sines = np.stack([tone(hertz(key), n, rate) for key in PITCHES])
    partials = np.stack([tone(hertz(key), n, rate, PARTIALS) for key in PITCHES])
    steady = {
        "silence": np.zeros(n),
        "after sound": np.where(t < 0.3, noise(n, -20.0, 1), 0.0),
        "offset": np.full(n, OFFSET),
        "dc": np.full(n, gain(DC_DB)),
        **{
            f"hum {hz}": gain(HUM_DB) * np.sqrt(2.0) * np.sin(2.0 * np.pi * hz * t)
            for hz in (50, 60)
        },
        **{f"hiss {db:.0f}": noise(n, db, 2) for db in HISSES},
    }
    released = (Note(0.05, RELEASED, hertz(57), clips.PIANO_DECAY),)
    burst = played(released, round((RELEASED + 0.8) * rate), rate)
    phrases = [
        clips.line("bass", clips.BASS, 0.3, rate, 4.0),
        clips.line("run", clips.RUN, 0.1, rate, 3.0),
        clips.chords(rate),
        clips.repeated(rate),
        clips.held(rate, None),
        clips.held(rate, clips.PIANO_DECAY),
        clips.speech(rate),
        Clip("released", released, burst + noise(len(burst), BURST_DB, 5), rate),
    ]
    return Material(rate, sines, partials, steady, {c.name: c for c in phrases}, events(rate))


def stacked(rows: list[Samples]) -> Rows:
    """Rows of different lengths with silence after the shorter ones ``[rows, longest]``."""
    longest = max(len(row) for row in rows)
    out = np.zeros((len(rows), longest), dtype=np.float32)
    for row, x in zip(out, rows, strict=True):
        row[: len(x)] = x
    return out
