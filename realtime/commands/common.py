"""What several commands share: options, parsing, opening models and chains."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ..audio_files import check_absent, whole_file
from ..errors import ConfigError, RestyleError, printable
from ..native.cache import is_cold


class Terminal(Console):
    """Shows texts as they are: words in brackets, and control characters as such."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A text to show; what is in it takes the width that it will have."""
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments of what is shown, with nothing in them that steers a terminal."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


out = Terminal(markup=False)
err = Terminal(markup=False, stderr=True)

ModelOption = Annotated[
    str | None, typer.Option("--model", "-m", help="Model name (see 'restyle models') or file.")
]
ChainOption = Annotated[
    Path | None, typer.Option("--chain", help="TOML file of stages: effects, plug-ins, models.")
]
MixOption = Annotated[float, typer.Option(help="0 dry .. 1 wet.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter: 2.room_size, or a name that one stage has.",
    ),
]
GainOption = Annotated[float, typer.Option(help="dB at the input.")]
OutGainOption = Annotated[float, typer.Option(help="dB before the limiter.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are dataclasses are options, one for each field.

    Fields carry what parameters do: ``Annotated[int, typer.Option(…)]`` and a default.
    """
    options: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    hints = get_type_hints(command, include_extras=True)
    for name, one in inspect.signature(command).parameters.items():
        kind = hints[name]
        if not dataclasses.is_dataclass(kind):
            options.append(one.replace(annotation=kind))
            continue
        groups[name], inner = kind, get_type_hints(kind, include_extras=True)
        options += [
            inspect.Parameter(f.name, one.KEYWORD_ONLY, default=f.default, annotation=inner[f.name])
            for f in dataclasses.fields(kind)
        ]

    @functools.wraps(command)
    def spreading(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{f.name: values.pop(f.name) for f in dataclasses.fields(kind)})
        command(**values)

    spreading.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    spreading.__annotations__ = {p.name: p.annotation for p in options}
    return spreading


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


def check_writable(path: Path | None, replace: bool = True) -> None:
    """Refuse a file that could not be written later, or is there and may not be replaced."""
    if path is None:
        return
    check_absent(path, replace)
    if not path.parent.is_dir():
        raise ConfigError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ConfigError(f"cannot write {path}: permission denied or a folder")


def check_distinct(written: Mapping[str, Path | None]) -> None:
    """Refuse two options that would write one file."""
    seen: dict[Path, str] = {}
    for option, path in written.items():
        if path is None:
            continue
        place = Path(os.path.realpath(path))  # a link to itself is no error to it
        if (other := seen.setdefault(place, option)) != option:
            raise ConfigError(f"{other} and {option} are both {path}; name two files")


def announce_cold_start() -> None:
    """Say why the first start of a version takes long."""
    if is_cold():
        err.print("first start of this version: compiling for this processor, about a minute")


def fail(error: RestyleError | str) -> typer.Exit:
    """Print one sentence to standard error and return the exit to raise."""
    sys.stderr.write(f"restyle: {printable(str(error))}\n")
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
