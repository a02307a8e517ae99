"""``restyle models`` and ``restyle verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..models.catalog import Entry, find_model, list_models, read_entry
from ..models.load import open_model
from ..models.strip import paths_in
from ..proof.checks import Check
from ..proof.listener.check import listen
from ..proof.soak import soak
from ..proof.verify import verify as run_checks
from ..trust.admission import read_file
from .common import JsonOption, err, out

NAME_WIDTH = 40  # cells of a name in the tables


def models(as_json: JsonOption = False) -> None:
    """List the models: yours first, then the bundled ones."""
    entries = list_models()
    if as_json:
        rows = [
            {
                "name": e.name,
                "path": str(e.path),
                "source": e.source,
                "bytes": e.size,
                "problem": e.problem,
                "card": e.card.to_dict() if e.card else None,
            }
            for e in entries
        ]
        print(json.dumps(rows, indent=2))
        return
    facts = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("name", "kind", "rate", "hop", "latency", "size", "licence"):
        right = heading in ("rate", "hop", "latency", "size")
        widest = NAME_WIDTH if heading == "name" else None
        facts.add_column(
            heading, justify="right" if right else "left", no_wrap=True, max_width=widest
        )
    summaries = Table.grid(padding=(0, 2, 0, 0))
    summaries.add_column(no_wrap=True, max_width=NAME_WIDTH)
    for e in entries:
        facts.add_row(*_facts(e))
        said = Text(e.card.summary) if e.card else Text(e.problem or "", "red")
        summaries.add_row(e.name if e.card else e.path.name, said)
    out.print(facts)
    out.print()
    out.print(summaries)


def _facts(entry: Entry) -> tuple[str, ...]:
    c = entry.card
    if c is None:
        return (entry.path.name, "broken" if entry.broken else "see below")
    return (
        entry.name,
        c.kind,
        str(c.sample_rate),
        str(c.hop_length),
        f"{c.latency} = {1000 * c.latency / c.sample_rate:.2f} ms",
        f"{entry.size / 1e6:.1f} MB",
        c.licence,
    )


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Model file or name.")],
    minutes: Annotated[
        float,
        typer.Option("--soak", min=0.0, max=100_000.0, help="Also play so many minutes of noise."),
    ] = 0.0,
    quick: Annotated[bool, typer.Option("--quick", help="Leave the listener's proof out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a model's proof again; exit code 2 when any of it fails.

    Warns of paths of the machine it was made on.
    """
    path = find_model(file)
    checks = run_checks(path)
    card = read_entry(path).card
    if checks[0].passed and not quick and card is not None and card.converts:
        checks.append(listen(path, card))
    if minutes and checks[0].passed:
        checks.append(_soak(path, minutes))
    passed = all(c.passed for c in checks)
    if as_json:
        found = {"file": str(path), "passed": passed, "checks": [asdict(c) for c in checks]}
        print(json.dumps(found, indent=2))
    else:
        for c in checks:
            mark = Text("pass", "green") if c.passed else Text("FAIL", "red")
            out.print(Text.assemble(mark, f"  {c.name}: {c.found}"), highlight=False)
        out.print(f"{path.name}: {'proved' if passed else 'NOT proved'}", highlight=False)
    found_paths = paths_in(read_file(path))
    if found_paths:
        more = f" and {len(found_paths) - 3} more" if len(found_paths) > 3 else ""
        err.print(
            f"{path.name} tells of the machine it was made on: {', '.join(found_paths[:3])}{more};"
            " export it again before you give it away",
            style="yellow",
            highlight=False,
        )
    if not passed:
        raise typer.Exit(2)


def _soak(path: Path, minutes: float) -> Check:
    model = open_model(path)
    try:
        seen = soak(model, minutes)
    finally:
        model.close()
    drift = seen.last_level_db - seen.first_level_db
    text = (
        f"{seen.seconds:.0f} s of noise, silence and NaN: peak {seen.peak:.3f},"
        f" {seen.resets} resets, level at the end {drift:+.2f} dB"
    )
    return Check("soak", seen.passed, text)
