"""Write docs/restyle.1 from the commands themselves: ``python -m scripts.man_page``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from realtime import __version__

PAGE = Path(__file__).parent.parent / "docs" / "restyle.1"
HEAD = rf""".TH RESTYLE 1 "" "restyle {__version__}" "User Commands"
.SH NAME
restyle \- live sound restyled by a streaming neural network
.SH SYNOPSIS
.B restyle
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
Play or speak, and hear it restyled while you do: an amplifier, strings, a choir, a radio voice,
made by a neural network between microphone or guitar and loudspeaker.
Bad input is one sentence and exit code 2; nothing is left half\-written.
.SH COMMANDS
"""
TAIL = r""".SH FILES
.TP
.I ~/.config/restyle
Presets, setlists and models of your own; RESTYLE_MODELS names another folder of models.
.TP
.I ~/.cache/restyle
Compiled kernels. They may be deleted at any time; \fBrestyle doctor \-\-warm\fR makes them again.
.SH EXIT STATUS
0 when all went well, 2 with one sentence on standard error where it did not.
"""


def _plain(text: str) -> str:
    """Text as troff shows it."""
    shown = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


def _sections(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner:
        for word, below in sorted(inner.items()):
            yield from _sections(below, f"{name} {word}".strip())
        return
    yield f".SS restyle {_plain(name)}"
    yield _plain((command.help or "").split("\f")[0])
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        value = parameter.metavar or parameter.name.upper()
        said = value
        if parameter.param_type_name != "argument":
            said = ", ".join([*parameter.opts, *parameter.secondary_opts])
            said += "" if parameter.is_flag else f" {value}"
        yield f".TP\n.B {_plain(said)}\n{_plain(getattr(parameter, 'help', '') or '')}"


def page() -> str:
    """The whole page."""
    from realtime.commands.app import app

    return HEAD + "\n".join(_sections(typer.main.get_command(app), "")) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
