"""``restyle preset setlist``: presets in the order of a concert."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..errors import PresetError
from ..presets.check import Library
from ..presets.setlist import find_setlist, list_setlists, open_setlist, save_setlist, setlist_path
from .common import JsonOption, out

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a setlist, or a file.")]


def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    presets: Annotated[list[str], typer.Argument(metavar="PRESET…", help="Names or files.")],
    tail: Annotated[
        float, typer.Option(help="Seconds that delays and reverbs ring on over a change.")
    ] = 0.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite one of that name.")] = False,
) -> None:
    """Save presets as a setlist, in their order."""
    path = save_setlist(name, presets, tail, replace_old=force)
    _say(f'wrote {path}; play it: restyle live --setlist "{name}"')


def list_saved(as_json: JsonOption = False) -> None:
    """List your setlists."""
    names = list_setlists()
    if as_json:
        print(json.dumps(names, indent=2))
    elif not names:
        _say("no setlist yet; make one: restyle preset setlist save NAME PRESET PRESET …")
    for name in [] if as_json else names:
        _say(name)


def show(name: NameArgument) -> None:
    """Check a setlist with all its presets, and list them."""
    title, opened = open_setlist(name, Library())
    table = Table(box=None, pad_edge=False)
    for heading in ("", "title", "preset", "scenes", "tail"):
        table.add_column(heading)
    for number, one in enumerate(opened, 1):
        scenes = ", ".join(s.name for s in one.preset.sound.scenes)
        tail = f"{one.tail:g} s" if one.tail else ""
        cells = (str(number), one.title, one.preset.name, scenes, tail)
        table.add_row(*(Text(cell) for cell in cells))
    out.print(table)
    _say(f'{title} is good; play it: restyle live --setlist "{name}"')


def delete(name: NameArgument) -> None:
    """Delete a setlist; its presets stay."""
    path = find_setlist(setlist_path(name).stem)
    try:
        path.unlink()
    except OSError as error:
        raise PresetError(f"cannot delete {path}: {error.strerror}") from None
    _say(f"deleted {path}")


def _say(sentence: str) -> None:
    out.print(sentence, highlight=False, markup=False, soft_wrap=True)


COMMANDS: dict[str, Callable[..., None]] = {
    "save": save,
    "list": list_saved,
    "show": show,
    "delete": delete,
}
