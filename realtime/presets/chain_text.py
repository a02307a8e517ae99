"""Chain files as stages of a preset: read as data, nothing built."""

from __future__ import annotations

from pathlib import Path

from ..errors import ChainError, PresetError
from .files import parse
from .preset import PLACES, Stage
from .table import Table


def read_stages(path: Path) -> dict[str, tuple[Stage, ...]]:
    """Return the stages of a chain file by place, ``pre`` and ``post``.

    Raises
    ------
    ChainError
        Unreadable, or something else than stages in it.
    """
    try:
        table = Table(parse(path), path.name)
        stages = {place: tuple(Stage.read(t) for t in table.tables(place)) for place in PLACES}
        table.done()
    except PresetError as error:
        raise ChainError(str(error)) from None
    return stages
