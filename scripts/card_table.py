"""Write the card's field table into docs/model-format.md from the dataclass itself."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import msgspec

from realtime.models.card import CONTROL_KEYS, Card, Spectrum, State
from realtime.parameters.parameter import Parameter

PAGE = Path(__file__).parent.parent / "docs" / "model-format.md"


def table() -> str:
    """Markdown rows: where, field, type, default."""
    rows = ["| object | field | type | default |", "|---|---|---|---|"]
    for kind in (Card, Spectrum, State):
        for field in dataclasses.fields(kind):
            default = "" if field.default is dataclasses.MISSING else f"`{field.default!r}`"
            if field.default_factory is not dataclasses.MISSING:
                default = f"`{field.default_factory()!r}`"
            rows.append(_row(kind.__name__, field.name, str(field.type), default))
    for own in msgspec.structs.fields(Parameter):
        if own.name in CONTROL_KEYS:
            default = f"`{own.default!r}`" if own.name != "name" else ""
            rows.append(_row("Control", own.name, own.type.__name__, default))
    return "\n".join(rows)


def _row(kind: str, name: str, shown: str, default: str) -> str:
    escaped = shown.replace("|", "\\|")
    return f"| {kind} | `{name}` | `{escaped}` | {default} |"


def page(text: str) -> str:
    """The page with a fresh table."""
    pattern = r"(<!-- card:begin -->\n).*?(<!-- card:end -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{table()}\n{m[2]}", text, flags=re.S)


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(old), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
