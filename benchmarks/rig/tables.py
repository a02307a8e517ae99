"""Tables on the terminal and results as JSON.

Schema of a result file (``"schema": "restyle-bench/1"``)
---------------------------------------------------------
==============  ===============================================================================
``kind``        the command: ``latency``, ``fft``, ``startup``, ``recovery``, ``edits`` ...
``command``     the command that printed it
``date``        UTC, ISO 8601
``machine``     :func:`benchmarks.rig.machine.facts`; ``others`` tells how shared it was
``tables``      name to list of rows; a row is a flat object of texts, numbers, booleans and
                spreads ``{"p50", "p99", "p99_9", "max"}``
``notes``       sentences: what was skipped and why, what the figures mean
==============  ===============================================================================

Units are in the names: ``_us`` microseconds, ``_ms`` milliseconds, ``_s`` seconds, ``_percent``;
latencies are samples.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

from rich.console import Console
from rich.table import Table

from realtime.errors import RestyleError

from . import machine

SCHEMA = "restyle-bench/1"
Row = dict[str, Any]


class Teller(Protocol):
    """What a measurement needs of a report while it runs."""

    def progress(self, text: str) -> None:
        """Say what is going on."""

    def note(self, sentence: str) -> None:
        """Keep a remark."""


class Report:
    """Collects rows table by table, prints each when it is complete, and writes JSON.

    Parameters
    ----------
    kind, command : str
        See the schema above.  Of paths from the root the last name is kept: a report tells nothing
        of the folders here.
    """

    def __init__(self, kind: str, command: str) -> None:
        words = [Path(w).name if Path(w).is_absolute() else w for w in command.split()]
        self.console = Console(highlight=False)
        if not self.console.is_terminal:  # a pipe has no width of its own
            self.console = Console(highlight=False, width=150)
        self.data: dict[str, Any] = {
            "schema": SCHEMA,
            "kind": kind,
            "command": " ".join(words),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.facts(),
            "tables": {},
            "notes": [],
        }

    def progress(self, text: str) -> None:
        """Say what is going on, to standard error."""
        Console(stderr=True, highlight=False).print(f"[dim]{text}[/dim]")

    def note(self, sentence: str) -> None:
        """Print and keep a sentence."""
        self.data["notes"].append(sentence)
        self.console.print(sentence)

    def table(self, name: str, title: str, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
        """Keep `rows` under `name` and print the `columns` (key to heading)."""
        self.data["tables"][name] = list(rows)
        self.console.print()
        self.console.print(render(title, rows, columns))

    def write(self, path: Path) -> None:
        """Write the result file, whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(self.data, indent=1, sort_keys=False) + "\n", "utf-8")
        partial.replace(path)


def as_command(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """End the process by what a command gives; what it refuses is a sentence, exit code 1."""
    try:
        sys.exit(main(sys.argv[1:]))
    except RestyleError as error:
        sys.exit(f"restyle: {error}")


def cell(value: Any) -> str:
    """One value as text; a spread as ``p50 / p99 / p99.9``."""
    if isinstance(value, dict):
        return " / ".join(number(value[k]) for k in ("p50", "p99", "p99_9"))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    return "–" if value is None else str(value)


def number(value: float) -> str:
    """Three significant digits, without exponents for everyday sizes."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
        return f"{value:.{digits}f}"
    return f"{value:.1e}"


def render(title: str, rows: Sequence[Row], columns: Mapping[str, str]) -> Table:
    """Lay `rows` out; verdicts other than ``ok`` are red."""
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
    for key, heading in columns.items():
        left = all(isinstance(r.get(key), str) for r in rows)
        table.add_column(heading, justify="left" if left else "right")
    for row in rows:
        texts = [cell(row.get(k)) for k in columns]
        bad = row.get("verdict", "ok") not in ("ok", "")
        table.add_row(*texts, style="red" if bad else None)
    return table


def markdown(rows: Sequence[Row], columns: Mapping[str, str]) -> str:
    """The same table in Markdown."""
    lines = [" | ".join(columns.values()), " | ".join("---" for _ in columns)]
    lines += [" | ".join(cell(r.get(k)) for k in columns) for r in rows]
    return "\n".join(f"| {line} |" for line in lines)
