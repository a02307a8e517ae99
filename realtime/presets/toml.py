"""TOML read and written: by tomllib and tomli-w; what is wrong with a text is one sentence."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from ..errors import PresetError, RestyleError

LARGEST = 16 << 20  # bytes of a file that is read at all; most can be a plug-in's settings
MOST_PARTS = 300_000  # lines, values and tables: a second's work
MOST_DOTS = 4_000_000  # a key of n parts takes n² steps


def contents(path: Path, error: type[RestyleError] = PresetError) -> bytes:
    """Return what is in a file.

    Raises
    ------
    RestyleError
        Unreadable, or too large.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would keep us waiting
        raise error(f"cannot read {path}: it is not a file")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as found:
        raise error(f"cannot read {path}: {found.strerror or found}") from None
    if len(data) > LARGEST:
        raise error(f"cannot read {path}: it has more than {LARGEST >> 20} MiB")
    return data


def parse(path: Path, error: type[RestyleError] = PresetError) -> dict[str, Any]:
    """Return the plain data of a file.

    Raises
    ------
    RestyleError
        Unreadable, too large, or no TOML.
    """
    try:
        text = contents(path, error).decode("utf-8-sig")
    except UnicodeDecodeError as found:
        raise error(f"cannot read {path}: {found}") from None
    if sum(text.count(c) for c in "\n,=[{") > MOST_PARTS or (
        sum(line.count(".") ** 2 for line in text.split("\n")) > MOST_DOTS
    ):
        raise error(f"cannot read {path}: it has more in it than a preset or chain ever needs")
    try:
        return tomllib.loads(text)
    except RecursionError:
        reason = "it is nested too deeply"
    except tomllib.TOMLDecodeError as found:
        reason = str(found)[:200]
    except ValueError:  # Python's limit for numbers
        reason = "a number in it has thousands of digits"
    raise error(f"{path.name} is not valid TOML: {reason}")


def to_toml(data: Mapping[str, Any], name: str = "") -> str:
    """Return the text of a document; the same data always gives the same text.

    Plain values come first, then tables in the order of the mapping; lists of tables are always
    written ``[[so]]``, which tomli-w does for long ones alone.

    Raises
    ------
    TypeError
        A value that TOML has no form for.
    """
    tables = {k: v for k, v in data.items() if isinstance(v, Mapping) or _is_tables(v)}
    parts = [tomli_w.dumps({k: v for k, v in data.items() if k not in tables})]
    for key, value in tables.items():
        bare = tomli_w.dumps({key: 0}).rpartition(" = ")[0]  # quoted where that is needed
        title = f"{name}.{bare}" if name else bare
        for one in [value] if isinstance(value, Mapping) else value:
            heading = f"[{title}]" if isinstance(value, Mapping) else f"[[{title}]]"
            inside = to_toml(one, title)
            gap = "\n\n" if inside.startswith("[") else "\n"
            parts.append(heading + gap + inside)
    return "\n".join(p for p in parts if p)


def _is_tables(value: Any) -> bool:
    return bool(value) and isinstance(value, list) and all(isinstance(v, Mapping) for v in value)
