"""``restyle``: the command line.  Errors meant for people are one sentence and exit code 2."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from . import __version__
from .commands.common import fail
from .commands.devices import devices
from .commands.doctor import doctor
from .commands.live import live
from .commands.models import models, verify
from .commands.render import render
from .errors import RestyleError

app = typer.Typer(
    name="restyle",
    help="Live sound restyled by a streaming neural network, with declared latency.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (live, render, models, verify, devices, doctor):
    app.command()(command)

bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _benchmark(name: str, summary: str) -> None:
    """Mount ``benchmarks.<name>.main(argv)`` as ``restyle bench <name>``."""

    def run(context: typer.Context) -> None:
        module: Any = importlib.import_module(f"benchmarks.{name}")
        raise typer.Exit(module.main(context.args) or 0)

    bench.command(name, help=summary, context_settings=dict(_PASS_ON))(run)


_benchmark("latency", "Latency declared and measured, CPU per hop, missed callbacks under load.")


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version when asked."""
    if version:
        print(f"restyle {__version__}")
        raise typer.Exit


def main(run: Callable[[], object] = app) -> None:
    """Entry point of the ``restyle`` command."""
    try:
        run()
    except RestyleError as error:
        sys.exit(fail(error).exit_code)
    except KeyboardInterrupt:
        sys.exit(fail("interrupted").exit_code)


if __name__ == "__main__":
    main()
