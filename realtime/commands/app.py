"""The command line put together from the commands beside this file."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import RestyleError
from . import bench, capture, midi, preset, setlist
from .desktop import desktop
from .devices import devices
from .doctor import doctor
from .explain import explain
from .imports import import_models
from .live.command import live
from .models import models, verify
from .notes import notes
from .pack import pack
from .personal import like, personalise
from .plugin import plugin
from .proof import proof
from .recover import recover
from .render import render
from .replay import replay
from .scan import scan
from .send import send
from .tag import tag
from .tuner import tuner

app = typer.Typer(
    name="restyle",
    help="Live sound restyled by a streaming neural network, with declared latency.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Turn Ctrl-C inside `command` into one sentence."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            raise RestyleError("interrupted") from None

    return run


COMMANDS = (
    live,
    render,
    replay,
    recover,
    tag,
    notes,
    tuner,
    models,
    verify,
    pack,
    proof,
    scan,
    send,
    devices,
    doctor,
    desktop,
    personalise,
    like,
    explain,
    plugin,
)
for command in COMMANDS:
    app.command()(interruptible(command))
app.command("import")(interruptible(import_models))


def _group(
    name: str, summary: str, commands: dict[str, Callable[..., None]], under: typer.Typer = app
) -> typer.Typer:
    """Mount commands under one word."""
    group = typer.Typer(help=summary, no_args_is_help=True)
    for word, command in commands.items():
        group.command(word)(interruptible(command))
    under.add_typer(group, name=name)
    return group


presets = _group("preset", "Keep sounds under a name.", preset.COMMANDS)
_group("setlist", "Presets in the order of a concert.", setlist.COMMANDS, presets)
_group("midi", "MIDI controllers: what there is, what it sends, what it turns.", midi.COMMANDS)

app.add_typer(bench.group, name="bench")
app.add_typer(capture.group, name="capture")


@app.command("train", context_settings=dict(bench.PASS_ON))
def train(context: typer.Context) -> None:
    """Make data, train, judge and export styles: restyle train --help."""
    try:
        module: Any = importlib.import_module("train.commands")
    except ModuleNotFoundError:
        raise RestyleError(
            "training is not installed; install it with: pip install 'restyle[train]'"
        ) from None
    raise typer.Exit(module.main(context.args))


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version when asked."""
    if version:
        print(f"restyle {__version__}")
        raise typer.Exit
