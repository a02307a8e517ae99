"""``restyle import``: Neural Amp Modeler captures become models of your own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text

from ..audio_files import whole_file
from ..errors import ConfigError, ModelError, RestyleError
from ..models.catalog import user_folder
from ..models.metadata import read_metadata
from ..models.nam.build import variants
from ..models.nam.convert import CAPTURE_KEY, to_onnx
from ..models.nam.file import read_capture
from ..proof.verify import verify
from .common import err, out


def import_capture(path: Path, folder: Path, taken: dict[str, str]) -> list[tuple[str, float]]:
    """Import every size of one capture; return (model name, null in dB) of each.

    Parameters
    ----------
    path, folder : Path
    taken : dict
        Names given in this run, in lower case, and the capture that has each; added to.

    Raises
    ------
    ModelError
        The capture cannot be read, its proof fails, or its name is that of another model.
    """
    ready = []
    for variant in variants(read_capture(path)):
        try:
            ready.append(to_onnx(variant, path.stem))
        except ModelError as error:
            raise ModelError(f"{path.name}: {error}") from None
    for card, _ in ready:
        _check_name(card.name, path, folder, taken)
    taken |= {card.name.lower(): path.name for card, _ in ready}
    done = []
    for card, data in ready:
        target = folder / f"{card.name}.onnx"
        try:
            with whole_file(target) as partial:
                partial.write_bytes(data)
                bad = [c for c in verify(partial) if not c.passed]
                if bad:
                    raise ModelError(f"{path.name}: {bad[0].name} fails ({bad[0].found})")
        except OSError as error:
            raise ModelError(f"cannot write {target}: {error.strerror}") from None
        done.append((card.name, float(card.proof["null_db"])))
    return done


def _check_name(name: str, path: Path, folder: Path, taken: dict[str, str]) -> None:
    """Refuse a name that another capture of this run has, or a model that is no capture."""
    if name.lower() in taken:
        raise ModelError(
            f"{path.name}: its model '{name}' is taken by {taken[name.lower()]}; rename it"
        )
    target = folder / f"{name}.onnx"
    if target.exists():
        try:
            other = CAPTURE_KEY not in read_metadata(target.read_bytes())
        except (OSError, ModelError):
            other = True
        if other:
            raise ModelError(f"{path.name}: {target} is another model; rename one of them")


def find_captures(source: Path) -> Iterator[Path]:
    """The file itself, or all ``.nam`` files below a folder; loops of links are walked once."""
    if source.is_file():
        yield source
        return
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(source, followlinks=True):
        try:
            place = os.stat(root)
        except OSError:  # gone meanwhile
            continue
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders.sort()
        yield from (Path(root) / f for f in sorted(files) if f.lower().endswith(".nam"))


def import_nam(
    source: Annotated[Path, typer.Argument(metavar="FILE_OR_FOLDER", help=".nam captures.")],
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for the models; yours by default.")
    ] = None,
) -> None:
    """Import Neural Amp Modeler captures as streaming models, each proven; see 'restyle models'.

    One bad file does not stop the rest; the exit code is 2 if any failed.
    """
    if not source.exists():
        raise ConfigError(f"{source} does not exist")
    captures = list(find_captures(source))
    if not captures:
        raise ConfigError(f"{source} holds no .nam file")
    folder = target or user_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from None
    table = Table(box=None, pad_edge=False)
    for heading in ("capture", "model", "null", "result"):
        table.add_column(heading, justify="right" if heading == "null" else "left", overflow="fold")
    failed = 0
    taken: dict[str, str] = {}
    for path in track(captures, "importing", console=err, transient=True):
        try:
            for model, null in import_capture(path, folder, taken):
                table.add_row(Text(path.name), model, f"{null:.1f} dB", "imported")
        except RestyleError as error:
            failed += 1
            table.add_row(Text(path.name), "", "", Text(str(error), "red"))
    out.print(table)
    out.print(
        f"{len(captures) - failed} of {len(captures)} imported into {folder}",
        highlight=False,
        markup=False,
    )
    if failed:
        raise typer.Exit(2)
