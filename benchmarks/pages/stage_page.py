"""``python -m benchmarks.pages.stage_page``: the table of ``docs/stage.md``.

From results of ``restyle bench presets --json``, by number and (``--midi``) by program change.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..rig import machine
from ..rig.tables import Row, markdown
from .readme import insert

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "docs" / "stage.md", ROOT / "benchmarks" / "results"
WAYS = {"presets.json": "by number", "presets-midi.json": "by MIDI program change"}


def section() -> str:
    """Everything that goes between the markers."""
    found = {
        way: json.loads((RESULTS / name).read_text(encoding="utf-8"))
        for name, way in WAYS.items()
        if (RESULTS / name).is_file()
    }
    rows: dict[str, Row] = {}
    said = []
    for way, data in found.items():
        command = data["command"].partition(" --json")[0]
        said.append(f"`{command}`. {machine.sentence(data['machine'])}.")
        for row in data["tables"]["presets"]:
            rows.setdefault(row["what"], {"what": row["what"]})[way] = row["value"]
    columns = {"what": "what"} | {way: way for way in found}
    return "\n\n".join([*said, markdown(list(rows.values()), columns)])


def main() -> int:
    """Run the command."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(insert(page, section(), "bench presets"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
