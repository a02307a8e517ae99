"""Commands of voices and players."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.errors import ConfigError, interruptible

app = typer.Typer()


@app.command("voice-from")
@interruptible
def voice_from(
    source: Annotated[
        str,
        typer.Argument(
            help="SOUNDFONT:PROGRAMME, e.g. fluidr3:48 or my.sf2:12, or a folder of recorded notes"
            " whose names say their pitch (C4, Bb3 or a MIDI number)."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The voice's file, NAME.npz.")],
    licence: Annotated[
        str | None,
        typer.Option(help="Of the notes, SPDX, e.g. CC-BY-4.0; or own-recording."),
    ] = None,
) -> None:
    """Learn a player's voice from single notes."""
    from .learn import learn_file
    from .single_notes import source as notes

    if out.suffix != ".npz":
        raise ConfigError(f"expected a file NAME.npz for the voice, got {out}")
    if not out.parent.is_dir():
        raise ConfigError(f"cannot write {out}: the folder {out.parent} does not exist")
    learn_file(notes(source, licence), out.stem, out, typer.echo)
    typer.echo(f"wrote {out}")


@app.command("voice-judge")
@interruptible
def voice_judge(
    voice: Annotated[Path, typer.Argument(help="A voice's file.")],
    programme: Annotated[int, typer.Argument(min=0, max=127, help="Of FluidR3, the truth.")],
) -> None:
    """Judge a voice with known notes: against the true patch, the ear left out."""
    import torch

    from .judge import judged, table

    torch.set_num_threads(1)
    typer.echo(table(*judged(voice, programme, lambda text: None)))


@app.command("player")
@interruptible
def player(
    name: Annotated[str, typer.Argument(help="A bundled player, or a name for one's own.")],
    voices: Annotated[
        list[Path] | None, typer.Option("--voice", help="A voice's file; several to blend.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Default: exported/.")] = None,
    judge: Annotated[bool, typer.Option(help="Judge it on held-out recordings.")] = True,
) -> None:
    """Join the trained ear and voices to a player, through the gate."""
    import torch

    from ..export.gate import EXPORTED
    from ..export.player import assemble
    from ..recipes.player import PLAYERS, Bundled, Played

    torch.set_num_threads(1)
    if not voices and name not in PLAYERS:
        raise ConfigError(
            f"'{name}' is no bundled player ({', '.join(PLAYERS)}); name voices with --voice"
        )
    target = out or EXPORTED / f"{name}.onnx"
    if not target.parent.is_dir():
        raise ConfigError(f"cannot write {target}: the folder {target.parent} does not exist")
    recipe = Played(name, name, "hears notes and plays them", voices) if voices else Bundled(name)
    judge = judge and not voices  # nobody knows what one's own should sound like
    typer.echo(f"wrote {assemble(recipe, target, judge, typer.echo)}")
