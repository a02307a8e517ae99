"""Builds the plug-in once for each state of its sources, and says which engine it starts."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import plugins
from ..conftest import CACHE, ROOT

SOURCES = ROOT / "plugin"


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with restyle.vst3, restyle.clap and restyle.lv2."""
    reason = plugins.missing()
    if reason is not None:
        pytest.skip(reason)
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.read_bytes())
    folder = CACHE / "plug-in" / digest.hexdigest()[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            subprocess.run(["sh", SOURCES / "build.sh", f"{made}/whole"], check=True)
            try:
                os.rename(f"{made}/whole", folder)
            except OSError:  # another test process was faster
                if not folder.exists():
                    raise
    return folder


@pytest.fixture(scope="module", autouse=True)
def command() -> Iterator[None]:
    """The engine of this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESTYLE_COMMAND", f"{sys.executable} -m realtime.cli")
        yield
