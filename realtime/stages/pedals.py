"""What pedalboard brings: its own effects by name, plug-in files by path (its only importer)."""

from __future__ import annotations

import ctypes
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ChainError, nearest
from .uneven import UnevenPlugin

# pedalboard names that are no effects of their own or that cannot stream
_EXCLUDED = {"Plugin", "ExternalPlugin", "PluginContainer", "Pedalboard", "Mix", "Chain"}
_EXCLUDED |= {"VST3Plugin", "AudioUnitPlugin", "IIRFilter"}


@cache
def _library() -> Any:
    """pedalboard, loaded when something asks for it: models alone need none of it."""
    return importlib.import_module("pedalboard")


def effect_names() -> list[str]:
    """Names of the effects a chain may use."""
    found = []
    for name, value in vars(_library()).items():
        if inspect.isclass(value) and issubclass(value, _library().Plugin):
            if name not in _EXCLUDED and not name.startswith("_"):
                found.append(name)
    return sorted(found)


def property_names(name: str) -> list[str]:
    """Names of what can be read from an effect, and mostly be set, once it is made."""
    kind = getattr(_library(), name)
    own = inspect.getmembers(kind, lambda value: isinstance(value, property))
    return [p for p, _ in own if p not in ("is_effect", "is_instrument")]


def make_plugin(name: str, parameters: dict[str, Any]) -> Any:
    """Build one effect by name; choices such as a filter's mode may be given as text.

    Raises
    ------
    ChainError
        Unknown effect or parameter, or a value pedalboard refuses.
    """
    known = effect_names()
    if name not in known:
        raise ChainError(f"unknown effect '{name}'{nearest(name, known)}; try {', '.join(known)}")
    kind = getattr(_library(), name)
    accepted = sorted({*property_names(name), *_argument_names(kind)})
    for key in parameters:
        if key not in accepted:
            raise ChainError(
                f"effect {name} has no parameter '{key}'{nearest(key, accepted)};"
                f" it has {', '.join(accepted) or 'none'}"
            )
    try:
        return kind(**{k: as_choice(kind, v) for k, v in parameters.items()})
    except (TypeError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "incompatible" in first:
            first = "a value has the wrong type in " + ", ".join(
                f"{k} = {v!r}" for k, v in parameters.items()
            )
        raise ChainError(f"effect {name} refuses its parameters: {first}") from None


def as_choice(kind: Any, value: Any) -> Any:
    """The member of the effect's enumeration that a text names; any other value as it is."""
    member = getattr(kind, value, None) if isinstance(value, str) and value else None
    return member if type(member).__name__ in ("Mode", "Quality") else value


def _argument_names(kind: Any) -> list[str]:
    """Names of the constructor's arguments, read from pybind11's signature line."""
    signature = (kind.__init__.__doc__ or "").splitlines()[:1]
    if not signature or "(" not in signature[0]:
        return []
    inside = signature[0].split("(", 1)[1]
    return [p.split(":")[0].strip() for p in inside.split(",") if ":" in p and "self" not in p]


def bundle_names(path: Path) -> list[str]:
    """Names of the plug-ins a VST3 or Audio Unit file holds; runs the file's code.

    Raises
    ------
    ChainError
        The file holds no plug-in for this system.
    """
    for kind in ("VST3Plugin", "AudioUnitPlugin"):
        if hasattr(_library(), kind):
            try:
                return list(getattr(_library(), kind).get_plugin_names_for_file(str(path)))
            except ImportError:
                continue
    lacks = _missing_library(path)
    if lacks is not None:
        raise ChainError(f"{path.name} needs a library that is not installed: {lacks}")
    raise ChainError(f"{path.name} holds no plug-in that this system and processor can load")


def _missing_library(path: Path) -> str | None:
    """The shared library that a bundle's code lacks, by the system's loader; runs its code."""
    binaries = [path] if path.is_file() else sorted(path.glob("Contents/*/*.so"))
    for binary in binaries:
        try:
            ctypes.CDLL(str(binary))
        except OSError as error:
            name, _, rest = str(error).partition(":")
            if "cannot open shared object file" in rest and name != str(binary):
                return name
    return None


_COUNTS = re.compile(r"expects (\d+) input channels? and (\d+) output channels?")


def bus_counts(refusal: str) -> tuple[int, int] | None:
    """Inputs and outputs of a plug-in that has others than asked for, out of pedalboard's words."""
    found = _COUNTS.search(refusal)
    return None if found is None else (int(found[1]), int(found[2]))


def face(knobs: list[Any]) -> Any:
    """What pedalboard makes of a plug-in's parameters, for a plug-in that it did not load.

    Parameters
    ----------
    knobs : list
        Objects with ``name, label, raw_value, default_raw_value, string_value`` and both ways
        between texts and values, as pedalboard's own.
    """
    mixin: Any = importlib.import_module("pedalboard._pedalboard")._PythonExternalPluginMixin
    named = {k.name: k for k in reversed(knobs)}
    members = {"_parameters": knobs, "_get_parameter": lambda self, name: named.get(name)}
    return type("Face", (mixin,), members)()


def load_bundle(path: Path, name: str | None = None, patience: float = 10.0) -> Any:
    """Load one plug-in of a file (main thread only); runs the file's code.

    Parameters
    ----------
    path : Path
    name : str or None
        Which one, where the file holds several.
    patience : float [s]
        How long to wait for a plug-in that makes no sound at first.

    Raises
    ------
    ChainError
        It cannot be loaded, or this is not the main thread.
    """
    try:
        load = _library().load_plugin
        return load(str(path), plugin_name=name, initialization_timeout=patience)
    except (ImportError, RuntimeError, ValueError, NotImplementedError) as error:
        if bus_counts(str(error)) is not None:
            return UnevenPlugin(path, name, face)
        if "main thread" in str(error):
            raise ChainError(
                f"{path.name} is to be loaded on the main thread, as plug-ins ask for"
            ) from None
        last = [line.strip() for line in str(error).splitlines() if line.strip()][-1:]
        raise ChainError(f"{path.name} cannot be loaded: {''.join(last)}") from None
