from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .. import plugins


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
