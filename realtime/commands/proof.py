"""``restyle proof``: what a listener would object to, as a table, JSON or a page to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..audio_files import whole_file
from ..errors import ConfigError
from ..models.card import Card
from ..models.catalog import find_model
from ..models.load import open_model
from ..proof.listener.figures import MEASURES, beside, broken
from ..proof.listener.page import page as html
from ..proof.listener.prove import Proof, prove, unchanged
from .common import ForceOption, JsonOption, check_writable, out


def proof(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Model files or names.")],
    page: Annotated[
        Path | None, typer.Option(help="Also write a page with spectrograms, e.g. out.html.")
    ] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Play test tones through models and judge what comes out; exit code 2 over a bound."""
    check_writable(page, replace=force)
    chosen: dict[Path, Card] = {}
    for path in dict.fromkeys(find_model(name) for name in models):
        model = open_model(path)
        card = model.card
        model.close()
        if not card.converts:
            raise ConfigError(
                f"'{card.name}' is a {card.kind}; the proof judges converters and players"
            )
        chosen[path] = card
    proofs: dict[str, Proof] = {card.name: prove(path, card) for path, card in chosen.items()}
    if as_json:
        print(json.dumps({name: p.entry() for name, p in proofs.items()}, indent=2))
    else:
        _print(proofs)
    if page is not None:
        try:
            with whole_file(page) as partial:
                partial.write_text(html(proofs), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot write {page}: {error.strerror or error}") from None
        if not as_json:
            out.print(f"wrote {page}", highlight=False)
    if any(broken(p.figures) for p in proofs.values()):
        raise typer.Exit(2)


def _print(proofs: dict[str, Proof]) -> None:
    rate = next(iter(proofs.values())).made.rate
    columns = beside({name: p.figures for name, p in proofs.items()}, unchanged(rate).figures)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")  # it wraps where the screen is narrow; figures do not
    for name in (*columns, "bound"):
        table.add_column(name, justify="right", no_wrap=True)
    for m in MEASURES:
        cells = []
        for figures in columns.values():
            value = figures.get(m.name)
            text = m.text(value)
            good = value is None or m.holds(value, figures)
            cells.append(Text(text) if good else Text(text, "red"))
        bound = "" if m.bound is None else f"{'>=' if m.least else '<='} {m.text(m.bound)}"
        table.add_row(m.title, *cells, bound)
    out.print(table, highlight=False)
