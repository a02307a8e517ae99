"""A user's folder of recordings becomes a set like any other."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip
from realtime.errors import AudioFileError, ConfigError

from ..licences import check_licence
from ..manifest import Manifest, sha256
from ..sound.decode import ENDINGS, decode, read_any
from ..sound.steps import Step
from . import alike, recordings
from .catalogue import CATALOGUE
from .source import Source
from .store import Report, build

Array = npt.NDArray[np.float32]
PART = 1 << 20  # samples hashed at a time
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

    The set is then what the folder holds; what has not changed is kept as it is.  One recording in
    several files stays within one split: copies are left out, whatever their names and formats, and
    files have one key that differ in their ending alone or are one recording in another coding (see
    :mod:`train.data.sets.alike`).  Files that cannot be used are named with the reason in the
    manifest's `skipped`.

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
    readable: list[tuple[Path, str, str]] = []
    looks: list[Array] = []
    seconds: list[float] = []
    skipped: list[tuple[str, str]] = []
    for path in files:
        report(path.name, 0.0)
        try:
            hashed, sound, clip = _checked_sound(path)
        except AudioFileError as error:
            skipped.append((path.relative_to(folder).as_posix(), str(error)))
            continue
        readable.append((path, hashed, sound))
        looks.append(alike.rough(alike.middle(clip)))
        seconds.append(clip.samples.shape[1] / clip.sample_rate)
    before = alike.met_before(looks, seconds, [path for path, _, _ in readable], read_any)
    keys = _keys(readable, before)
    good: list[Source] = []
    seen: dict[str, str] = {}
    taken: set[str] = set()
    for path, hashed, sound in readable:
        relative = path.relative_to(folder).as_posix()
        if sound in seen:
            skipped.append((relative, f"the same sound as {seen[sound]}"))
            continue
        seen[sound] = relative
        good.append(
            Source(
                file=_file_name(relative, taken),
                key=keys[path],
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
    found = (p for p in sorted(folder.rglob("*")) if not p.name.startswith("."))
    inside = [p for p in found if p.is_file() or (p.is_symlink() and not p.is_dir())]
    inside = [p for p in inside if not p.resolve().is_relative_to(target.resolve())]
    files = [p for p in inside if p.suffix.lower() in ENDINGS]
    if not files:
        other = f"; it holds {len(inside)} files of other kinds" if inside else "; it is empty"
        endings = ", ".join(sorted(e.lstrip(".") for e in ENDINGS))
        raise ConfigError(f"no audio file in {folder}{other}; known endings: {endings}")
    return files


def _checked_sound(path: Path) -> tuple[str, str, Clip]:
    """Hashes of a file that can be decoded and of its sound, and it; AudioFileError otherwise."""
    try:
        hashed = sha256(path)
    except OSError as error:
        raise AudioFileError(f"cannot read {path}: {error.strerror}") from None
    clip = read_any(path)
    if not np.isfinite(clip.samples).all():
        raise AudioFileError(f"{path} holds samples that are NaN or infinite")
    channels, n = clip.samples.shape
    sound = hashlib.sha256(f"{clip.sample_rate} {channels} {n}".encode())
    for start in range(0, n, PART):
        part = np.clip(clip.samples[:, start : start + PART], -2, 2)
        sound.update(np.round(part * 16383).astype(np.int16).tobytes())
    return hashed, sound.hexdigest(), clip


def _keys(files: Sequence[tuple[Path, str, str]], before: Mapping[int, int]) -> dict[Path, str]:
    """What each file is a recording of: the first file's hash of all that sound or are named alike.

    Parameters
    ----------
    files : sequence of (path, hash of the file, hash of the sound)
    before : mapping of int to int
        Files that are an earlier one in another coding.
    """
    keys: dict[Path, str] = {}
    marks: dict[str, str] = {}
    for number, (path, hashed, sound) in enumerate(files):
        file = f"file {before.get(number, number)}"
        own = (f"sound {sound}", f"name {path.with_suffix('')}", f"file {number}", file)
        old = {marks[mark] for mark in own if mark in marks}
        key = next((marks[mark] for mark in own if mark in marks), hashed)
        if len(old) > 1:
            marks = {mark: key if k in old else k for mark, k in marks.items()}
            keys = {p: key if k in old else k for p, k in keys.items()}
        marks.update(dict.fromkeys(own, key))
        keys[path] = key
    return keys


def _reader(path: Path) -> Callable[[], Array]:
    return lambda: decode(path)


def _file_name(relative: str, taken: set[str]) -> str:
    """A plain name for the set's file, without what other systems forbid; put among the `taken`.

    Small and big letters are one: some systems do not tell them apart.
    """
    stem = relative.rpartition(".")[0] or relative
    plain = re.sub(r"[^\w/-]+", "_", stem).strip("_/") or "recording"
    plain = plain[-120:].lstrip("/")
    name, number = plain, 2
    while name.lower() in taken:
        name, number = f"{plain}-{number}", number + 1
    taken.add(name.lower())
    return name
