"""``restyle explain``: what a model does to a file; the pictures are the trainer's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..audio_files import resample
from ..errors import ConfigError
from ..models.catalog import find_model
from ..trust.sounds import read_sound
from .common import ForceOption, announce_cold_start, check_writable, out, trainer

RATE = 48000


def explain(
    model: Annotated[str, typer.Argument(help="A model, by name or file.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What it shall be shown with.")],
    target: Annotated[
        Path | None, typer.Option("--out", help="Page to write; by default explain-MODEL.html.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="So much of the file.")] = 6.0,
    png: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also keep each picture.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Show what a model hears and does: spectrograms, attributions, memory, controls, sounds."""
    if not 1.0 <= seconds <= 30.0:
        raise ConfigError(f"--seconds must be within 1..30, got {seconds:g}")
    path = find_model(model)
    page = target or Path(f"explain-{path.stem}.html")
    if page.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out is a page such as explain.html, got '{page.name}'")
    check_writable(page, replace=force)
    if png is not None and png.exists() and not png.is_dir():
        raise ConfigError(f"--png takes a folder, and {png} is a file")
    clip = read_sound(file)
    mono = clip.samples.mean(axis=0, keepdims=True)
    if clip.sample_rate != RATE:
        mono = resample(mono, clip.sample_rate, RATE)
    x = mono[0, : round(seconds * RATE)]
    if len(x) < RATE:
        raise ConfigError(f"{file.name} is shorter than a second; take a longer one")
    announce_cold_start()
    done = trainer("train.explain.run").explain(path, x, page, png, file.name)
    out.print(f"wrote {done}", highlight=False, markup=False, soft_wrap=True)
