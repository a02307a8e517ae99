"""Write docs/commands.md from the commands themselves: every word of ``--help``, on one page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
HEAD = """# Commands

Every command and option, as `--help` prints them. Bad input is one sentence and exit code 2;
nothing is left half-written. This page is written by `python -m scripts.commands_page`.
"""


def _rows(command: Any) -> Iterator[str]:
    """Options and arguments, one line each, under their headings."""
    heading = ""
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        said = " ".join((getattr(parameter, "help", "") or "").split()).replace("|", "\\|")
        panel = getattr(parameter, "rich_help_panel", None) or ""
        if panel != heading:
            heading = panel
            yield f"| **{panel or 'Options'}** | |"
        value = parameter.metavar or f"{parameter.name}".upper()
        if parameter.param_type_name == "argument":
            shown = value
        else:
            shown = ", ".join([*parameter.opts, *parameter.secondary_opts])
            if not parameter.is_flag:
                shown += f" {value}"
        shown = shown.replace("|", "\\|")
        yield f"| `{shown}` | {said} |"


def _sections(command: Any, name: str, level: int) -> Iterator[str]:
    """One command, and those below it."""
    text = " ".join((command.help or command.callback.__doc__ or "").split("\f")[0].split())
    yield f"{'#' * min(level, 4)} {name}\n\n{text}\n"
    rows = list(_rows(command))
    if rows:
        yield "| option | what it does |\n|---|---|\n" + "\n".join(rows) + "\n"
    if name == "restyle train":
        from train.commands import app

        command = typer.main.get_command(app)
    for word, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _sections(inner, f"{name} {word}", level + 1)


def page() -> str:
    """The whole page."""
    from realtime.commands.app import app

    command: Any = typer.main.get_command(app)
    parts = [HEAD]
    for word, inner in command.commands.items():
        parts += _sections(inner, f"restyle {word}", 2)
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
