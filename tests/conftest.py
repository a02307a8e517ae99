"""What all tests share: fresh machine code and no surprise between runs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from realtime.host import child
from realtime.native.cache import use_own_cache

from . import plugins
from .forked import Forked

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"  # what is dear to make: plug-ins

# Kernels are shared with the program and with other runs: their folder is named by the sources.
# Before a test gives itself another XDG_CACHE_HOME.
use_own_cache()

# One thread for torch and BLAS, here and in children: sums are rounded by how many threads share
# them, and threads that spin while they wait for each other are slow on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@cache
def _starts_jack(path: Path) -> bool:
    """Whether a file's tests need a JACK server; two of one name cannot run beside each other."""
    return re.search(r"\b(jackd|jack_server)\b", path.read_text()) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file stays with one worker; one worker opens browsers, one JACK: what waits, waits once."""
    from xdist.scheduler import LoadFileScheduling

    class ByNeed(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            if "/page/" in file:
                return "page"
            return "jack" if _starts_jack(config.rootpath / file) else file

    return ByNeed(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what waits long or works long, so that no worker is left with it at the end."""

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(config.rootpath).as_posix()
        if "/page/" in name:
            return 0
        return 1 if _starts_jack(item.path) else 2 if "/train/" in name else 3

    items.sort(key=place)


@pytest.fixture(scope="module", autouse=True)
def jack_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold JACK for a file's tests: other processes wait, of another run, too."""
    if not _starts_jack(request.path):
        yield
        return
    where = Path("/dev/shm")  # JACK's own servers meet there, whatever TMPDIR says
    folder = where if where.is_dir() else Path(tempfile.gettempdir())
    with open(folder / f"restyle-tests-{os.getuid()}", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session", autouse=True)
def engines() -> Iterator[None]:
    """Fork engines instead of spawning them, where that can be done."""
    if sys.platform == "linux" and not os.environ.get("RESTYLE_SPAWN"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(child, "CONTEXT", Forked())
            yield
    else:
        yield


@pytest.fixture
def without_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export without the listener's proof, which plays minutes of sound: for tests of all else."""
    monkeypatch.setattr("train.export.gate.heard", lambda file, card, held=False: card.proof)


def pytest_configure(config: pytest.Config) -> None:
    """Forget JACK servers that were killed: their entries make new ones hang."""
    if hasattr(config, "workerinput"):
        return  # whoever started the workers has done it
    running = shutil.which("pgrep") and subprocess.run(["pgrep", "-x", "jackd"], check=False)
    if not running or running.returncode == 0:
        return
    for left in Path("/dev/shm").glob("jack*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


#: the user's own files, which no test may read or change
OF_THE_USER = {
    "RESTYLE_MODELS": "models",
    "RESTYLE_PRESETS": "presets",
    "RESTYLE_RECORDINGS": "recordings",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
}


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures that outlive a test see a user without files."""
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in OF_THE_USER.items():
            patch.setenv(variable, str(home / name))
        yield


@pytest.fixture(autouse=True)
def presets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has presets of its own: one that saves leaves nothing to the next."""
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    return tmp_path / "presets"


@pytest.fixture(scope="session")
def bundle() -> Callable[[str], Path]:
    """Builds a test plug-in by its key in `plugins.RECIPES`; kept for the next run."""
    reason = plugins.missing()
    if reason is not None:
        pytest.skip(reason)
    return lambda key: plugins.build(key, CACHE / "plug-ins")


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
