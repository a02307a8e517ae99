"""Paths in presets and chains: they start from the folder of the file that names them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..models.catalog import expanded
from ..session.sound import Stage, each

FILES = {"Convolution": "impulse_response_filename"}  # parameters of effects that are paths
_ENDINGS = (".onnx", ".nam", ".vst3", ".component")


def absolute(stages: tuple[Stage, ...], folder: Path) -> tuple[Stage, ...]:
    """The same stages with the paths in them written out in full."""
    return each(stages, lambda stage: _whole(stage, folder))


def full(text: str, folder: Path) -> str:
    """A path in full; ``~`` is the user's own folder."""
    return str(folder.absolute() / expanded(text))


def _whole(stage: Stage, folder: Path) -> Stage:
    changes: dict[str, object] = {}
    for key in ("model", "plugin"):
        named = getattr(stage, key)
        if named is not None and _is_path(named):
            changes[key] = full(named, folder)
    if stage.preset is not None:
        changes["preset"] = full(stage.preset, folder)
    key = FILES.get(stage.effect or "", "")
    if isinstance(named := stage.parameters.get(key), str):
        changes["parameters"] = {**stage.parameters, key: full(named, folder)}
    return msgspec.structs.replace(stage, **changes) if changes else stage


def _is_path(text: str) -> bool:
    path = Path(text)
    return len(path.parts) > 1 or path.suffix.lower() in _ENDINGS
