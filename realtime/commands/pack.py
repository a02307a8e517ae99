"""``restyle pack``: a graph of your own and its card become one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..audio_files import whole_file
from ..errors import ModelError
from ..proof.verify import verify
from .common import ForceOption, out
from .imports import carded


def pack(
    files: Annotated[
        list[Path], typer.Argument(metavar="MODEL.onnx", help="The graph, or several in a row.")
    ],
    card: Annotated[str, typer.Option(metavar="CARD.toml", help="What the model is.")],
    target: Annotated[
        Path | None, typer.Option("--out", help="The file; NAME.onnx here by default.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Give a graph of yours its card, its first state, its test vector and its proof.

    Nothing is written unless every check of 'restyle verify' passes.
    """
    one = carded(files, card)
    path = target or Path(f"{one.card.name}.onnx")
    if path.resolve() in [f.resolve() for f in files]:
        raise ModelError(f"{path.name} is the graph itself; name another file with --out")
    if path.resolve() == Path(card).resolve():
        raise ModelError(f"{path.name} is the card; name another file with --out")
    if path.exists() and not force:
        raise ModelError(f"{path} is there already; name another file with --out, or add --force")
    try:
        with whole_file(path) as partial:
            partial.write_bytes(one.data)
            bad = [c for c in verify(partial) if not c.passed]
            if bad:
                raise ModelError(f"{path.name}: {bad[0].name} fails ({bad[0].found})")
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror}") from None
    out.print(f"{path}: proved; play it with 'restyle live --model {path}'", highlight=False)
