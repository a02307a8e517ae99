"""``restyle scan``: which plug-ins there are, and which of them are safe to load."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError
from ..stages.isolate import TIMEOUT_SECONDS
from ..stages.records import OK, Record, Records
from ..stages.scan import (
    default_folders,
    find_bundles,
    find_others,
    is_plugin_file,
    unsupported,
)
from ..stages.scan import scan as look_at
from .common import JsonOption, err, out


def scan(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER", help="Folders or plug-in files; the system's if none."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="For each plug-in file.")
    ] = TIMEOUT_SECONDS,
    retry: Annotated[
        bool, typer.Option("--retry", help="Load those anew that were bad the last time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look for plug-ins, each new one loaded in a process of its own.

    One that crashes or hangs is listed as such and not loaded again until --retry.
    """
    for place in folders or []:
        if not place.is_dir() and not is_plugin_file(place):
            raise ConfigError(f"{place} is neither a folder nor a plug-in file")
    places = folders or default_folders()
    records = Records()
    bundles = find_bundles(places)
    found: list[tuple[Record, bool]] = []
    with err.status("") as status:
        looking = look_at(bundles, records, timeout, retry)
        for path in bundles:
            status.update(Text(f"{len(found) + 1} of {len(bundles)}: {path.name}"))
            found.append(next(looking))
    if records.note:
        err.print(Text(records.note))
    if as_json:
        print(json.dumps([asdict(r) | {"loaded_now": fresh} for r, fresh in found], indent=2))
    elif not found:
        listed = ", ".join(str(p) for p in places)
        others = [unsupported(p) or "" for p in find_others(places)]
        more = f"; {others[0]}" if others else "; name another folder: restyle scan FOLDER"
        out.print(Text(f"no plug-in was found in {listed}{more}"), soft_wrap=True)
    else:
        out.print(_table([r for r, _ in found]))


def _table(records: list[Record]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("status", "name", "maker", "version", "in/out", "latency", "path"):
        table.add_column(
            heading,
            justify="right" if heading in ("in/out", "latency") else "left",
            no_wrap=heading in ("status", "in/out"),
            overflow="fold",
        )
    for r in records:
        if r.status != OK:
            why = Text(f"{r.path}: {r.reason}")
            table.add_row(Text(r.status, "red"), Text(Path(r.path).stem), "", "", "", "", why)
            continue
        for p in r.plugins:
            kind = Text(OK, "green") if p.is_effect else Text("instrument", "yellow")
            table.add_row(
                kind,
                Text(p.name),
                Text(p.maker),
                Text(p.version),
                " or ".join(str(c) for c in p.channels) or p.buses or "–",
                str(p.latency),
                Text(r.path),
            )
    return table
