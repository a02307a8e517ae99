"""Import packages that still ask setuptools for their own version number.

Setuptools removed ``pkg_resources`` in version 81; pyworld uses it for nothing else.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import types
from typing import Any


def import_legacy(name: str) -> Any:
    """Import `name`, with a stand-in for ``pkg_resources`` while it loads where that is missing.

    Raises
    ------
    ImportError
        The package is not installed.
    """
    if importlib.util.find_spec("pkg_resources") is not None:
        return importlib.import_module(name)
    stand_in = types.ModuleType("pkg_resources")
    stand_in.get_distribution = lambda project: types.SimpleNamespace(  # type: ignore[attr-defined]
        version=importlib.metadata.version(project)
    )
    sys.modules["pkg_resources"] = stand_in
    try:
        return importlib.import_module(name)
    finally:
        sys.modules.pop("pkg_resources", None)
