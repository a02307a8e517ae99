"""Writing TOML: the same data always gives the same text, `tomllib` reads it back as it was.

Plain values come first, then tables, each in the order of the mapping; lists of tables are written
``[[so]]``, floats in their shortest exact form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(data: Mapping[str, Any]) -> str:
    """Return the text of a document.

    Raises
    ------
    TypeError
        A value that TOML has no form for.
    """
    return "\n".join(_lines(data, ())).strip("\n") + "\n"


def _lines(data: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines, sections = [], []
    for key, value in data.items():
        if isinstance(value, Mapping) or _is_tables(value):
            sections.append((key, value))
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in sections:
        inside = (*path, key)
        title = ".".join(_key(k) for k in inside)
        entries = [value] if isinstance(value, Mapping) else value
        brackets = f"[{title}]" if isinstance(value, Mapping) else f"[[{title}]]"
        for entry in entries:
            lines += ["", brackets, *_lines(entry, inside)]
    return lines


def _is_tables(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) > 0
        and all(isinstance(v, Mapping) for v in value)
    )


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    raise TypeError(f"TOML has no form for {value!r}")


def _text(text: str) -> str:
    # JSON's escapes are TOML's; TOML alone also wants DEL escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
