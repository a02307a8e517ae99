"""The command line put together from the commands beside this file."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import RestyleError
from . import midi, preset
from .devices import devices
from .doctor import doctor
from .import_nam import import_nam
from .live import live
from .models import models, verify
from .render import render
from .replay import replay
from .scan import scan

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


for command in (live, render, replay, models, verify, scan, devices, doctor):
    app.command()(interruptible(command))
app.command("import")(interruptible(import_nam))


def _group(name: str, summary: str, commands: dict[str, Callable[..., None]]) -> None:
    """Mount commands under one word."""
    group = typer.Typer(help=summary, no_args_is_help=True)
    for word, command in commands.items():
        group.command(word)(interruptible(command))
    app.add_typer(group, name=name)


_group("preset", "Keep sounds under a name.", preset.COMMANDS)
_group("midi", "MIDI controllers: what there is, what it sends, what it turns.", midi.COMMANDS)

bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _benchmark(name: str, summary: str) -> None:
    """Mount ``benchmarks.<name>.main(argv)`` as ``restyle bench <name>``."""

    def run(context: typer.Context) -> None:
        try:
            module: Any = importlib.import_module(f"benchmarks.{name}")
        except ModuleNotFoundError as error:
            raise RestyleError(
                f"this benchmark needs the package '{error.name}';"
                " run: pip install 'restyle[train]'"
            ) from None
        raise typer.Exit(module.main(context.args) or 0)

    bench.command(name, help=summary, context_settings=dict(_PASS_ON))(run)


_benchmark("startup", "Time from nothing to the first callback, cold and warm.")
_benchmark("networks", "Networks trained for the same CPU time: quality, cost, latency.")
_benchmark("nam", "What captures cost: kernel, ONNX Runtime, other players.")
_benchmark("rates", "Conversions between sample rates: quality, latency, cost.")
_benchmark("capture", "A session captured, replayed and compared bit by bit.")
_benchmark("edits", "A random edit every 100 ms of virtual time: clicks, latency, memory.")
_benchmark("panel", "What the panel costs: its own processor time, and the engine's p99.")
_benchmark("clocks", "Two devices on two clocks, an hour in virtual time: pitch, latency, breaks.")
_benchmark("latency", "Latency declared and measured, CPU per hop, missed callbacks under load.")


@app.command("train", context_settings=dict(_PASS_ON))
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
