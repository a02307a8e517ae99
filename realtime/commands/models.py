"""``restyle models`` and ``restyle verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..models.catalog import find_model, list_models
from ..models.checks import Check
from ..models.load import open_model
from ..models.soak import soak
from ..models.verify import verify as run_checks
from .common import JsonOption, out


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
                "card": asdict(e.card) if e.card else None,
            }
            for e in entries
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what it does", "domain", "rate", "hop", "latency", "size", "licence"):
        right = heading in ("rate", "hop", "latency", "size")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading == "name")
    for e in entries:
        if e.card is None:
            table.add_row(e.name, f"[red]{e.problem}[/red]", "", "", "", "", "", "")
            continue
        c = e.card
        latency = f"{c.latency} = {1000 * c.latency / c.sample_rate:.2f} ms"
        size = f"{e.size / 1e6:.2f} MB"
        table.add_row(
            c.name, c.summary, c.domain, str(c.sample_rate), str(c.hop_length), latency, size,
            c.licence,
        )  # fmt: skip
    out.print(table)


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Model file or name.")],
    minutes: Annotated[
        float, typer.Option("--soak", min=0.0, help="Also play so many minutes of noise.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Run a model's proof again; exit code 2 when any of it fails."""
    path = find_model(file)
    checks = run_checks(path)
    if minutes and checks[0].passed:
        checks.append(_soak(path, minutes))
    passed = all(c.passed for c in checks)
    if as_json:
        found = {"file": str(path), "passed": passed, "checks": [asdict(c) for c in checks]}
        print(json.dumps(found, indent=2))
    else:
        for c in checks:
            mark = "[green]pass[/green]" if c.passed else "[red]FAIL[/red]"
            out.print(f"{mark}  {c.name}: {c.found}", highlight=False)
        out.print(f"{path.name}: {'proved' if passed else 'NOT proved'}", highlight=False)
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
