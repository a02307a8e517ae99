"""Folders that the environment names: another's home there is not is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.errors import ConfigError
from realtime.models.catalog import list_models, user_folder
from realtime.presets.files import preset_folder, recordings_folder

FOLDERS = {
    "RESTYLE_MODELS": user_folder,
    "RESTYLE_PRESETS": preset_folder,
    "RESTYLE_RECORDINGS": recordings_folder,
}


@pytest.mark.parametrize(("variable", "folder"), FOLDERS.items())
def test_a_home_that_nobody_has_is_a_sentence(
    variable: str, folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, "~nosuchuser/x")
    with pytest.raises(ConfigError, match=f"{variable} is ~nosuchuser/x, .*no user 'nosuchuser'"):
        folder()
    for named, found in (("~/mine", Path.home() / "mine"), (".", Path()), ("", None)):
        monkeypatch.setenv(variable, named)
        assert folder() == found if found is not None else folder().is_absolute()


def test_models_are_not_listed_from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_MODELS", "~nosuchuser/x")
    with pytest.raises(ConfigError):
        list_models()
