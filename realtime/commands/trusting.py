"""The user's yes to what a file asks for: by an option, or by a question in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ..trust.consent import Untrusted, allow
from .common import err

T = TypeVar("T")

TrustOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust",
        metavar="FILE",
        help="Say yes to what this file asks for: new plug-ins, the network, other folders.",
    ),
]


def with_yes(opened: Callable[[], T], trust: list[Path] | None) -> T:
    """What `opened` gives, asked again after each yes; a yes is remembered.

    Raises
    ------
    Untrusted
        A file asks for what nobody says yes to.
    """
    while True:
        try:
            return opened()
        except Untrusted as error:
            if not (_named(error.path, trust or []) or _answered(error)):
                raise
            allow(error.asks)


def _named(path: Path, trust: list[Path]) -> bool:
    return any(path.resolve() == t.resolve() for t in trust)


def _answered(error: Untrusted) -> bool:
    if not (sys.stdin.isatty() and err.is_terminal):
        return False
    err.print(f"{error.name} would", highlight=False)
    for ask in error.asks:
        err.print(f"  - {ask.what}", highlight=False, soft_wrap=True)
    return typer.confirm("Do you trust whoever made it?", err=True)
