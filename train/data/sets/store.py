"""Make a set: recordings one by one into FLAC files, and the manifest when all are there.

Each finished recording is noted in a journal, so a fetch that was stopped or killed goes on where
it was; files whose source and preprocessing are unchanged are kept.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.audio_files import whole_file
from realtime.errors import AudioFileError, ConfigError

from ..manifest import MANIFEST, SAMPLE_RATE, Item, Manifest, digest, read_manifest, sha256
from ..sound.steps import Step, run_steps
from .source import Source, in_order

Array = npt.NDArray[np.float32]
Report = Callable[[str, float], None]  # file, minutes so far
JOURNAL = "journal.jsonl"
SHORTEST = 0.2  # seconds
SILENT = 1e-5  # peak


def build(
    folder: Path,
    name: str,
    sources: Sequence[Source],
    made_by: str,
    about: str = "",
    steps: Sequence[Step] = (),
    minutes: float | None = None,
    report: Report = lambda file, total: None,
    skipped: Iterable[tuple[str, str]] = (),
) -> Manifest:
    """Make what is missing of a set and write its manifest.

    Parameters
    ----------
    minutes : float, optional
        Stop when there is so much and the last key is complete; every split gets its share.  What
        a longer fetch has left here stays.
    skipped : iterable of (str, str)
        Files known to be unusable, with reasons.

    Raises
    ------
    ConfigError
        Nothing could be used, or the files cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done: list[Item] = []
        left_out = list(skipped)
        total, key, enough = 0.0, "", False
        with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
            _alone(journal, folder)
            known = _known(folder)
            for source, split in in_order(sources):
                if source.key != key:
                    key, enough = source.key, minutes is not None and total >= minutes * 60
                origin = digest(source.origin, *(str(s) for s in steps))
                items = [
                    _described(item, source, split) for item in _kept(folder, known.get(origin, ()))
                ]
                if enough and not items:
                    continue
                if not items:
                    try:
                        items = _make(folder, source, split, origin, steps)
                    except AudioFileError as error:
                        left_out.append((source.tags.get("file", source.file), str(error)))
                        continue
                    except ConfigError:
                        if not done and not known:
                            _clear(folder)
                        raise
                    for item in items:
                        journal.write(json.dumps(asdict(item)) + "\n")
                    journal.flush()
                done += items
                total += sum(item.seconds for item in items)
                report(source.file, total / 60)
        if not done:
            _clear(folder)
            reason = f"; first: {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
            raise ConfigError(f"no usable recording for the set '{name}'{reason}")
        done.sort(key=lambda item: item.file)
        manifest = Manifest(name, tuple(done), made_by, about, skipped=tuple(left_out))
        manifest.write(folder)
        _tidy(folder, {item.file for item in done})
    except OSError as error:
        raise ConfigError(f"cannot write the set in {folder}: {error.strerror or error}") from None
    return manifest


def _make(
    folder: Path, source: Source, split: str, origin: str, steps: Sequence[Step]
) -> list[Item]:
    """Write a recording, or its pieces; pieces that are silent or too short are left out.

    Raises
    ------
    AudioFileError
        Nothing is left.
    """
    whole = source.make()
    _check_sound(whole)
    pieces = run_steps(whole, SAMPLE_RATE, steps)
    if len(pieces) == 1:
        _check_sound(pieces[0])
    items = []
    for number, piece in enumerate(pieces):
        seconds = len(piece) / SAMPLE_RATE
        peak = float(np.abs(piece).max(initial=0.0))
        if seconds < SHORTEST or peak < SILENT:
            continue
        if peak > 1:  # resampling overshoots; FLAC would clip
            piece = piece * np.float32(0.999 / peak)
        file = source.file + (f"-{number:03}" if len(pieces) > 1 else "") + ".flac"
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            try:
                soundfile.write(str(partial), piece, SAMPLE_RATE, format="FLAC", subtype="PCM_24")
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise ConfigError(f"cannot write {path}: {error}; is the disk full?") from None
            hashed = sha256(partial)
        made = Item(file, hashed, "", "", "", "", round(seconds, 3), split, source.key, origin)
        items.append(_described(made, source, split))
    if not items:
        raise AudioFileError("no piece of it holds any sound")
    return items


def _check_sound(x: Array) -> None:
    if len(x) and np.abs(x).max() < SILENT:
        raise AudioFileError("silent from beginning to end")
    if len(x) < SHORTEST * SAMPLE_RATE:
        raise AudioFileError(
            f"only {len(x) / SAMPLE_RATE:.2f} s of sound, {SHORTEST} s is the least"
        )


def _described(item: Item, source: Source, split: str) -> Item:
    """The item with what its source says now: a kept file may have a new split or description."""
    return replace(
        item,
        licence=source.licence,
        source=source.source,
        package=source.package,
        version=source.version,
        split=split,
        key=source.key,
        tags=dict(source.tags),
    )


def _known(folder: Path) -> dict[str, list[Item]]:
    """Items of an earlier fetch by origin: manifest first, then the journal; torn lines ignored."""
    rows: dict[str, Item] = {}
    if (folder / MANIFEST).is_file():
        with contextlib.suppress(ConfigError):
            rows = {item.file: item for item in read_manifest(folder).items}
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / JOURNAL).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                item = Item(**json.loads(line))
                rows[item.file] = item
    found: dict[str, list[Item]] = defaultdict(list)
    for item in rows.values():
        found[item.origin].append(item)
    return found


def _kept(folder: Path, items: Iterable[Item]) -> list[Item]:
    """The items if all of their files are good, else none."""
    items = sorted(items, key=lambda item: item.file)
    good = all((folder / i.file).is_file() and sha256(folder / i.file) == i.sha256 for i in items)
    return items if good else []


def _alone(journal: IO[str], folder: Path) -> None:
    """Keep other processes out of this set until the journal is closed."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(f"another process is making the set in {folder}; wait for it") from None


def _clear(folder: Path) -> None:
    """Take back what an attempt without any result has written."""
    with contextlib.suppress(OSError):  # Windows keeps what is open
        (folder / JOURNAL).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # an older set stays
        folder.rmdir()
        folder.parent.rmdir()


def _tidy(folder: Path, files: set[str]) -> None:
    """Remove the journal, torn files and recordings that the manifest does not name."""
    (folder / JOURNAL).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*.flac")):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
