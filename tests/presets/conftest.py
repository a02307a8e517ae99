from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Presets of a test live in a folder of their own."""
    own = tmp_path / "presets"
    monkeypatch.setenv("RESTYLE_PRESETS", str(own))
    return own
