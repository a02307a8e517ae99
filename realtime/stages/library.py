"""Plug-ins by name or path, opened only if a look from a child process found them sound."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ChainError, nearest
from ..models.catalog import expanded
from .isolate import TIMEOUT_SECONDS
from .plugin import PluginStage
from .records import OK, Record, Records
from .scan import SUFFIXES, scan, unsupported


def find_plugin(wanted: str, folder: Path, records: Records) -> tuple[Path, str | None]:
    """Return the file of a plug-in, and its name in it where that was what was given.

    Parameters
    ----------
    wanted : str
        A path (from `folder` on), or a name as ``restyle scan`` lists it, in any case.
    folder : Path
    records : Records

    Raises
    ------
    ChainError
        Neither is known, or several files have the name.
    """
    if Path(wanted).suffix.lower() in SUFFIXES:
        path = folder / expanded(wanted)
        if not os.path.exists(path):
            raise ChainError(f"there is no plug-in file {path}")
        return path.resolve(), None
    other = unsupported(Path(wanted))
    if other is not None:
        raise ChainError(other)
    known = [(p.name, Path(r.path)) for r in records.all() for p in r.plugins]
    known += [(Path(r.path).stem, Path(r.path)) for r in records.all() if not r.plugins]
    hits = [(name, path) for name, path in known if name.lower() == wanted.lower()]
    if len({path for _, path in hits}) > 1:
        listed = ", ".join(str(path) for _, path in hits)
        raise ChainError(f"several plug-ins are called '{wanted}'; give one path of {listed}")
    if not hits:
        names = sorted({name for name, _ in known})
        listed = f"known: {', '.join(names)}" if names else "none is known yet"
        raise ChainError(
            f"there is no plug-in '{wanted}'{nearest(wanted, names)}; {listed};"
            " 'restyle scan' looks for installed ones"
        )
    name, path = hits[0]
    return path, name if len(_names(records, path)) > 1 else None


def _names(records: Records, path: Path) -> list[str]:
    return [p.name for r in records.all() if Path(r.path) == path for p in r.plugins]


def open_plugin(
    wanted: str,
    plugin_name: str | None = None,
    folder: Path | None = None,
    records: Records | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> PluginStage:
    """Load an effect plug-in by name or path (main thread).

    A file that no scan has seen as it is now is loaded in a child process first.

    Parameters
    ----------
    wanted, folder
        See :func:`find_plugin`; `folder` is the current one where None.
    plugin_name : str or None
        Which one, where a file holds several.
    timeout : float [s]
        For the child process.

    Raises
    ------
    ChainError
        Not found, bad when it was last loaded, an instrument, or unclear which one is meant.
    """
    return PluginStage(*check_plugin(wanted, plugin_name, folder, records, timeout))


def check_plugin(
    wanted: str,
    plugin_name: str | None = None,
    folder: Path | None = None,
    records: Records | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> tuple[Path, str | None]:
    """Find an effect plug-in without loading it in this process; see :func:`open_plugin`.

    Returns
    -------
    path : Path
    plugin_name : str or None
        For :class:`realtime.stages.plugin.PluginStage`.
    """
    records = records or Records()
    path, named = find_plugin(wanted, folder or Path(), records)
    record, _ = next(scan([path], records, timeout))
    _refuse_bad(record)
    names = [p.name for p in record.plugins]
    plugin_name = plugin_name or named
    if plugin_name is None and len(names) > 1:
        raise ChainError(
            f"{path.name} holds several plug-ins; give plugin_name: {', '.join(names)}"
        )
    if plugin_name is not None and plugin_name not in names:
        raise ChainError(
            f"{path.name} holds no plug-in '{plugin_name}'{nearest(plugin_name, names)};"
            f" it holds {', '.join(names)}"
        )
    for info in record.plugins:
        if info.name == (plugin_name or names[0]) and not info.is_effect:
            raise ChainError(f"plug-in {info.name} is an instrument; chains take effects")
    return path, plugin_name


def _refuse_bad(record: Record) -> None:
    if record.status != OK:
        raise ChainError(
            f"{Path(record.path).name} {record.status} when it was last loaded ({record.reason}),"
            f" so it is not loaded; once it is mended, run: restyle scan --retry '{record.path}'"
        )
