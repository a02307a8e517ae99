"""How a command of the trainer ends where it cannot go on: in one sentence."""

from __future__ import annotations

from realtime.errors import ConfigError


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
