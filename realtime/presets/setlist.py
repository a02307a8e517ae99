"""Setlists: presets in the order of a concert, as TOML files.

::

    format = 1
    name = "Saturday"
    tail = 2.0                   # seconds that delays and reverbs ring on over a change

    [[preset]]
    preset = "Warm lead"         # a name, or a file starting from this one's folder
    title = "First song"         # the preset's name if left out
    tail = 0.0                   # this one cuts off what was before

They are kept in the folder ``setlists`` beside the presets, or anywhere.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ..audio_files import whole_file
from ..errors import PresetError, RestyleError
from ..schema import read
from ..session.sound import Text
from ..trust.consent import Untrusted
from .check import Library
from .files import find_file, find_preset, preset_folder, preset_path
from .format import Preset
from .opening import open_preset
from .paths import full
from .toml import parse, to_toml

LONGEST_TAIL = 60.0  # seconds
Tail = Annotated[float, Meta(ge=0.0, le=LONGEST_TAIL, extra={"unit": "s"})]
replace = msgspec.structs.replace


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One preset of a setlist; `tail` is the setlist's where it is None."""

    preset: Text
    title: str = ""
    tail: Tail | None = None


class Setlist(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Presets in their order.

    Attributes
    ----------
    tail : float [seconds]
        How long what rings on of the preset before is heard.
    """

    format: Literal[1]
    name: str = ""
    tail: Tail = 0.0
    preset: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Opened:
    """An entry whose preset has been read and checked.

    Attributes
    ----------
    title : str
        What people read.
    path : Path
        The preset's file.
    stamp : int
        When that was written last [ns]: what is loaded is not what is in a newer file.
    tail : float [seconds]
    preset : Preset
    """

    title: str
    path: Path
    stamp: int
    tail: float
    preset: Preset


def setlist_folder() -> Path:
    """Where setlists are kept."""
    return preset_folder() / "setlists"


def setlist_path(name: str) -> Path:
    """The file of a setlist of that name, there or not.

    Raises
    ------
    PresetError
        The name would be no file name everywhere.
    """
    return setlist_folder() / preset_path(name).name


def find_setlist(name_or_path: str | Path) -> Path:
    """The file of a setlist given by name or path.

    Raises
    ------
    PresetError
        There is none; the nearest name is suggested.
    """
    return find_file("setlist", name_or_path, setlist_path, list_setlists)


def list_setlists() -> list[str]:
    """Names of those in the folder."""
    return sorted(p.stem for p in setlist_folder().glob("*.toml") if not p.name.startswith("."))


def read_setlist(path: str | Path) -> Setlist:
    """Read a setlist; whether its presets are there is for :func:`open_setlist`.

    Raises
    ------
    PresetError
        Unreadable, or the first mistake in it.
    """
    path = Path(path)
    found = _take(parse(path), path.name)
    return replace(found, name=found.name or path.stem)


def _take(data: Any, where: str) -> Setlist:
    found = read(data, Setlist, where, error=PresetError)
    if not found.preset:
        raise PresetError(f'{where}: a setlist needs at least one [[preset]] with preset = "NAME"')
    return found


def open_setlist(name_or_path: str | Path, library: Library) -> tuple[str, tuple[Opened, ...]]:
    """Find and read a setlist, and check all its presets; its name, and they in their order.

    Raises
    ------
    PresetError
        There is none, or the first mistake in it or in a preset.
    Untrusted
        A preset asks for something that the user has not said yes to.
    """
    path = find_setlist(name_or_path)
    found = read_setlist(path)
    opened = []
    for number, entry in enumerate(found.preset, 1):
        named = entry.preset
        if named.endswith(".toml") or len(Path(named).parts) > 1:
            named = full(named, path.parent)
        try:
            file = find_preset(named)
            preset = open_preset(file, library)
        except Untrusted:
            raise  # whoever asked may say yes
        except RestyleError as error:
            raise PresetError(f"{path.name}: [[preset]] {number}: {error}") from None
        tail = found.tail if entry.tail is None else entry.tail
        title = entry.title or preset.name
        opened.append(Opened(title, file.absolute(), file.stat().st_mtime_ns, tail, preset))
    return found.name, tuple(opened)


def save_setlist(
    name: str, presets: Sequence[str], tail: float = 0.0, *, replace_old: bool = False
) -> Path:
    """Write a setlist into the folder; return its file.

    Raises
    ------
    PresetError
        No name for one; a preset is not there; or one is there and `replace_old` is not set.
    """
    path = setlist_path(name)
    if path.exists() and not replace_old:
        raise PresetError(f"there is a setlist '{name}'; choose another name or add --force")
    entries = []
    for preset in presets:
        file = find_preset(preset)
        own = file.parent.absolute() == preset_folder().absolute()
        entries.append({"preset": file.stem if own else str(file.absolute())})
    data: dict[str, Any] = {"format": 1, "name": name}
    data |= {"tail": float(tail)} if tail else {}
    text = to_toml({**data, "preset": entries})
    _take(tomllib.loads(text), path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise PresetError(f"cannot write {path}: {error.strerror}") from None
    return path
