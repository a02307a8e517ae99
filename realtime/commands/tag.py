"""``restyle tag``: what is heard in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError
from ..models.catalog import find_model
from ..models.tagger import Tagger
from ..trust.sounds import read_sound
from .common import JsonOption, out

LIKELY = 0.5
CHUNK_SECONDS = 1.0


def tag(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="WAV, FLAC, OGG or MP3.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A tagger, name or file.")] = "tagger",
    every: Annotated[float, typer.Option(help="Seconds of each line.")] = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Tell which instruments, voices and effects are heard in a file, over time and in all."""
    if not 0.05 <= every <= 3600:
        raise ConfigError(f"--every must be within 0.05..3600 seconds, got {every:g}")
    clip = read_sound(file)
    with Tagger(find_model(model), clip.sample_rate) as tagger:
        step = max(1, round(CHUNK_SECONDS * clip.sample_rate))
        starts = range(0, clip.samples.shape[1], step)
        parts = [tagger.feed(clip.samples[:, k : k + step]) for k in starts]
        labels, hop = tagger.labels, tagger.hop_seconds
    frames = np.concatenate([np.zeros((0, len(labels)), dtype=np.float32), *parts])
    if not len(frames):
        raise ConfigError(f"{file.name} is shorter than the {1000 * hop:.0f} ms a tagger needs")
    rows = over_time(frames, hop, every)
    whole = frames.mean(axis=0)
    if as_json:
        found = {
            "model": model,
            "whole": _named(labels, whole),
            "times": [{"from": a, "to": b, "tags": _named(labels, row)} for a, b, row in rows],
        }
        print(json.dumps(found, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("seconds", justify="right")
    table.add_column("heard")
    for begin, end, row in rows:
        table.add_row(f"{begin:.1f}–{end:.1f}", heard(labels, row))
    table.add_row("in all", heard(labels, whole))
    out.print(table)


def over_time(
    frames: npt.NDArray[np.float32], hop: float, every: float
) -> list[tuple[float, float, npt.NDArray[np.float32]]]:
    """Mean of the frames ``[hops, labels]`` of every stretch of so many seconds."""
    count = max(1, round(every / hop))
    starts = range(0, len(frames), count)
    return [
        (
            round(k * hop, 3),
            round(min(k + count, len(frames)) * hop, 3),
            frames[k : k + count].mean(axis=0),
        )
        for k in starts
    ]


def heard(labels: tuple[str, ...], row: npt.NDArray[np.float32]) -> Text:
    """The likely labels, the likeliest first; else the one that comes nearest, greyed."""
    order = np.argsort(-row)
    likely = [f"{labels[k]} {100 * row[k]:.0f} %" for k in order if row[k] >= LIKELY]
    if likely:
        return Text(", ".join(likely))
    return Text(f"nothing sure ({labels[order[0]]} {100 * row[order[0]]:.0f} %)", "bright_black")


def _named(labels: tuple[str, ...], row: npt.NDArray[np.float32]) -> dict[str, float]:
    return {name: round(float(p), 4) for name, p in zip(labels, row, strict=True)}
