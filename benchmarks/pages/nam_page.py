"""``python -m benchmarks.pages.nam_page``: the tables of ``docs/nam.md``.

From results of ``restyle bench nam --core FOLDER --only-ratio --json``, with AVX-512 and
without it, and of ``restyle bench align --core FOLDER --json``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from ..measures.align import COLUMNS, PAIRS
from ..rig import machine
from ..rig.tables import Row, markdown
from .readme import insert

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "docs" / "nam.md", ROOT / "benchmarks" / "results"
KINDS = {"nam-core.json": "AVX-512", "nam-core-avx2.json": "AVX2"}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return found


def _command(data: dict[str, Any]) -> str:
    command = re.sub(r"\S*/", "", data["command"].partition(" --json")[0])
    return re.sub(r"--core \S+", "--core CORE", command)


def ratios() -> str:
    """Our step over the core's, a row for each capture."""
    rows: dict[str, Row] = {}
    columns = {"capture": "capture"}
    said = []
    for name, kind in KINDS.items():
        data = _read(name)
        said.append(f"{kind}: `{_command(data)}`. {machine.sentence(data['machine'])}.")
        columns[kind] = f"{kind}: 16 / 64 / 512 samples"
        for row in data["tables"]["ratio"]:
            made = rows.setdefault(row["capture"], {"capture": row["capture"]})
            made.setdefault(kind, []).append(f"{row['ratio']:.2f}")
    for row in rows.values():
        row |= {kind: " / ".join(row[kind]) for kind in KINDS.values() if kind in row}
    return "\n\n".join([*said, markdown(list(rows.values()), columns)])


def alignment() -> str:
    """How late captures are by themselves, and pairs of them."""
    data = _read("align.json")
    return "\n\n".join(
        [
            f"Measured by `{_command(data)}`.",
            markdown(data["tables"]["captures"], COLUMNS),
            "Two side by side, level over the sum of both levels, thirds of an octave from 100 Hz"
            " to 4 kHz:",
            markdown(data["tables"]["pairs"], PAIRS),
        ]
    )


def main() -> int:
    """Run the command."""
    page = PAGE.read_text(encoding="utf-8")
    page = insert(page, ratios(), "bench nam")
    PAGE.write_text(insert(page, alignment(), "bench align"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
