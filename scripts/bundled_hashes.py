"""``python -m scripts.bundled_hashes``: write the hashes by which bundled files are known."""

from __future__ import annotations

import json
from pathlib import Path

from realtime.trust.admission import KNOWN
from realtime.trust.hashes import content_hash

ENDINGS = (".onnx", ".flac")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each model and sound of a folder, by its name."""
    found = sorted(p for p in folder.iterdir() if p.suffix in ENDINGS)
    return {p.name: content_hash(p) for p in found}


if __name__ == "__main__":
    folder = Path(__file__).parent.parent / "exported"
    (folder / KNOWN).write_text(json.dumps(hashes(folder), indent=1) + "\n", encoding="utf-8")
