"""How well an ear hears: onsets with their pitch, false notes, and how late, by register.

A note is found where one of its pitch begins within 50 ms of it (as MIREX counts; Bay, Ehmann
and Downie, ISMIR 2009).  What is judged is what a player gets: the exported file, hop by hop, its
lateness included.  basic-pitch hears the same recordings whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError
from realtime.models.ear import Ear

from ..data.notes import hummed
from ..data.notes.pieces import RANGES, Onsets, Piece, matched, pieces
from ..data.scores.render import SAMPLE_RATE
from .judges.packages import require

HIGHER = ("single lines", "repeated notes", "chords")
INSTRUMENTS: dict[str, tuple[int | str, tuple[str, ...]]] = {  # held out: player, what it plays
    "TimGM6mb piano": (0, tuple(RANGES)),
    "TimGM6mb nylon guitar": (24, tuple(RANGES)),
    "TimGM6mb clean guitar": (27, tuple(RANGES)),
    "recorded nylon guitar": ("024_Nylon_Guitar", HIGHER),
    "recorded steel guitar": ("025_Steel_Guitar", HIGHER),
    "recorded piano": ("000_Acoustic_Grand_Piano", tuple(RANGES)),
    "recorded finger bass": ("033_Finger_Bass", ("low lines",)),
}
HUMMED = "hummed voice, by gliding 1"
SHORTEST = 11  # frames of a note, by basic-pitch: 128 ms
REGISTERS = {"E1–A2": (28, 45), "A2–E3": (45, 52), "E3–E4": (52, 64), "E4–E5": (64, 76),
             "E5–C7": (76, 97)}  # fmt: skip


def figures(heard: Iterable[tuple[Onsets, Onsets, float]]) -> dict[str, Any]:
    """Precision, recall, F1, false notes a second and lateness of recordings.

    Parameters
    ----------
    heard : iterable of (found, truth, seconds)
    """
    hits, found, wanted, seconds = 0, 0, 0, 0.0
    late: list[tuple[int, float]] = []
    for mine, truth, length in heard:
        pairs = matched(mine, truth)
        late += [(truth[j][1], mine[i][0] - truth[j][0]) for i, j in pairs]
        hits, found, wanted = hits + len(pairs), found + len(mine), wanted + len(truth)
        seconds += length
    result: dict[str, Any] = {
        "precision": round(hits / found, 4) if found else 0.0,
        "recall": round(hits / wanted, 4) if wanted else 0.0,
        "f1": round(2 * hits / (found + wanted), 4) if found + wanted else 1.0,
        "false_per_s": round((found - hits) / max(seconds, 1e-9), 3),
        "notes": wanted,
    }
    for name, (low, high) in REGISTERS.items():
        own = [1000 * t for p, t in late if low <= p < high]
        if len(own) >= 5:
            result.setdefault("late_ms", {})[name] = [
                round(float(np.percentile(own, q)), 1) for q in (50, 90)
            ]
    return result


def by_ear(file: Path, made: list[Piece], gliding: float = 0.0) -> list[Onsets]:
    """What the exported file hears, when it hears it."""
    with Ear(file, SAMPLE_RATE, gliding) as ear:
        return [[(n.begin, n.pitch) for n in ear.notes(p.samples)] for p in made]


def by_basic_pitch(made: list[Piece]) -> list[Onsets]:
    """What basic-pitch makes of the whole recording at once, with its own settings.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    from .judges import pitch as judge
    from .judges.memo import remembered

    def notes(samples: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], ...]:
        frames, onsets = judge.activations(samples)
        logging.disable(logging.WARNING)  # it tells which of its backends are missing
        try:
            package = require("basic_pitch.note_creation")
        finally:
            logging.disable(logging.NOTSET)
        limits = (judge.ONSET_THRESHOLD, judge.FRAME_THRESHOLD, SHORTEST)
        rows = package.output_to_notes_polyphonic(frames, onsets, *limits, True, None, None)
        times = package.model_frames_to_time(len(frames) + 1)  # not one frame every 256 samples
        return (np.array([(times[r[0]], r[2]) for r in rows], dtype=np.float64).reshape(-1, 2),)

    found = []
    for p in made:
        x = p.samples
        (rows,) = remembered("basic-pitch 0.4.0 timed notes", x, lambda x=x: notes(x))  # type: ignore[misc]
        found.append([(float(t), round(key)) for t, key in rows])
    return found


def judged_ear(file: Path, log: Callable[[str], None]) -> dict[str, Any]:
    """Figures of the ear and of basic-pitch on every held-out instrument, for the card."""
    sets = {}
    played = {name: pieces(player, kinds=kinds) for name, (player, kinds) in INSTRUMENTS.items()}
    sung = hummed.pieces()
    for name, made in (played | {"hummed voice": sung, HUMMED: sung}).items():
        gliding = 1.0 if name == HUMMED else 0.0
        scores = {"model": _by_kind(made, by_ear(file, made, gliding))}
        try:
            scores["basic_pitch"] = _by_kind(made, by_basic_pitch(made))
        except ConfigError as error:
            log(f"ear: no basic-pitch beside it: {error}")
        sets[name] = {"recordings": len(made), "scores": scores}
        told = ", ".join(f"{k} {v['f1']:.2f}" for k, v in scores["model"].items())
        log(f"ear: {name}: F1 {told}")
    return {"kind": "ear", "command": "restyle train evaluate ear", "sets": sets}


def _by_kind(made: list[Piece], found: list[Onsets]) -> dict[str, Any]:
    return {
        kind: figures(
            (f, p.onsets, len(p.samples) / SAMPLE_RATE)
            for p, f in zip(made, found, strict=True)
            if p.kind == kind
        )
        for kind in {p.kind: None for p in made}
    }


def table(part: dict[str, Any]) -> list[str]:
    """Markdown lines of one instrument."""
    lines = [
        "| | P | R | F1 | false notes a second | basic-pitch F1 |",
        "|---|---|---|---|---|---|",
    ]
    other = part["scores"].get("basic_pitch", {})
    for kind, row in part["scores"]["model"].items():
        beside = f"{other[kind]['f1']:.2f}" if kind in other else ""
        cells = (row["precision"], row["recall"], row["f1"], row["false_per_s"])
        lines.append(f"| {kind} | " + " | ".join(f"{v:.2f}" for v in cells) + f" | {beside} |")
    lines += ["", "| late by (ms), median, p90 | " + " | ".join(REGISTERS) + " |"]
    lines.append("|---" * (1 + len(REGISTERS)) + "|")
    for kind, row in part["scores"]["model"].items():
        late = row.get("late_ms", {})
        cells_ = ("{:.0f}, {:.0f}".format(*late[r]) if r in late else "" for r in REGISTERS)
        lines.append(f"| {kind} | " + " | ".join(cells_) + " |")
    return lines
