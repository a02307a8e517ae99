"""After every hop of a player, its notes are written where another process sees them.

A player tells its notes by its state ``slots`` (docs/model-format.md).  The audio thread copies
numbers and nothing more.
"""

from __future__ import annotations

import math

from ..models.card import EAR_LOWEST
from ..models.steppable import NOTE_FIELDS, NoteSlots
from ..native.intrinsics import store_release, view_f32, view_i64
from ..native.late_numba import njit
from ..native.records import F32, I64, INT, Array, Record, Table
from ..parameters.heard import PITCHES, Words

SPAN_DB = 45.0  # of the ear's velocities; a slot's is the square root of an amplitude

PLAYED = Table(
    "played",
    # the player's slots in either set of its states, and where it says which is in force
    slots=INT, first=INT, second=INT, phase=INT,
    # where its notes are told; the slots' ages a hop ago; what a hop finds, and onsets so far
    row=Array(I64, str(1 + PITCHES)), ages=Array(F32, "slots"),
    found=Array(I64, str(PITCHES)), onsets=Array(I64, str(PITCHES)),
)  # fmt: skip
view_played = PLAYED.view
_row, _ages, _found, _onsets = (PLAYED.array(n) for n in ("row", "ages", "found", "onsets"))
PITCH, AGE, VELOCITY, SINCE = range(4)  # rows of the state


@njit(nogil=True, error_model="numpy", cache=True)
def _velocity(loud):  # type: ignore[no-untyped-def]
    """1..127 of a slot's velocity."""
    share = 1.0 + 40.0 / SPAN_DB * math.log10(max(loud, 1e-6))
    return min(127, max(1, int(127.0 * share + 0.5)))


@njit(nogil=True, error_model="numpy", cache=True)
def tell(address):  # type: ignore[no-untyped-def]
    """Write the notes of the newest hop; the count of hops is the last thing written."""
    p = view_played(address)
    place = p.second if view_i64(p.phase, (1,))[0] != 0 else p.first
    state, row = view_f32(place, (NOTE_FIELDS, p.slots)), _row(p)
    ages, found, onsets = _ages(p), _found(p), _onsets(p)
    for k in range(PITCHES):
        found[k] = 0
    for s in range(p.slots):
        pitch, age = state[PITCH, s], state[AGE, s]
        if pitch >= 0.0 and pitch < PITCHES - EAR_LOWEST and state[SINCE, s] <= 0.0:
            number = EAR_LOWEST + int(pitch)
            struck = age < ages[s]  # a slot's age grows until another note takes it
            if struck or row[1 + number] == 0:
                onsets[number] += 1
                found[number] = _velocity(state[VELOCITY, s])
            elif found[number] == 0:
                found[number] = row[1 + number] % PITCHES
        ages[s] = age
    for k in range(PITCHES):
        row[1 + k] = onsets[k] * PITCHES + found[k] if found[k] > 0 else 0
    store_release(p.row, row[0] + 1)


def make_played(source: NoteSlots, row: Words) -> Record:
    """A record for :func:`tell`; `row` and the model's memory are borrowed."""
    first, second = source.sets
    made = PLAYED.make("row", slots=source.slots, first=first, second=second, phase=source.phase)
    made.place("row", row)
    return made
