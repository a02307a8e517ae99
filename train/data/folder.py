"""A user's folder of recordings becomes a set like any other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import AudioFileError, ConfigError

from . import recordings
from .decode import ENDINGS, decode, read_any
from .licences import check_licence
from .manifest import Manifest, sha256
from .sets import CATALOGUE
from .source import Source
from .steps import Step
from .store import Report, build

Array = npt.NDArray[np.float32]
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def add(
    folder: Path,
    licence: str | None,
    name: str,
    steps: Sequence[Step] = (),
    source: str = "",
    root: Path | None = None,
    report: Report = lambda file, total: None,
) -> Manifest:
    """Copy every readable audio file of a folder, and of those inside it, into a set.

    The set is then what the folder holds; what has not changed is kept as it is.  Files of one
    content have one key, so a copy under another name does not leak into another
    split.  Files that cannot be used are named with the reason in the manifest's `skipped`.

    Parameters
    ----------
    licence : str
        See :func:`train.data.licences.check_licence`.
    source : str
        In words, for the card; the folder's name by default.

    Raises
    ------
    ConfigError
        Bad name or licence, no such folder, nothing usable in it.
    """
    licence = check_licence(licence)
    target = (root or recordings.SETS) / _checked_name(name, root or recordings.SETS, folder)
    files = _audio_files(folder, target)
    good: list[Source] = []
    skipped: list[tuple[str, str]] = []
    seen: dict[str, str] = {}
    for path in files:
        relative = path.relative_to(folder).as_posix()
        try:
            hashed = _checked_sound(path)
        except AudioFileError as error:
            skipped.append((relative, str(error)))
            continue
        if hashed in seen:
            skipped.append((relative, f"the same file as {seen[hashed]}"))
            continue
        seen[hashed] = relative
        good.append(
            Source(
                file=_file_name(relative, {s.file for s in good}),
                key=hashed,
                origin=f"file {hashed}",
                make=_reader(path),
                licence=licence,
                source=source or folder.resolve().name,
                tags={"file": relative},
            )
        )
    if not good:
        first = f"; first: {skipped[0][1]}" if skipped else ""
        raise ConfigError(f"none of the {len(files)} audio files in {folder} can be used{first}")
    command = f"restyle train data add --audio {folder.name} --licence {licence} --name {name}"
    command += "".join(f" --step {s}" for s in steps)
    about = f"recordings added from the folder '{folder.resolve().name}'"
    return build(target, name, good, command, about, steps, None, report, skipped)


def _checked_name(name: str, root: Path, folder: Path) -> str:
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"a set's name is of small letters, digits, '-' and '_', 64 at most; got '{name}'"
        )
    if name in CATALOGUE:
        raise ConfigError(f"'{name}' is the name of a set that can be fetched; choose another")
    return name


def _audio_files(folder: Path, target: Path) -> list[Path]:
    if not folder.exists():
        raise ConfigError(f"{folder} does not exist; name a folder with recordings")
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name the folder that it lies in")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise ConfigError(f"{folder} cannot be read: permission denied")
    inside = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".")]
    inside = [p for p in inside if not p.resolve().is_relative_to(target.resolve())]
    files = [p for p in inside if p.suffix.lower() in ENDINGS]
    if not files:
        other = f"; it holds {len(inside)} files of other kinds" if inside else "; it is empty"
        endings = ", ".join(sorted(e.lstrip(".") for e in ENDINGS))
        raise ConfigError(f"no audio file in {folder}{other}; known endings: {endings}")
    return files


def _checked_sound(path: Path) -> str:
    """Hash of a file that can be decoded; AudioFileError otherwise."""
    try:
        hashed = sha256(path)
    except OSError as error:
        raise AudioFileError(f"cannot read {path}: {error.strerror}") from None
    clip = read_any(path)
    if not np.isfinite(clip.samples).all():
        raise AudioFileError(f"{path} holds samples that are NaN or infinite")
    return hashed


def _reader(path: Path) -> Callable[[], Array]:
    return lambda: decode(path)


def _file_name(relative: str, taken: set[str]) -> str:
    """A plain name for the set's file, without what other systems forbid; unique."""
    stem = relative.rpartition(".")[0] or relative
    plain = re.sub(r"[^\w/-]+", "_", stem).strip("_/") or "recording"
    plain = plain[-120:].lstrip("/")
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    return name
