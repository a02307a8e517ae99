"""``restyle train data``: fetch, add, list, show and check sets of recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from realtime.errors import ConfigError

from ..manifest import SPLITS, Manifest, read_manifest
from . import recordings

app = typer.Typer(
    name="data",
    help="Make and check sets of recordings for training. They land in .data/sets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
Steps = Annotated[
    list[str] | None,
    typer.Option("--step", metavar="NAME[=VALUE]", help="Preprocessing, in order; see 'steps'."),
]


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sets; see 'list'.")],
    minutes: Annotated[float | None, typer.Option(help="Stop when there is so much.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Archive, for a set that comes in one (salamander).")
    ] = None,
    step: Steps = None,
) -> None:
    """Build sets from Debian packages and scores; what is there already is kept."""
    from ..sound.steps import parse_steps
    from .catalogue import fetch as run
    from .catalogue import find_set

    steps = None if step is None else parse_steps(step)
    for name in names:
        find_set(name)
    for name in names:
        with _progress(name) as report:
            manifest = run(name, minutes, file, steps, report=report)
        _print_summary(manifest)


@app.command()
def add(
    audio: Annotated[Path, typer.Option(help="Folder with recordings.")],
    name: Annotated[str, typer.Option(help="What to call the set.")],
    licence: Annotated[
        str | None, typer.Option(help="SPDX, e.g. CC-BY-4.0; or own-recording, LicenseRef-…")
    ] = None,
    source: Annotated[str, typer.Option(help="Where they are from, in words.")] = "",
    step: Steps = None,
) -> None:
    """Make a set of your own recordings."""
    from ..sound.steps import parse_steps
    from .folder import add as run

    with _progress(name) as report:
        manifest = run(audio, licence, name, parse_steps(step or []), source, report=report)
    _print_summary(manifest)


@app.command("list")
def list_sets() -> None:
    """Name every set: what it is, whether it is here, minutes and licences."""
    from .catalogue import CATALOGUE, present

    here = present()
    table = Table("set", "here", "minutes", "licences", "what")
    for name in [*CATALOGUE, *(n for n in here if n not in CATALOGUE)]:
        kind, state, manifest = CATALOGUE.get(name), "no", None
        if name in here:
            try:
                manifest, state = read_manifest(here[name]), "yes"
            except ConfigError:
                state = "damaged"
        licences = (
            sorted({i.licence for i in manifest.items})
            if manifest
            else list(kind.licences if kind else ())
        )
        table.add_row(
            name,
            state,
            f"{manifest.minutes():.1f}" if manifest else "",
            "\n".join(licences),
            kind.about if kind else manifest.about if manifest else "",
        )
    console.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="A set that is here.")]) -> None:
    """Summarise a set's manifest."""
    manifest = _read(name)
    console.print(manifest.about, f"made by: {manifest.made_by}", sep="\n", highlight=False)
    _print_summary(manifest)
    tags: dict[str, set[str]] = defaultdict(set)
    for item in manifest.items:
        for key, value in item.tags.items():
            tags[key].add(value)
    for key, values in sorted(tags.items()):
        some = ", ".join(sorted(values)[:6]) + (" …" if len(values) > 6 else "")
        console.print(f"{key} ({len(values)}): {some}", highlight=False, soft_wrap=True)


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sets; default: all that are here.")
    ] = None,
) -> None:
    """Compare every file with the hash in its manifest."""
    from .catalogue import present

    faults = 0
    for name in names or present():
        manifest = _read(name)
        found = manifest.faults(recordings.SETS / name)
        faults += len(found)
        for sentence in found:
            console.print(f"{name}: {sentence}", highlight=False, soft_wrap=True)
        if not found:
            console.print(f"{name}: {len(manifest.items)} files as they should be", highlight=False)
    if faults:
        raise ConfigError(f"{faults} files are missing or changed; fetch or add their sets again")


@app.command()
def steps() -> None:
    """List the preprocessing steps."""
    from ..sound.steps import KINDS

    table = Table("step", "default", "from", "to", "unit", "what it does")
    for name, kind in KINDS.items():
        value = "" if kind.default is None else f"{kind.default:g}"
        limits = f"{kind.least:g}", f"{kind.most:g}"
        table.add_row(name, value, *limits, kind.unit, kind.about)
    console.print(table)


class _progress:
    """A line that shows the file at work and the minutes so far."""

    def __init__(self, name: str) -> None:
        words = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}")
        self.progress = Progress(
            *words,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.name = name

    def __enter__(self) -> Callable[[str, float], None]:
        """Start the line; returns the function that moves it."""
        self.progress.start()
        task = self.progress.add_task(self.name, total=None, at="")

        def report(file: str, minutes: float) -> None:
            self.progress.update(task, at=f"{minutes:.1f} min  {file[-40:]}")

        return report

    def __exit__(self, *error: object) -> None:
        """Take the line away."""
        self.progress.stop()


def _read(name: str) -> Manifest:
    from realtime.errors import nearest

    from .catalogue import CATALOGUE, present

    if not (recordings.SETS / name).is_dir() or Path(name).name != name:
        here = present()
        how = (
            f"; run: restyle train data fetch {name}" if name in CATALOGUE else nearest(name, here)
        )
        raise ConfigError(f"the set '{name}' is not here{how}")
    return read_manifest(recordings.SETS / name)


def _print_summary(manifest: Manifest) -> None:
    table = Table("source", "licence", "package", "recordings", "minutes", title=manifest.name)
    for row in manifest.provenance():
        package = f"{row['package']} {row['version']}".strip()
        cells = (row["source"], row["licence"], package, row["recordings"], row["minutes"])
        table.add_row(*map(str, cells))
    console.print(table)
    digits = 1 if manifest.minutes() >= 10 else 2
    parts = ", ".join(f"{split} {manifest.minutes(split):.{digits}f}" for split in SPLITS)
    console.print(
        f"{manifest.name}: {manifest.minutes():.{digits}f} minutes: {parts}", highlight=False
    )
    empty = [split for split in SPLITS if not manifest.minutes(split)]
    if empty and len({item.key for item in manifest.items}) < 3:
        console.print(
            f"nothing for {' and '.join(empty)}: recordings are never cut between splits, so"
            " training needs three or more",
            highlight=False,
        )
    for file, reason in manifest.skipped[:20]:
        console.print(f"skipped {file}: {reason}", highlight=False, soft_wrap=True)
    if len(manifest.skipped) > 20:
        console.print(f"… and {len(manifest.skipped) - 20} more", highlight=False)
