"""Opening presets and sessions: found, read, their paths in full, checked; then they may change
what plays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import PresetError, RestyleError
from ..parameters.mapping import MidiMapping
from ..parameters.surface import Parameter
from ..parameters.values import find_parameter
from .check import Library
from .files import find_preset, read_preset, read_session
from .format import SessionFile
from .preset import PLACES, Preset, Stage

_STAGE = re.compile(r"(pre|post)\.([1-9]\d*)\.(.+)")


def absolute(preset: Preset, folder: Path, chains: Path | None = None) -> Preset:
    """The same preset with paths written out in full.

    The model's starts from `folder`, those of the stages from `chains` if that is given.
    """
    below = folder if chains is None else chains

    def stage(s: Stage) -> Stage:
        entry = dict(s.entry)
        if "plugin" in entry and _is_path(entry["plugin"]):
            entry["plugin"] = _full(entry["plugin"], below)
        if "plugin" in entry and "preset" in entry:
            entry["preset"] = _full(entry["preset"], below)
        return replace(s, entry=entry)

    model = preset.model
    if model is not None and _is_path(model):
        model = _full(model, folder)
    pre, post = (tuple(stage(s) for s in preset.chain(place)) for place in PLACES)
    return replace(preset, model=model, pre=pre, post=post)


def _is_path(text: str) -> bool:
    path = Path(text)
    return len(path.parts) > 1 or path.suffix.lower() in (".onnx", ".nam", ".vst3", ".component")


def _full(text: str, folder: Path) -> str:
    return str(folder.absolute() / Path(text).expanduser())


def open_preset(name_or_path: str | Path, library: Library) -> Preset:
    """Find, read and check a preset; return it with paths in full and all weights of a blend.

    Raises
    ------
    PresetError
        There is none, or the first mistake in it.
    """
    path = find_preset(name_or_path)
    preset = absolute(read_preset(path), path.parent)
    return _with_values(preset, library.parameters(preset, path.name))


def _with_values(preset: Preset, found: Sequence[Parameter]) -> Preset:
    """The preset with all weights of a blend, if it names one."""
    blends = {p.name for p in found if p.kind == "blend"}
    own = set(preset.controls)
    own |= blends if own & blends else set()
    return replace(preset, controls={p.name: p.value for p in found if p.name in own})


def open_session(path: str | Path, library: Library) -> SessionFile:
    """Read and check a session file; return it as :func:`open_preset` does.

    Its mappings must name parameters, styles and presets that there are; parameters of a stage
    whose ranges the library does not know are left to the surface.

    Raises
    ------
    PresetError
        The first mistake in it.
    """
    path = Path(path)
    session = read_session(path)
    preset = absolute(session.preset, path.parent)
    found = library.parameters(preset, path.name)
    for i, mapping in enumerate(session.midi, 1):
        try:
            _check_mapping(mapping, preset, found, library)
        except RestyleError as error:
            raise PresetError(f"{path.name}: [[midi]] {i}: {error}") from None
    record = session.record
    if record is not None:
        record = replace(record, folder=_full(record.folder, path.parent))
    return replace(session, preset=_with_values(preset, found), record=record)


def _check_mapping(
    mapping: MidiMapping, preset: Preset, found: Sequence[Parameter], library: Library
) -> None:
    if mapping.target == "preset":
        find_preset(mapping.name)
    elif mapping.target == "style":
        library.card(mapping.name)
    elif not _is_of_an_unknown_range(mapping.name, preset, found):
        mapping.ends(find_parameter(found, mapping.name))


def _is_of_an_unknown_range(name: str, preset: Preset, found: Sequence[Parameter]) -> bool:
    """Whether it is a parameter of a stage of which only bypass and dry/wet are known."""
    parts = _STAGE.fullmatch(name)
    if parts is None or int(parts[2]) > len(preset.chain(parts[1])):
        return False
    own = [p for p in found if p.name.startswith(f"{parts[1]}.{parts[2]}.")]
    return len(own) == 2 and name not in {p.name for p in own}
