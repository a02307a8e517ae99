"""Chain files: effects and plug-ins before and after the model, in TOML.

::

    [[pre]]
    effect = "NoiseGate"          # one of pedalboard's own
    threshold_db = -50

    [[post]]
    plugin = "Dragonfly Plate"    # a plug-in by its name in `restyle scan`, or "path/to/it.vst3"
    preset = "big.vstpreset"      # settings from a file,
    state = "VlNUMw..."           # or as PluginStage.save_state returns them
    dry_level = 80.0              # after these, parameters by name

A plug-in's parameter called like one of these keys is set in ``parameters = { preset = 3 }``.
Paths start from the chain file's folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import ChainError, nearest
from ..session.spec import PLACES
from .chain import Chain
from .effects import EffectStage, make_plugin
from .library import open_plugin
from .scan import SUFFIXES
from .stage import Stage


def load_chain(path: str | Path) -> tuple[Chain | None, Chain | None]:
    """Read a chain file; return the chains before and after the model (None where empty).

    Raises
    ------
    ChainError
        Unreadable file, unknown table, effect or parameter.
    """
    entries = read_entries(path)
    try:
        return build_chains(entries, Path(path).parent)
    except ChainError as error:
        raise ChainError(f"{Path(path).name}: {error}") from None


def read_entries(path: str | Path) -> dict[str, Any]:
    """Read a chain file's tables without building anything; see :func:`load_chain`."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ChainError(f"cannot read chain {path}: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ChainError(f"{path} is not valid TOML: {error}") from None
    return data


def absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same table with the paths in it made absolute, so that any process understands them."""
    plain = dict(entry)
    for key in ("plugin", "preset"):
        value = plain.get(key)
        is_path = key == "preset" or Path(str(value)).suffix.lower() in SUFFIXES
        if "plugin" in plain and isinstance(value, str) and is_path:
            plain[key] = str((folder / Path(value).expanduser()).resolve())
    return plain


def build_chains(
    data: dict[str, Any], folder: Path | None = None
) -> tuple[Chain | None, Chain | None]:
    """Build the two chains from parsed data; paths start from `folder`; see :func:`load_chain`."""
    check_entries(data)
    before, after = (_build(data.get(place, []), folder or Path()) for place in PLACES)
    return before, after


def check_entries(data: dict[str, Any]) -> None:
    """Check the form of a chain file's tables, not what they name.

    Raises
    ------
    ChainError
    """
    for key in data:
        if key not in PLACES:
            raise ChainError(
                f"unknown table '{key}'{nearest(key, PLACES)}; a chain file has [[pre]] and"
                " [[post]] tables"
            )
    for entries in data.values():
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ChainError(
                "effects are written as [[pre]] or [[post]] tables, in double brackets"
            )


def _build(entries: list[dict[str, Any]], folder: Path) -> Chain | None:
    stages = [build_stage(entry, folder) for entry in entries]
    return Chain(stages) if stages else None


def build_stage(entry: dict[str, Any], folder: Path) -> Stage:
    """Build one stage from its table; see :func:`load_chain` for errors."""
    settings = dict(entry)
    effect, plugin = settings.pop("effect", None), settings.pop("plugin", None)
    if isinstance(effect, str) and plugin is None:
        return EffectStage(make_plugin(effect, settings), effect)
    if not isinstance(plugin, str) or effect is not None:
        raise ChainError('each table needs effect = "NAME" or plugin = "NAME or FILE.vst3"')
    texts = {k: settings.pop(k, None) for k in ("plugin_name", "preset", "state")}
    for key, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise ChainError(f"plug-in {plugin}: {key} must be text, got {value!r}")
    named = settings.pop("parameters", {})
    if not isinstance(named, dict):
        raise ChainError(f"plug-in {plugin}: parameters must be a table, got {named!r}")
    stage = open_plugin(plugin, texts["plugin_name"], folder)
    if texts["preset"] is not None:
        stage.load_preset(folder / Path(texts["preset"]).expanduser())
    if texts["state"] is not None:
        stage.load_state(texts["state"])
    for name, value in (settings | named).items():
        stage.set_parameter(name, value)
    return stage
