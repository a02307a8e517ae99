"""Find a judge's package, or say in one sentence what to install."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError


def _missing(name: str) -> ConfigError:
    return ConfigError(f"the judge needs the package '{name}'; run: make judges")


def require(name: str) -> Any:
    """Import a package of the evaluation extra.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _missing(error.name or name) from None


def folder_of(name: str) -> Path:
    """Where a package lies, without importing it (some import TensorFlow)."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise _missing(name)
    return Path(found.submodule_search_locations[0])
