"""``restyle bench`` without a sub-command: ``--quick``, ``--full`` and ``--compare``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.rig.tables import render
from realtime.errors import ConfigError

from . import schema, texts
from .plan import PLANS

FILES = ("report.html", "report.md", "report.json")
FIGURES = "figures"


def measure(plan: str, out: Path | None, only: str | None = None) -> int:
    """Run a plan and write the report's three files and its plots into `out`.

    Raises
    ------
    RestyleError
        A package is missing or the folder cannot be written; nothing was measured then.
    """
    from . import measure as suite
    from . import pages

    for module in ("matplotlib", "jsonschema"):
        schema.need(module)
    folder = out or Path("out") / f"bench-{plan}"
    check_folder(folder)
    console = Console(stderr=True, highlight=False)
    command = f"restyle bench --{plan}" + (f" --models {only}" if only else "")
    data = suite.run(PLANS[plan], command, lambda t: console.print(f"[dim]{t}[/dim]"), only)
    write(folder, data)
    for sentence in pages.headline(data):
        print(f"- {sentence}")
    print(pages.load_sentence(data))
    print(f"{data['seconds']:.0f} s; wrote " + ", ".join(str(folder / f) for f in FILES))
    rows = [*texts.rows_of(data, "latency"), *texts.rows_of(data, "round_trip")]
    return 1 if any(r["verdict"] != "ok" for r in rows) else 0


def check_folder(folder: Path) -> None:
    """Make the folder and see that files can be written there.

    Raises
    ------
    ConfigError
        They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"cannot write to the folder {folder}: {error.strerror}; name another with --out"
        ) from None


def write(folder: Path, data: dict[str, Any]) -> None:
    """Write JSON, HTML, Markdown and the plots as PNG."""
    from . import pages, plots

    schema.write_report(folder / "report.json", data)
    schema.write_text(folder / "report.html", pages.page(data, plots.draw(data)))
    names = write_figures(folder / FIGURES, data)
    links = {key: f"{FIGURES}/{name}" for key, name in names.items()}
    schema.write_text(folder / "report.md", pages.markdown(data, links))


def write_figures(folder: Path, data: dict[str, Any]) -> dict[str, str]:
    """Write the plots as PNG; returns the file name of each section."""
    from . import plots

    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    for key, picture in plots.draw(data, "png").items():
        names[key] = f"{key}.png"
        (folder / names[key]).write_bytes(picture)
    return names


def compare(first: Path, second: Path, every: bool = False) -> int:
    """Print what changed from `first` to `second`.

    Raises
    ------
    ConfigError
        A file is missing, unreadable or of another schema.
    """
    from . import compare as comparison
    from . import pages

    a, b = schema.read_report(first), schema.read_report(second)
    rows = comparison.compare(a, b)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=150)
    changed = [r for r in rows if r["verdict"]]
    shown = rows if every else changed
    if shown:
        console.print(render(f"A: {first}, B: {second}", shown, comparison.COLUMNS))
    console.print(
        f"{len(rows)} figures compared, {len(changed)} changed beyond the runs' own spread."
        " Times are judged by their ratio to the reference workload of the same rounds."
    )
    for name, data in (("A", a), ("B", b)):
        cpu, load = data["machine"]["cpu"], pages.load_sentence(data)
        console.print(f"{name}: {cpu}, {data['plan']} run. {load}")
    return 0
