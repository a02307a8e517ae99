"""What stages measure, by names of its own: the tuner's pitch, the beat, where a loop stands.

A reading is a number beside the levels; one that no stage of the path gives is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

TUNER = ("tuner_hz", "tuner_note", "tuner_cents")
READINGS = (*TUNER, "beat", "loop_state", "loop_seconds", "loop_position")
LOOP_STATES = ("empty", "waiting", "recording", "playing", "overdubbing", "stopped")
_NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def note_name(number: float) -> str:
    """The name of a note by its MIDI number: ``E1`` for 28."""
    octave, step = divmod(round(number), 12)
    return f"{_NOTES[step]}{octave - 1}"


def given(values: Mapping[str, float]) -> dict[str, float]:
    """Those of the readings that are there: numbers, not NaN."""
    return {n: values[n] for n in READINGS if not math.isnan(values.get(n, math.nan))}
