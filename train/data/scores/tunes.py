"""Tunes of the music21 corpus as scores: converted once, cached as MIDI, grouped by tune.

Chorales by Bach, fiddle tunes of Ryan's Mammoth Collection (1883) and quartet and sonata movements
by Mozart.  Encodings whose terms reserve rights (Palestrina, Ut Orpheus) are never touched.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mido

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

from ..manifest import rank
from .melodies import Tune, grouped
from .scores import TICKS, Note, Score, to_midi

CACHE = Path(".data") / "tunes"
VERSION = 1  # of the conversion
COLLECTIONS = {  # name: ending, most files taken, beats per minute
    "bach": (".mxl", 408, (66.0, 100.0)),
    "ryansMammoth": (".abc", 400, (90.0, 140.0)),
    "mozart": (".mxl", 16, (80.0, 130.0)),
}
LICENCE = "LicenseRef-music21-corpus"  # old music; each encoding under its encoder's terms
RESERVED = re.compile(r"ut orpheus|palestrina|all rights|reserved|non-?commercial", re.IGNORECASE)
FEWEST_NOTES = 16


def corpus_tunes(
    collections: Iterable[str] = tuple(COLLECTIONS),
    most: int | None = None,
    report: Callable[[str], None] = lambda name: None,
) -> list[Tune]:
    """Convert what is not cached yet, and read all of it.

    Parameters
    ----------
    most : int, optional
        Files of each collection at most, the same ones every time.

    Raises
    ------
    ConfigError
        music21 is not installed.
    """
    found = []
    for collection in collections:
        ending, limit, tempi = COLLECTIONS[collection]
        paths = [p for p in _paths(collection) if p.suffix == ending]
        paths = sorted(paths, key=lambda p: rank(_name(p)))[: min(limit, most or limit)]
        for path in sorted(paths):
            report(f"{collection}/{path.stem}")
            cached = CACHE / f"{collection}-{_name(path)}-{VERSION}.mid"
            if not cached.is_file():
                title, score = _converted(path, tempi)
                CACHE.mkdir(parents=True, exist_ok=True)
                with whole_file(cached) as partial:
                    partial.write_bytes(_file(title, score))
            title, score = read_midi(cached.read_bytes())
            if len(score.notes) >= FEWEST_NOTES:
                found.append(Tune(_name(path), collection, title, score))
    return grouped(found)


def corpus_version() -> str:
    """Version of music21."""
    return importlib.metadata.version("music21")


def _name(path: Path) -> str:
    """A name of its own for every corpus file: Mozart's are all called movementN."""
    stem = path.stem if not path.stem.startswith("movement") else f"{path.parent.name}-{path.stem}"
    return re.sub(r"[^\w.-]+", "_", stem)


def _paths(collection: str) -> list[Path]:
    return [Path(p) for p in _music21().corpus.getComposer(collection)]


def _music21() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import music21
    except ModuleNotFoundError:
        raise ConfigError(
            "the tunes come from the package 'music21'; install it with: pip install music21"
        ) from None
    return music21


def _converted(path: Path, tempi: tuple[float, float]) -> tuple[str, Score]:
    """Parse one file; what cannot be parsed or is reserved becomes a score without notes."""
    music21 = _music21()
    tempo = round(tempi[0] + (tempi[1] - tempi[0]) * rank(f"tempo {path.name}"), 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            piece = music21.converter.parse(path, forceSource=True)
            about = piece.metadata
            rights = f"{about.copyright} {about.composer}" if about else ""
            if RESERVED.search(rights):
                return "", Score((), tempo)
            parts = piece.stripTies().flatten().notes
            notes = [
                Note(float(n.offset), float(n.quarterLength), int(p.midi), 80)
                for n in parts
                for p in n.pitches
                if n.quarterLength > 0
            ]
    except (
        music21.exceptions21.Music21Exception,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
    ):
        return "", Score((), tempo)
    title = str(about.title or "") if about else ""
    return _plain(title), Score(tuple(sorted(notes, key=lambda n: (n.start, n.pitch))), tempo)


def _plain(title: str) -> str:
    """A title without the kind of dance, articles and signs; empty for file names."""
    if re.search(r"\.\w{3}$|^bwv", title, re.IGNORECASE):
        return ""
    words = re.sub(r"[^a-z ]", "", title.lower().partition(" -- ")[0]).split()
    return " ".join(w for w in words if w not in ("the", "a", "an"))


def _file(title: str, score: Score) -> bytes:
    if not score.notes:
        file = mido.MidiFile(ticks_per_beat=TICKS)
        file.tracks.append(mido.MidiTrack())
    else:
        file = mido.MidiFile(file=io.BytesIO(to_midi(score, 0)))
    file.tracks[0].insert(0, mido.MetaMessage("track_name", name=title))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def read_midi(raw: bytes) -> tuple[str, Score]:
    """Title and notes of a one-track MIDI file written by :func:`.scores.to_midi`."""
    file = mido.MidiFile(file=io.BytesIO(raw))
    title, tempo, clock = "", 120.0, 0
    open_notes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    notes = []
    for message in file.tracks[0]:
        clock += message.time
        if message.type == "track_name":
            title = message.name
        elif message.type == "set_tempo":
            tempo = round(mido.tempo2bpm(message.tempo), 1)
        elif message.type == "note_on" and message.velocity:
            open_notes[message.note].append((clock, message.velocity))
        elif message.type in ("note_on", "note_off") and open_notes[message.note]:
            start, velocity = open_notes[message.note].pop(0)
            notes.append(Note(start / TICKS, (clock - start) / TICKS, message.note, velocity))
    return title, Score(tuple(sorted(notes, key=lambda n: (n.start, n.pitch))), tempo)


def fingerprint(score: Score) -> str:
    """Hash of a score's notes and tempo."""
    return hashlib.sha256(repr(score).encode()).hexdigest()
