"""What is installed is what was tested: versions and hashes are locked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def pinned(text: str) -> dict[str, str]:
    """Versions by name, as pip compares names."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_each_locked_package_has_hashes_and_the_version_that_is_tested() -> None:
    tested = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    locked = [b for b in blocks if re.match(r"[A-Za-z0-9]", b)]
    assert len(locked) > 20
    for block in locked:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]
        ((name, version),) = pinned(block).items()
        assert tested.get(name, version) == version, name
    assert "://" not in text  # nothing from another place than the index


def test_the_lock_holds_all_that_playing_needs() -> None:
    locked = pinned((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for wanted in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9_.-]+", wanted)
        assert name and re.sub(r"[-_.]+", "-", name[0]).lower() in locked, wanted
