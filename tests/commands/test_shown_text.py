"""Texts from files reach a terminal as texts."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from realtime.commands.common import Terminal
from realtime.errors import printable

EVIL = "\x1b]0;owned\x07 [b]x[/b] \x1b[2J\u202e\x9b31m \ud800"


@pytest.mark.parametrize("in_a_table", [False, True])
def test_what_steers_a_terminal_is_shown_and_not_obeyed(in_a_table: bool) -> None:
    file = io.StringIO()
    terminal = Terminal(file=file, markup=False, width=200, force_terminal=True)
    if in_a_table:
        table = Table()
        table.add_column()
        table.add_row(EVIL)
        terminal.print(table)
    else:
        terminal.print(EVIL, highlight=False)
    said = file.getvalue()
    assert r"\x1b]0;owned\x07 [b]x[/b] \x1b[2J\u202e\x9b31m \ud800" in said
    for character in "\x07\x9b\u202e\ud800":
        assert character not in said
    assert "\x1b]" not in said and "\x1b[2J" not in said


def test_a_sentence_keeps_its_letters() -> None:
    assert printable("Größe → 2 ×\tx\n") == "Größe → 2 ×\tx\n"
