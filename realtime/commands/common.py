"""What several commands share: options, parsing, opening models and chains."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ..audio_files import whole_file
from ..errors import ConfigError, RestyleError
from ..native.cache import is_cold
from ..presets.check import find_card, whole_blend
from ..session.config import StreamConfig
from ..stages.chain import Chain

out = Console()
err = Console(stderr=True)

ModelOption = Annotated[
    str | None, typer.Option("--model", "-m", help="Model name (see 'restyle models') or file.")
]
ChainOption = Annotated[
    Path | None, typer.Option("--chain", help="TOML file of effects and plug-ins.")
]
MixOption = Annotated[float, typer.Option(help="0 dry .. 1 wet.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A model control.")
]
GainOption = Annotated[float, typer.Option(help="dB before the model.")]
OutGainOption = Annotated[float, typer.Option(help="dB before the limiter.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def parse_controls(items: list[str] | None) -> dict[str, float]:
    """Turn ``NAME=VALUE`` texts into a mapping.

    Raises
    ------
    ConfigError
        Text of another form.
    """
    found = {}
    for item in items or []:
        name, sign, value = item.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign or not name.strip():
            raise ConfigError(f"--set takes NAME=VALUE with a number, got '{item}'")
    return found


def make_config(
    mix: float, gain: float, output_gain: float, controls: list[str] | None, lane: str = "auto"
) -> StreamConfig:
    """Check the options common to live and render."""
    return StreamConfig(
        lane=lane,
        mix=mix,
        input_gain_db=gain,
        output_gain_db=output_gain,
        controls=parse_controls(controls),
    )


def chosen_controls(path: Path | None, given: Mapping[str, float]) -> dict[str, float]:
    """Controls as asked for; of a blend, whose weights are shares, all of them."""
    card = None if path is None else find_card(str(path))
    return whole_blend(card.controls, given) if card is not None else dict(given)


def open_chains(path: Path | None) -> tuple[Chain | None, Chain | None]:
    """Read a chain file, if one was named."""
    if path is None:
        return None, None
    from ..stages.file import load_chain

    return load_chain(path)


def write_json(path: Path, data: Any) -> None:
    """Write JSON, whole or not at all.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    try:
        with whole_file(path) as partial:
            partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def check_writable(path: Path | None) -> None:
    """Refuse a file that could not be written later."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise ConfigError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ConfigError(f"cannot write {path}: permission denied or a folder")


def announce_cold_start() -> None:
    """Say why the first start of a version takes long."""
    if is_cold():
        err.print("first start of this version: compiling for this processor, about half a minute")


def fail(error: RestyleError | str) -> typer.Exit:
    """Print one sentence to standard error and return the exit to raise."""
    sys.stderr.write(f"restyle: {error}\n")
    return typer.Exit(2)


def trainer(module: str) -> Any:
    """A module that needs torch.

    Raises
    ------
    ConfigError
        Torch or another package of the extra is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("realtime", "exported"):
            raise
        raise ConfigError(
            f"making a model needs the package '{name}'; install it with:"
            " pip install 'restyle[train]'"
        ) from None
