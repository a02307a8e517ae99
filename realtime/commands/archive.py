"""A folder of sound rendered into another: several files at once, begun again where it broke off.

Each file is rendered by :func:`render_file`, as a single one is, so the bits are those of ``restyle
render FILE``.  A file is written under a temporary name and renamed: one that is there is whole and
is not rendered again.  A process that ends takes nothing with it: its files come again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import soundfile

from .. import __version__
from ..audio_files import FORMATS, Clip, whole_file, write_audio
from ..errors import ConfigError, RestyleError, is_text, printable
from ..models.catalog import find_model
from ..session.render import Progress, render
from ..session.sound import Sound, walk
from ..trust.sounds import read_sound

SHEET = ".restyle-render.json"  # in the folder of results: what they are renders of
ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".opus"}
TRIES = 3  # of a file whose process ended


class Job(NamedTuple):
    """One file: where it lies and where its render goes, folders or URLs, and its name in both.

    `stereo` is as in :func:`render_file`.
    """

    source: str
    target: str
    name: str
    stereo: bool = False


class Done(NamedTuple):
    """What became of it: its length [s], or why there is none."""

    job: Job
    seconds: float
    error: str | None


Run = Callable[[Iterable[Job], Sound, float | None], Iterator[Done]]


def is_url(place: str) -> bool:
    """Whether a place is a URL for fsspec rather than a path."""
    return "://" in place


def result_name(name: str) -> str:
    """What the render of a file is called: its own name, as WAV where its format is not written."""
    path = Path(name)
    return name if path.suffix.lower() in FORMATS else str(path.with_suffix(".wav"))


def files_of(place: str) -> list[str]:
    """Names of the files of sound below a folder or URL, sorted.

    Raises
    ------
    ConfigError
        It cannot be listed, or two files would be rendered to one.
    """
    if is_url(place):
        system, root = opened(place)
        try:
            found = [str(p)[len(root) :].lstrip("/") for p in system.find(root)]
            if not found and not system.exists(root):
                raise ConfigError(f"{place} is not there, or does not answer")
        except OSError as error:
            raise ConfigError(f"cannot list {place}: {error}") from None
    else:
        found = [p.relative_to(place).as_posix() for p in Path(place).rglob("*") if p.is_file()]
    names = [n for n in found if Path(n).suffix.lower() in ENDINGS and Path(n).name[0] != "."]
    if bad := next((n for n in names if not is_text(n)), None):
        raise ConfigError(
            f"'{printable(bad)}' holds bytes that are no UTF-8; give the file another name"
        )
    names.sort()
    by_result: dict[str, str] = {}
    for name in names:
        other = by_result.setdefault(result_name(name), name)
        if other != name:
            raise ConfigError(
                f"{other} and {name} would both be rendered to {result_name(name)}; rename one"
            )
    return names


def opened(place: str) -> tuple[Any, str]:
    """A file system of fsspec's, and what the place is called in it.

    Raises
    ------
    ConfigError
        fsspec, or what it needs for this kind of URL, is not installed.
    """
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"cannot open {place}: {error}; URLs need the package fsspec and the one of their kind"
        ) from None
    return system, str(root).rstrip("/")


def what_is_made(sound: Sound, level: float | None, stereo: bool = False) -> str:
    """A digest of all that decides over a render's bits: sound, models, version."""
    given = [__version__, level, msgspec.to_builtins(sound), *(["stereo"] if stereo else [])]
    digest = hashlib.sha256(msgspec.json.encode(given))
    for stage in walk(sound.stages):
        if stage.model is not None:
            digest.update(find_model(stage.model).read_bytes())
    return digest.hexdigest()


