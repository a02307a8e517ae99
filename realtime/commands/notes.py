"""``restyle notes``: which notes are played in a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..audio_files import whole_file
from ..errors import ConfigError
from ..models.catalog import find_model
from ..models.ear import Ear, Note, midi_file
from ..trust.sounds import read_sound
from .common import ForceOption, JsonOption, check_writable, out

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
ENDINGS = (".mid", ".midi")


def notes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="WAV, FLAC, OGG or MP3.")],
    target: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a MIDI file, NAME.mid.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="An ear, name or file.")] = "ear",
    gliding: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="1: a line that glides, as a voice's; 0: every note is struck."
        ),
    ] = 0.0,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Tell which notes are played in a file, and write them as MIDI."""
    if target is not None and target.suffix.lower() not in ENDINGS:
        raise ConfigError(f"--out must end in .mid, got {target.name}")
    check_writable(target, replace=force)
    clip = read_sound(file)
    with Ear(find_model(model), clip.sample_rate, gliding) as ear:
        found = ear.notes(clip.samples)
    if target is not None:
        try:
            with whole_file(target) as partial:
                partial.write_bytes(midi_file(found))
        except OSError as error:
            raise ConfigError(f"cannot write {target}: {error.strerror}") from None
    if as_json:
        print(json.dumps({"model": model, "notes": [_rounded(n) for n in found]}, indent=2))
    elif target is not None:
        out.print(f"wrote {target}: {len(found)} notes", markup=False, highlight=False)
    else:
        out.print(_table(found) if found else "no notes were heard")


def spelt(pitch: int) -> str:
    """A MIDI pitch as a name: 60 is C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def _rounded(note: Note) -> dict[str, float | int]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(note).items()}


def _table(found: list[Note]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("seconds", "note", "velocity", "cents"):
        table.add_column(title, justify="left" if title == "note" else "right")
    for n in found:
        when = f"{n.begin:.2f}–{n.end:.2f}"
        table.add_row(when, spelt(n.pitch), f"{127 * n.velocity:.0f}", f"{100 * n.bend:+.0f}")
    return table
