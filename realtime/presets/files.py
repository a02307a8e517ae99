"""Preset and session files: where they are, reading, writing, listing, deleting."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..audio_files import whole_file
from ..errors import PresetError, RestyleError, nearest
from ..models.catalog import bundled_folder, expanded, folder_named
from .format import FORMAT, SESSION_TABLES, Preset, SessionFile, take_session, to_dict
from .toml import parse, to_toml

ENVIRONMENT = "RESTYLE_PRESETS"
BUNDLED = ("voices", "ensembles")  # folders beside the bundled models
_NAME = re.compile(r"[^\W_](?:[\w .,&+()-]{0,62}[\w)])?")
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


@dataclass(frozen=True)
class PresetEntry:
    """One file; `preset` is None and `problem` a sentence if it cannot be read.

    Those that are `bundled` come with restyle and cannot be changed; one of the same name that is
    saved goes before.
    """

    name: str
    path: Path
    preset: Preset | None
    problem: str | None = None
    bundled: bool = False

    @property
    def kind(self) -> str | None:
        """Of :data:`BUNDLED` where it comes with restyle."""
        return self.path.parent.name if self.bundled else None


def preset_folder() -> Path:
    """``$RESTYLE_PRESETS``, or ``restyle/presets`` in the user's folder for settings.

    That is ``$XDG_CONFIG_HOME`` or ``~/.config``; on macOS ``~/Library/Application Support``, on
    Windows ``%APPDATA%``.
    """
    named = folder_named(ENVIRONMENT)
    if named is not None:
        return named
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "restyle" / "presets"


def recordings_folder() -> Path:
    """``$RESTYLE_RECORDINGS`` or ``~/Music/restyle``."""
    return folder_named("RESTYLE_RECORDINGS") or Path.home() / "Music" / "restyle"


def preset_path(name: str) -> Path:
    """The file of a preset of that name, there or not.

    Raises
    ------
    PresetError
        The name would be no file name everywhere.
    """
    if name.lower().endswith(".toml"):  # would be taken for a file's path
        raise PresetError(f"'{name}' is no name for a preset; leave .toml out")
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise PresetError(
            f"'{name}' is no name for a preset; take up to 64 letters, digits, spaces and"
            " . , & + ( ) - _, beginning with a letter or digit"
        )
    return preset_folder() / f"{name}.toml"


def find_preset(name_or_path: str | Path) -> Path:
    """The file of a preset given by name or path.

    Raises
    ------
    PresetError
        There is none; the nearest name is suggested.
    """

    def place(name: str) -> Path:
        own = preset_path(name)
        voice = _bundled().get(name)
        return own if voice is None or own.is_file() else voice

    return find_file(
        "preset", name_or_path, place, lambda: [*(p.stem for p in _files()), *_bundled()]
    )


def find_file(
    what: str,
    name_or_path: str | Path,
    place: Callable[[str], Path],
    names: Callable[[], list[str]],
) -> Path:
    """The file of a preset, or of whatever else is kept by name, given by name or path.

    Parameters
    ----------
    place : callable
        The file of a name, there or not.
    names : callable
        All names there are.

    Raises
    ------
    PresetError
        There is none; the nearest name is suggested.
    """
    text = str(name_or_path)
    path = expanded(text)
    if path.suffix == ".toml" or len(path.parts) > 1:
        if not os.path.isfile(path):
            raise PresetError(f"there is no {what} file {path}")
        return path
    own = place(text)
    if not os.path.isfile(own):
        if os.path.lexists(own):
            raise PresetError(f"cannot read {own}: it is not a file")
        known = names()
        listed = f"known: {', '.join(known)}" if known else f"{own.parent} has none"
        raise PresetError(f"there is no {what} '{text}'{nearest(text, known)}; {listed}")
    return own


def read_session(path: str | Path) -> SessionFile:
    """Read a session file of any format; a preset file is one without devices.

    Raises
    ------
    PresetError
        Unreadable, or the first mistake in it.
    """
    path = Path(path)
    return take_session(parse(path), path.name, path.stem)


def read_preset(path: str | Path) -> Preset:
    """Read a preset file of any format.

    Raises
    ------
    PresetError
        Unreadable, or the first mistake in it; also a session file.
    """
    path = Path(path)
    data = parse(path)
    for key in SESSION_TABLES:
        if key in data:
            raise PresetError(
                f"{path.name}: [{key}] belongs in a session file; open it as a session, or take"
                f" [{key}] out for a preset"
            )
    return take_session(data, path.name, path.stem).preset


def write_file(path: str | Path, value: Preset | SessionFile) -> None:
    """Write a preset or session, whole or not at all; the same value gives the same bytes.

    Raises
    ------
    PresetError
        What it would write could not be read again, or the file cannot be written.
    """
    path = Path(path)
    try:
        text = to_toml(to_dict(value))
        data = text.encode("utf-8")
    except (TypeError, UnicodeEncodeError) as error:
        raise PresetError(f"cannot write {path.name}: {error}") from None
    take_session(tomllib.loads(text), path.name, path.stem)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise PresetError(f"cannot write {path}: {error.strerror}") from None


def upgrade_file(path: str | Path, *, write: bool = True) -> int:
    """Rewrite a preset or session file to the newest format; return the format it had.

    Comments of the file are lost.  A file of the newest format is left as it is.

    Raises
    ------
    PresetError
        Unreadable, the first mistake in it, or it cannot be written.
    """
    path = Path(path)
    data = parse(path)
    session = take_session(data, path.name, path.stem)
    version = int(data["format"])
    if write and version < FORMAT:
        write_file(path, session)
    return version


def save_preset(name: str, preset: Preset, *, replace_old: bool = False) -> Path:
    """Write a preset into the folder under `name`; return its file.

    Raises
    ------
    PresetError
        No name for a preset; or one is there and `replace_old` is not set.
    """
    path = preset_path(name)
    if path.exists() and not replace_old:
        raise PresetError(f"there is a preset '{name}'; choose another name or add --force")
    write_file(path, msgspec.structs.replace(preset, name=name))
    return path


def delete_preset(name: str) -> Path:
    """Delete a preset of the folder; return the file it was.

    Raises
    ------
    PresetError
        There is none, or it cannot be deleted.
    """
    path = find_preset(preset_path(name).stem)
    if path == _bundled().get(name):
        raise PresetError(f"'{name}' comes with restyle and stays; save your own under its name")
    try:
        path.unlink()
    except OSError as error:
        raise PresetError(f"cannot delete {path}: {error.strerror}") from None
    return path


def list_presets(bundled: bool = False) -> list[PresetEntry]:
    """The folder's presets by name; those that cannot be read with their problem.

    Parameters
    ----------
    bundled : bool
        Whether to add those that come with restyle.
    """
    found = []
    for path in _files():
        try:
            found.append(PresetEntry(path.stem, path, read_preset(path)))
        except RestyleError as error:
            found.append(PresetEntry(path.stem, path, None, str(error)))
    own = {e.name for e in found}
    for name, path in _bundled().items() if bundled else ():
        if name not in own:
            found.append(PresetEntry(name, path, read_preset(path), bundled=True))
    return found


def _bundled() -> dict[str, Path]:
    """The files of the voices and ensembles that come with restyle, by name."""
    folder = bundled_folder()
    if folder is None:
        return {}
    files = [path for kind in BUNDLED for path in sorted((folder / kind).glob("*.toml"))]
    return {path.stem: path for path in files}


def _files() -> list[Path]:
    return sorted(p for p in preset_folder().glob("*.toml") if not p.name.startswith("."))