def prepare(target: str, made: str, force: bool, wanted: set[str]) -> set[str]:
    """Make the folder of results ready; names of the results that are there already.

    Parameters
    ----------
    wanted : set of str
        Names of the results to come.

    Raises
    ------
    ConfigError
        It cannot be written, or holds renders of another sound or files that are no renders.
    """
    try:
        if is_url(target):
            system, root = opened(target)
            sheet = f"{root}/{SHEET}"
            before = _read_sheet(system.cat_file(sheet)) if system.exists(sheet) else None
            files = {str(p)[len(root) :].lstrip("/") for p in system.find(root)}
        else:
            path = Path(target) / SHEET
            Path(target).mkdir(parents=True, exist_ok=True)
            before = _read_sheet(path.read_bytes()) if path.exists() else None
            there = (p for p in Path(target).rglob("*") if p.is_file())
            files = {p.relative_to(target).as_posix() for p in there}
        same = before is not None and before.get("made") == made
        if before is not None and not same and not force:
            raise ConfigError(
                f"{target} holds renders of another sound, model or version; name another folder,"
                " or add --force to render all again"
            )
        lost = sorted(wanted & files)
        if before is None and lost and not force:
            raise ConfigError(
                f"{target} holds {lost[0]}, which is no render of its own; name another folder, or"
                " add --force to replace it and all of the same names"
            )
        text = json.dumps({"made": made, "version": __version__}) + "\n"
        if is_url(target):
            system.makedirs(root, exist_ok=True)
            system.pipe_file(sheet, text.encode())
        else:
            if before is not None:
                for left in Path(target).rglob(".*.part.*"):  # by processes that were killed
                    left.unlink(missing_ok=True)
            with whole_file(path) as partial:
                partial.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"cannot use {target} for the results: {reason}") from None
    return files if same else set()


def _read_sheet(data: bytes) -> dict[str, Any]:
    """What the results are renders of; a damaged sheet says nothing, as that of another sound."""
    try:
        read = json.loads(data)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def check_apart(source: str, target: str) -> None:
    """Refuse results among the files that they are made of.

    Raises
    ------
    ConfigError
    """
    if is_url(source) or is_url(target):
        inside = f"{target.rstrip('/')}/".startswith(f"{source.rstrip('/')}/")
    else:
        inside = Path(target).resolve().is_relative_to(Path(source).resolve())
    if inside:
        raise ConfigError(
            f"{target} is {source} or lies in it, so results would replace recordings or be"
            " rendered again; name a folder outside it"
        )


def render_file(
    sound: Sound,
    source: Path,
    target: Path,
    level: float | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] = lambda text: None,
    stereo: bool = False,
) -> tuple[float, int, int]:
    """Render one file, one channel as two where `stereo`; its seconds, channels and rate [Hz].

    Raises
    ------
    RestyleError
        The file cannot be read, rendered or written.
    """
    clip = read_sound(source)
    if stereo and len(clip.samples) == 1:
        clip = Clip(np.repeat(clip.samples, 2, axis=0), clip.sample_rate)
    result = render(sound, clip, progress, level, tell)
    write_audio(target, result)
    channels, length = result.samples.shape
    return length / result.sample_rate, channels, result.sample_rate


def render_job(job: Job, sound: Sound, level: float | None = None) -> Done:
    """Render one file of an archive, in whatever process: an error is an answer."""
    try:
        return Done(job, _moved(job, sound, level), None)
    except (RestyleError, OSError) as error:
        return Done(job, 0.0, str(error))
    except Exception as error:  # a damaged file may make any library raise
        return Done(job, 0.0, f"{job.name}: {type(error).__name__}: {error}")


def _moved(job: Job, sound: Sound, level: float | None) -> float:
    result = result_name(job.name)
    if not is_url(job.source) and not is_url(job.target):
        target = Path(job.target) / result
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = Path(job.source) / job.name
        return render_file(sound, whole, target, level, stereo=job.stereo)[0]
    import tempfile

    with tempfile.TemporaryDirectory(prefix="restyle-render-") as folder:
        source, target = (
            Path(folder) / Path(job.name).name,
            Path(folder) / f"out-{Path(result).name}",
        )
        if is_url(job.source):
            system, root = opened(job.source)
            system.get_file(f"{root}/{job.name}", str(source))
        else:
            source = Path(job.source) / job.name
        seconds = render_file(sound, source, target, level, stereo=job.stereo)[0]
        place = job.target if is_url(job.target) else Path(job.target).resolve().as_uri()
        system, root = opened(place)
        final = f"{root}/{result}"
        system.makedirs(final.rpartition("/")[0], exist_ok=True)
        partial = f"{final}.{os.urandom(4).hex()}.part"
        system.put_file(str(target), partial)
        system.mv(partial, final)
    return seconds
