"""``restyle desktop``: an entry in the menu of programs, and a unit for systemd."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from ..audio_files import whole_file
from ..errors import ConfigError
from ..models.catalog import expanded
from ..presets.files import find_preset
from ..presets.setlist import find_setlist
from .common import ForceOption, out

ARGUMENTS = "--wait --panel-host 127.0.0.1"


def desktop(
    service: Annotated[
        bool,
        typer.Option("--service", help="Also a systemd user unit, for a machine without a screen."),
    ] = False,
    preset: Annotated[
        str | None, typer.Option(help="What the service plays; not its last sound.")
    ] = None,
    setlist: Annotated[str | None, typer.Option(help="Or this setlist.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove both.")] = False,
    force: ForceOption = False,
) -> None:
    """Put restyle into the menu of programs (Linux); with --service, start it with the machine.

    Files go below ~/.local/share/applications and ~/.config/systemd/user, and name this very
    installation.
    """
    if not sys.platform.startswith("linux"):
        raise ConfigError(f"menus and units are written on Linux alone; this is {sys.platform}")
    if preset is not None and setlist is not None:
        raise ConfigError("a service plays a --preset or a --setlist, not both")
    if (preset or setlist) and not service:
        raise ConfigError("--preset and --setlist are the service's; add --service")
    entry, unit = places()
    if remove:
        for path in (entry, unit):
            if path.exists():
                try:
                    path.unlink()
                except OSError as error:
                    raise ConfigError(f"cannot remove {path}: {error.strerror}") from None
                out.print(f"removed {path}", highlight=False)
        return
    chosen: list[str] = []
    if preset:
        chosen = ["--preset", _whole(preset, find_preset(preset))]
    elif setlist:
        chosen = ["--setlist", _whole(setlist, find_setlist(setlist))]
    _write(entry, filled("restyle.desktop", program=_quoted(program())), force)
    if service:
        arguments = f"{_escaped(_quoted(chosen))} {ARGUMENTS}".strip()
        text = filled("restyle.service", program=_escaped(_quoted(program())), arguments=arguments)
        _write(unit, text, force)
        out.print("now: systemctl --user enable --now restyle", highlight=False)


def places() -> tuple[Path, Path]:
    """Where the menu's entry and the unit belong."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    unit = Path(config) / "systemd" / "user" / "restyle.service"
    return Path(data) / "applications" / "restyle.desktop", unit


def program() -> list[str]:
    """The words that start this installation."""
    script = Path(sys.executable).with_name("restyle")
    return [str(script)] if script.exists() else [sys.executable, "-m", "realtime.cli"]


def _whole(given: str, file: Path) -> str:
    """A name as it is, a file by its whole path: the unit starts elsewhere.

    Raises
    ------
    ConfigError
        The path holds what a unit cannot: it has one line for each setting.
    """
    if Path(expanded(given)) != file:
        return given
    if not str(file.absolute()).isprintable():
        raise ConfigError(f"{given!r} cannot stand in a unit; rename the file")
    return str(file.absolute())


def filled(name: str, **words: str) -> str:
    """A file of the package with its places filled."""
    text = (resources.files(__package__) / "files" / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _quoted(words: list[str]) -> str:
    """Words as both formats read them."""
    plain = (w.replace("\\", "\\\\").replace('"', '\\"') for w in words)
    return " ".join(f'"{w}"' if set(w) & set(" \t\"'\\$`;&|<>*?#()~") else w for w in plain)


def _escaped(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _write(path: Path, text: str, force: bool) -> None:
    try:
        if path.exists() and not force and path.read_bytes() != text.encode():
            raise ConfigError(f"{path} is there and says something else; --force replaces it")
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    out.print(f"wrote {path}", highlight=False)
