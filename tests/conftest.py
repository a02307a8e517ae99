"""What all tests share: fresh machine code and no surprise between runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from . import plugins

ROOT = Path(__file__).parent.parent


def _kernel_digest() -> str:
    """Digest of every source file with a Numba kernel."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "realtime").rglob("*.py")):
        text = path.read_bytes()
        if b"numba" in text:
            digest.update(path.name.encode() + text)
    return digest.hexdigest()[:16]


# Numba's disk cache looks at a function's own file only: a kernel that inlines another file's
# kernel would stay stale after an edit there.  A folder per state of the sources cannot be stale.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba" / _kernel_digest()))


@pytest.fixture(scope="session", autouse=True)
def no_dead_servers() -> None:
    """Forget JACK servers that were killed: their entries make new ones hang."""
    running = shutil.which("pgrep") and subprocess.run(["pgrep", "-x", "jackd"], check=False)
    if not running or running.returncode == 0:
        return
    for left in Path("/dev/shm").glob("jack*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def bundle(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Builds a test plug-in by its key in `plugins.RECIPES`; kept beside pytest's own cache."""
    reason = plugins.missing()
    if reason is not None:
        pytest.skip(reason)
    assert request.config.cache is not None
    folder = Path(request.config.cache.mkdir("plug-ins"))
    return lambda key: plugins.build(key, folder)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that is this test's alone; the file of records that will be in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "restyle" / "plugins.json"


@pytest.fixture
def place(bundle: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Copies a test plug-in to where the test may change it."""

    def copy(key: str) -> Path:
        source = bundle(key)
        target = tmp_path / "plug-ins" / source.name
        shutil.copytree(source, target)
        return target

    return copy


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Presets of a test live in a folder of their own."""
    own = tmp_path / "presets"
    monkeypatch.setenv("RESTYLE_PRESETS", str(own))
    return own
