"""Recordings with labels, for the tagger: from the sets the styles learn from.

A recording is a pair whose two sides are the same and whose controls are its labels, 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..manifest import SPLITS
from ..pairs import Pair, PairSet
from ..scores.render import render
from ..scores.scores import compose, to_midi
from ..sets.recordings import Recording, RecordingSet, load_set
from . import teachers

Array = npt.NDArray[np.float32]
INSTRUMENTS = {  # General MIDI program: label
    "0": "piano", "4": "electric piano", "6": "harpsichord", "11": "vibraphone", "24": "guitar",
    "27": "guitar", "48": "strings", "52": "choir", "73": "flute", "80": "synth",
}  # fmt: skip
LABELS = (
    "piano", "electric piano", "harpsichord", "vibraphone", "guitar", "strings", "choir", "flute",
    "synth", "speech", "band", "driven", "noise",
)  # fmt: skip
MINUTES = {"tunes": 3.0, "keys": 1.6}  # of each program and soundfont
SPEECH, BAND = 10.0, 90.0  # minutes, of which long recordings are used in pieces
DRIVES = (teachers.warm, teachers.fuzz, teachers.tube_amp)
DRIVEN = 5  # every so manieth recording of an instrument goes through an amplifier
LONGEST = 40 * 48000  # samples of one recording that are used
SHORTEST = 2 * 48000
PIECES, PIECE = 3, 15 * 48000  # of a whole band, spread over the recording
FONTS = ("fluidr3", "musescore")  # TimGM6mb is for the test alone
VARIANTS = {  # label: General MIDI programs that sound like it, each on both fonts
    "piano": (0, 1, 2), "electric piano": (4, 5), "harpsichord": (6,), "vibraphone": (11,),
    "guitar": (24, 25, 26, 27), "strings": (48, 49, 50), "choir": (52, 53, 54), "flute": (73, 72),
    "synth": (80, 81, 62),
}  # fmt: skip
SCORES, SCORE_S, SEED = 6, 9.0, 71_000  # of each program and font; seconds; where seeds begin


def row(*labels: str) -> tuple[float, ...]:
    """The controls of a recording with these labels."""
    return tuple(float(name in labels) for name in LABELS)


def tagged() -> PairSet:
    """Instruments of two soundfonts, driven and not, speech and whole bands.

    Raises
    ------
    ConfigError
        A set is not here.
    """
    found: dict[str, list[Pair]] = {split: [] for split in SPLITS}
    for name, minutes in MINUTES.items():
        for program in INSTRUMENTS:
            for font in FONTS if program in ("0", "4", "24", "27") else FONTS[:1]:
                tags = {"program": program, "font": font}
                _add(found, load_set(name, minutes, tags=tags), INSTRUMENTS[program])
    _add_variants(found)
    _add(found, load_set("speech", SPEECH), "speech", driven=False)
    _add(found, load_set("game-music", BAND), "band", driven=False, pieces=PIECES)
    return PairSet(*(tuple(found[split]) for split in SPLITS))


def outside() -> dict[str, tuple[Pair, ...]]:
    """Held-out sounds: a soundfont no training heard, and notes of a real piano."""
    made: dict[str, list[Pair]] = {split: [] for split in SPLITS}
    for name in MINUTES:
        for program in ("0", "24", "48", "52", "80"):
            tags = {"program": program, "font": "timgm6mb"}
            _add(made, load_set(name, 4.0, tags=tags), INSTRUMENTS[program])
    piano = load_set("salamander")
    notes = [
        p
        for split in SPLITS
        for p in _pairs([(r.name, r.samples) for r in getattr(piano, split)], "piano", False)
    ]
    return {
        "timgm6mb": tuple(p for split in SPLITS for p in made[split]),
        "salamander": tuple(notes),
    }


def sources() -> list[dict[str, Any]]:
    """Where the sound comes from, for the card."""
    rows: list[dict[str, Any]] = []
    for name in (*MINUTES, "speech", "game-music"):
        rows += [dict(r) for r in load_set(name, 0.01).manifest.provenance()]
    unique = {
        (r["source"], r["licence"]): {"source": r["source"], "licence": r["licence"]} for r in rows
    }
    return list(unique.values())


def _add(
    found: dict[str, list[Pair]],
    recordings: RecordingSet,
    label: str,
    driven: bool = True,
    pieces: int = 1,
) -> None:
    for split in SPLITS:
        given = getattr(recordings, split)
        given = _cut(given) if pieces > 1 else given
        found[split] += _pairs([(r.name, r.samples) for r in given], label, driven)


def _add_variants(found: dict[str, list[Pair]]) -> None:
    """Scores composed by rule, for more sounds of each kind than the sets have."""
    seed = SEED
    for label, programs in VARIANTS.items():
        for program in programs:
            for font in FONTS:
                sounds = []
                for _ in range(SCORES):
                    score = compose(seed, SCORE_S, 40, 84)
                    x = render(to_midi(score, program), score.seconds + 0.5, font)
                    sounds.append((f"score {seed} {font}-{program}", x))
                    seed += 1
                found["train"] += _pairs(sounds[1:], label)
                found["validation"] += _pairs(sounds[:1], label, driven=False)


def _cut(recordings: tuple[Recording, ...]) -> tuple[Recording, ...]:
    """Some pieces of each."""
    made = []
    for r in recordings:
        for start in np.linspace(0, max(0, len(r.samples) - PIECE), PIECES + 2)[1:-1].astype(int):
            part = r.samples[start : start + PIECE].copy()
            made.append(replace(r, name=f"{r.name} at {start / 48000:.0f} s", samples=part))
    return tuple(made)


def _pairs(sounds: list[tuple[str, Array]], label: str, driven: bool = True) -> Iterator[Pair]:
    for number, (name, samples) in enumerate(sounds):
        x = samples[:LONGEST]
        level = float(np.sqrt(np.square(x, dtype=np.float64).mean()))
        if level < 1e-4 or len(x) < SHORTEST:
            continue
        x = np.asarray(x * np.float32(0.1 / level))
        yield Pair(name, x, x, row(label))
        if driven and number % DRIVEN == 0:
            drive = DRIVES[number // DRIVEN % len(DRIVES)]
            y = drive(x)
            y = np.asarray(y * np.float32(0.1 / (np.sqrt(np.square(y).mean()) + 1e-9)))
            yield Pair(f"{name} {drive.__name__}", y, y, row(label, "driven"))
