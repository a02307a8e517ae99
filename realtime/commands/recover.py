"""``restyle recover``: a recording that was cut off becomes one that can be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..audio_files import check_target
from ..errors import AudioFileError
from ..host.recover import recover as mend
from .common import ForceOption, out

LONGEST_NAME = 255  # bytes that file systems take


def recover(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="WAV or FLAC that breaks off.")],
    target: Annotated[
        Path | None,
        typer.Option("--out", metavar="OUT", help="Where to; FILE.recovered.wav beside it."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write what can be read of a recording that was cut off to another file."""
    if not os.path.isfile(file):
        raise AudioFileError(f"there is no file {file}")
    if file.suffix.lower() not in (".wav", ".flac"):
        raise AudioFileError(f"'{file.name}' is no WAV or FLAC file; those can be mended")
    target = target or file.with_name(f"{file.stem}.recovered{file.suffix.lower()}")
    if len(os.fsencode(target.name)) > LONGEST_NAME:
        raise AudioFileError(
            f"'{target.name[:20]}…' is too long for a file's name; name another with --out"
        )
    check_target(target, replace=force)
    made = mend(file, target)
    text = f"wrote {target}: {made.seconds:.2f} s"
    if made.silenced:
        text += f"; {made.silenced} samples that could not be read, or are no numbers, are silence"
    if made.missing:
        text += f"; {made.missing:.2f} s that should follow are not in the file"
    out.print(text, highlight=False, soft_wrap=True)
