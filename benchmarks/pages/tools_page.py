"""``python -m benchmarks.pages.tools_page RESULT``: the tables of ``docs/tools.md``.

From a result of ``restyle bench tools --json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..measures.tools import COLUMNS, LOOPS, RECORDED
from ..rig import machine
from ..rig.tables import markdown
from .readme import insert

PAGE = Path(__file__).parents[2] / "docs" / "tools.md"
NAME = "bench tools"


def section(data: dict[str, Any]) -> str:
    """Everything that goes between the markers."""
    tables, command = data["tables"], data["command"].partition(" --json")[0]
    parts = [
        f"Measured by `{command}`. {machine.sentence(data['machine'])}.",
        "Synthesised strings, five plucks each, up to 30 cents out of tune:",
        markdown(tables["strings"], COLUMNS),
    ]
    if "recorded" in tables:
        parts += [
            "Recorded strings, of the FluidR3 soundfont:",
            markdown(tables["recorded"], RECORDED),
        ]
    parts += ["A loop of one bar, played on:", markdown(tables["loops"], LOOPS)]
    return "\n\n".join(parts)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    data = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(insert(page, section(data), NAME), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
