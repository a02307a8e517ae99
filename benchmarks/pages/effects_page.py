"""``python -m benchmarks.pages.effects_page RESULT``: the tables of ``docs/effects.md``.

From a result of ``restyle bench rig --json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..measures.effects import COLUMNS
from ..measures.glitch import COLUMNS as LOADS
from ..measures.rig import COLUMNS as RIG
from ..measures.rig import RATIOS, TRIP
from ..rig import machine
from ..rig.tables import markdown
from .readme import insert

PAGE = Path(__file__).parents[2] / "docs" / "effects.md"
NAME = "bench rig"


def section(data: dict[str, Any]) -> str:
    """Everything that goes between the markers."""
    tables, command = data["tables"], data["command"].partition(" --json")[0]
    lengths = {k: v for k, v in RIG.items() if k != "share"} | RATIOS
    parts = [
        f"Measured by `{command}`. {machine.sentence(data['machine'])}.",
        markdown(tables["effects"], COLUMNS),
        "Convolution alone, blocks of 64 samples:",
        markdown(tables["responses"], lengths),
    ]
    if "rig" in tables:
        parts += ["A rig in mono, blocks of 64 samples:", markdown(tables["rig"], RIG)]
    if "trip" in tables:
        over = "The same and the capture over JACK's dummy driver, samples:"
        parts += [over, markdown(tables["trip"], TRIP)]
    if "loads" in tables:
        beside = "The same and the capture as a stream, beside other work:"
        parts += [beside, markdown(tables["loads"], LOADS)]
    return "\n\n".join(parts)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    data = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(insert(page, section(data), NAME), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
