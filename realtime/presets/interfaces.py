"""What full scale stands for at the inputs of the user's interfaces, asked once and kept."""

from __future__ import annotations

import json
from pathlib import Path

from ..audio_files import whole_file
from ..errors import ConfigError
from ..models.load import HIGHEST_DBU, LOWEST_DBU, is_level
from .files import preset_folder

Levels = dict[str, float | None]


def checked_level(value: float) -> float:
    """A level in dBu.

    Raises
    ------
    ConfigError
        No interface has it.
    """
    if not is_level(value):
        raise ConfigError(
            f"an input's level must be within {LOWEST_DBU:g}..{HIGHEST_DBU:g} dBu (the sine that"
            f" just reaches full scale), got {value:g}"
        )
    return value


def interfaces_file() -> Path:
    """Where the levels are kept: ``interfaces.json`` beside the folder of presets."""
    return preset_folder().parent / "interfaces.json"


def known_levels() -> Levels:
    """Levels by the interface's name [dBu]; None where the user does not know it.

    Raises
    ------
    ConfigError
        The file is damaged.
    """
    path = interfaces_file()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); mend or delete it") from None
    if not isinstance(data, dict) or not all(v is None or is_level(v) for v in data.values()):
        raise ConfigError(
            f"{path} must name interfaces and their levels in dBu, as in"
            ' {"Scarlett 2i2": 12.5}; mend or delete it'
        )
    return data


def keep_level(name: str, level: float | None) -> None:
    """Keep an interface's level.

    Raises
    ------
    ConfigError
        The file is damaged or cannot be written.
    """
    known = {**known_levels(), name: level}
    path = interfaces_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
