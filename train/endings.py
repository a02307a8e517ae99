"""How a command of the trainer ends where it cannot go on: in one sentence."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from realtime.errors import ConfigError, RestyleError


def explain(error: ModuleNotFoundError) -> None:
    """A package that is not installed is one sentence; a fault of ours is not.

    Raises
    ------
    ConfigError
        Names the package and how to install it.
    """
    name = (error.name or "").partition(".")[0]
    if name and name not in ("train", "realtime", "exported", "benchmarks"):
        raise ConfigError(
            f"training needs the package '{name}'; install it with: pip install 'restyle[train]'"
        ) from None


def interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Turn Ctrl-C inside `command` into one sentence."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            raise RestyleError("interrupted") from None

    return run
