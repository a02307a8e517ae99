"""``python -m benchmarks.pages.readme``: put the kept results into the pages.

Results lie in ``benchmarks/results``.  What they say goes between markers of README,
docs/latency.md and docs/host.md, and into ``benchmarks/REPORT.md`` with its plots.  ``--check``
changes nothing and fails when a page is not up to date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.errors import RestyleError

from ..rig.tables import SCHEMA
from ..suite import pages, schema
from . import latency_page, summary

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
REPORT = ROOT / "benchmarks" / "REPORT.md"
FIGURES = "figures"


def insert(page: str, text: str, name: str) -> str:
    """Replace what is between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``.

    Raises
    ------
    ValueError
        The markers are missing.
    """
    begin_mark, end_mark = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, begin, rest = page.partition(begin_mark)
    _, end, tail = rest.partition(end_mark)
    if not begin or not end:
        raise ValueError(f"a page lacks the markers {begin_mark} and {end_mark}")
    return f"{head}{begin_mark}\n{text}\n{end_mark}{tail}"


def load_result(path: Path, kind: str) -> dict[str, Any]:
    """Read a result of one benchmark.

    Raises
    ------
    ValueError
        Another kind of file.
    """
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA or data.get("kind") != kind:
        raise ValueError(f"{path.name} is no {kind} result of schema {SCHEMA}")
    return data


def texts() -> dict[Path, str]:
    """Every page as it should be."""
    report = schema.read_report(RESULTS / "report.json")
    latency = load_result(RESULTS / "latency.json", "latency")
    recovery = load_result(RESULTS / "recovery.json", "recovery")
    providers = load_result(RESULTS / "providers.json", "providers")
    parts = (
        ("README.md", "performance", summary.section(report, recovery)),
        ("docs/latency.md", "latency", latency_page.section(latency)),
        ("docs/latency.md", "providers", latency_page.providers(providers)),
        ("docs/host.md", "recovery", summary.recovery_section(recovery)),
    )
    made: dict[Path, str] = {}
    for name, mark, text in parts:
        path = ROOT / name
        made[path] = insert(made.get(path) or path.read_text(encoding="utf-8"), text, mark)
    figures = {p.stem: f"{FIGURES}/{p.name}" for p in (REPORT.parent / FIGURES).glob("*.png")}
    return {**made, REPORT: pages.markdown(report, figures)}


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages.readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a page is out of date")
    options = parser.parse_args(list(argv))
    try:
        if not options.check:
            from ..suite.command import write_figures

            write_figures(REPORT.parent / FIGURES, schema.read_report(RESULTS / "report.json"))
        wanted = texts()
    except (OSError, ValueError, RestyleError) as error:
        print(f"benchmarks.pages.readme: {error}", file=sys.stderr)
        return 2
    if options.check:
        old = {p: p.read_text(encoding="utf-8") if p.exists() else "" for p in wanted}
        return 0 if old == wanted else 1
    for path, text in wanted.items():
        schema.write_text(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
