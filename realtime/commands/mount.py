"""The command line put together from the commands beside this file: all, or the one asked for.

A command's module is imported only where its words or its help are wanted, so that `restyle models`
does not wait for what `restyle live` needs.
"""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import RestyleError, interruptible
from .bench import PASS_ON

#: word: module beside this file, and what in it is mounted
COMMANDS = {
    "live": "live.command:live",
    "render": "render:render",
    "replay": "replay:replay",
    "recover": "recover:recover",
    "tag": "tag:tag",
    "notes": "notes:notes",
    "tuner": "tuner:tuner",
    "models": "models:models",
    "verify": "models:verify",
    "pack": "pack:pack",
    "proof": "proof:proof",
    "scan": "scan:scan",
    "send": "send:send",
    "devices": "devices:devices",
    "doctor": "doctor:doctor",
    "desktop": "desktop:desktop",
    "personalise": "personal:personalise",
    "like": "personal:like",
    "explain": "explain:explain",
    "plugin": "plugin:plugin",
    "import": "imports:import_models",
}
#: of these, what only plays: nothing it needs is in SciPy
PLAYING = (
    "live",
    "render",
    "replay",
    "recover",
    "tag",
    "notes",
    "tuner",
    "models",
    "verify",
    "scan",
)
GROUPS = {
    "preset": "Keep sounds under a name.",
    "midi": "MIDI controllers: what there is, what it sends, what it turns.",
    "bench": "",  # of its own
    "capture": "",
}
UNDER = {"preset": {"setlist": "Presets in the order of a concert."}}


def command_line(word: str | None = None) -> typer.Typer:
    """The application; with a command's or group's `word`, only as much of it as that needs.

    Any other word stands for all, so that help and a mistyped word know every name.
    """
    app = typer.Typer(
        name="restyle",
        help="Live sound restyled by a streaming neural network, with declared latency.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    alone = word if word in (*COMMANDS, *GROUPS, "train", "--version") else None
    for name, place in COMMANDS.items():
        if alone in (None, name):
            module, _, attribute = place.partition(":")
            app.command(name)(interruptible(getattr(_module(module), attribute)))
    for name, summary in GROUPS.items():
        if alone in (None, name):
            app.add_typer(_group(name, summary), name=name)
    app.command("train", context_settings=dict(PASS_ON))(train)
    app.callback(invoke_without_command=True)(root)
    return app


def _module(name: str) -> Any:
    return importlib.import_module(f".{name}", __package__)


def _group(name: str, summary: str) -> typer.Typer:
    """The commands under one word."""
    module = _module(name)
    if not summary:
        group: typer.Typer = module.group
        return group
    group = typer.Typer(help=summary, no_args_is_help=True)
    for word, command in module.COMMANDS.items():
        group.command(word)(interruptible(command))
    for word, words in UNDER.get(name, {}).items():
        group.add_typer(_group(word, words), name=word)
    return group


def train(context: typer.Context) -> None:
    """Make data, train, judge and export styles: restyle train --help."""
    try:
        module: Any = importlib.import_module("train.commands")
    except ModuleNotFoundError:
        raise RestyleError(
            "training is not installed; install it with: pip install 'restyle[train]'"
        ) from None
    raise typer.Exit(module.main(context.args))


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version when asked."""
    if version:
        print(f"restyle {__version__}")
        raise typer.Exit
