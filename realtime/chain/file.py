"""Chain files: effects by name and parameters, before and after the model, in TOML.

::

    [[pre]]
    effect = "NoiseGate"
    threshold_db = -50

    [[post]]
    effect = "Reverb"
    room_size = 0.3
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import ChainError, nearest
from .chain import Chain
from .effects import EffectStage, make_plugin
from .stage import Stage

PLACES = ("pre", "post")


def load_chain(path: str | Path) -> tuple[Chain | None, Chain | None]:
    """Read a chain file; return the chains before and after the model (None where empty).

    Raises
    ------
    ChainError
        Unreadable file, unknown table, effect or parameter.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ChainError(f"cannot read chain {path}: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ChainError(f"{path} is not valid TOML: {error}") from None
    try:
        return build_chains(data)
    except ChainError as error:
        raise ChainError(f"{path.name}: {error}") from None


def build_chains(data: dict[str, Any]) -> tuple[Chain | None, Chain | None]:
    """Build the two chains from parsed data; see :func:`load_chain`."""
    for key in data:
        if key not in PLACES:
            raise ChainError(
                f"unknown table '{key}'{nearest(key, PLACES)}; a chain file has [[pre]] and"
                " [[post]] tables"
            )
    return _build(data.get("pre", [])), _build(data.get("post", []))


def _build(entries: Any) -> Chain | None:
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ChainError("effects are written as [[pre]] or [[post]] tables, in double brackets")
    stages = [build_stage(entry, Path()) for entry in entries]
    return Chain(stages) if stages else None


def build_stage(entry: dict[str, Any], folder: Path) -> Stage:
    """Build one stage from its table; see :func:`load_chain` for errors."""
    parameters = dict(entry)
    name = parameters.pop("effect", None)
    if not isinstance(name, str):
        raise ChainError('each table needs effect = "NAME"')
    return EffectStage(make_plugin(name, parameters), name)
