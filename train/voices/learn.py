"""A voice from single notes: every loud note a row, what a soft one lacks its touch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..data.scores.render import SAMPLE_RATE
from . import analysis
from .single_notes import LOUD, Note, Source
from .tables import BANDS, PARTIALS, SILENT, About, Tables, knots, save

Floats = npt.NDArray[np.float64]
LEVEL = 0.08  # root mean square of a note at full velocity over its first second, in the middle
MIDDLE = (45, 84)  # pitches that count for it
TOUCH = (0.3, 4.0)
USUAL_TOUCH = 1.5
LEAST_NOTES = 3
SHORTEST = 0.15  # s
LEADS = 0.5, 0.03  # of the time to half the level; at most [s]


def learn(source: Source, log: Callable[[str], None] = lambda text: None) -> tuple[Tables, float]:
    """Tables of all notes, and how much of the attack to skip [s].

    Raises
    ------
    ConfigError
        Fewer than three notes that can be analysed.
    """
    loud = [
        n for n in source.notes if n.velocity == LOUD and len(n.samples) > SHORTEST * SAMPLE_RATE
    ]
    soft = {n.pitch: n for n in source.notes if n.velocity != LOUD}
    if len(loud) < LEAST_NOTES:
        raise ConfigError(
            f"expected at least {LEAST_NOTES} notes of {SHORTEST} s or more, got {len(loud)}"
        )
    rows, touches = [], []
    for note in loud:
        row = analysis.analyse(note)
        rows.append(row)
        touches.append(touch(row, soft.get(note.pitch)))
        log(f"note {note.pitch}: {int((row.hz > 0).sum())} partials")
    whole = np.log(LOUD / 127.0)
    course = np.stack([r.course - t * whole for r, t in zip(rows, touches, strict=True)])
    course = np.maximum(course + np.log(gain(rows, touches, loud)), 1.25 * SILENT)
    ratio = [r.hz / analysis.fundamental(n.pitch) for r, n in zip(rows, loud, strict=True)]
    columns = {
        name: np.stack([getattr(r, name) for r in rows])
        for name in ("tail", "release", "steady", "second", "random", "beat", "width")
    }
    columns |= {"course": course, "touch": np.stack(touches), "ratio": np.stack(ratio)}
    columns["pitches"] = np.array([n.pitch for n in loud])
    tables = Tables(**{k: v.astype(np.float32) for k, v in columns.items()})
    return tables, lead(tables)


def touch(row: analysis.Row, soft: Note | None) -> Floats:
    """Exponent of the velocity for every sound of a note ``[PARTIALS + BANDS]``."""
    found = np.full(PARTIALS + BANDS, USUAL_TOUCH)
    if soft is None or not (row.hz > 0).any():
        return found
    hz = row.hz[row.hz > 0]
    length = analysis.window_of(analysis.fundamental(soft.pitch))
    power = np.square(np.abs(analysis.demodulated(soft.samples, hz, length)))
    begin, end = (round(t * SAMPLE_RATE / analysis.HOP) for t in (0.08, 0.7))
    power = power[begin:end].mean(axis=0)
    ratio = np.log((row.power[: len(hz)] + 1e-14) / (power + 1e-14))
    exponent = np.clip(0.5 * ratio / np.log(LOUD / soft.velocity), *TOUCH)
    found[:] = np.average(exponent, weights=row.power[: len(hz)] + 1e-14)
    found[: len(hz)] = exponent
    return found


def gain(rows: list[analysis.Row], touches: list[Floats], notes: list[Note]) -> float:
    """By how much amplitudes are multiplied so that the voice has the usual level."""
    low, high = MIDDLE
    powers = []
    for row, exponent, note in zip(rows, touches, notes, strict=True):
        if low <= note.pitch <= high or len(notes) < 2 * LEAST_NOTES:
            full = row.power * np.exp(-2.0 * exponent * np.log(LOUD / 127.0))
            powers.append(0.5 * full[:PARTIALS].sum() + full[PARTIALS:].sum())
    return float(LEVEL / np.sqrt(np.median(powers or [r.power.sum() for r in rows]) + 1e-20))


def lead(tables: Tables) -> float:
    """Part of the attack that may hide an ear's lateness: half of what it takes to half level."""
    power = np.exp(2.0 * tables.course[:, :, :PARTIALS].astype(np.float64)).sum(axis=2)
    middle = np.median(power / power.max(axis=1, keepdims=True), axis=0)
    half = float(knots()[int(np.argmax(middle >= 0.25))])
    share, most = LEADS
    return round(min(most, share * half), 3)


def learn_file(source: Source, name: str, target: Path, log: Callable[[str], None] = print) -> Path:
    """Learn a voice and write its file."""
    tables, skipped = learn(source, log)
    save(target, tables, About(name, source.origin, source.licence, skipped))
    log(f"{len(tables.pitches)} notes, lead {1000 * skipped:.0f} ms")
    return target
