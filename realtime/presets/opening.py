"""Opening presets and sessions: found, read, their paths in full, checked; then they may change
what plays.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..errors import PresetError, RestyleError
from ..parameters.mapping import MidiMapping
from ..parameters.parameter import Parameter, find_parameter
from ..session.names import knobs, places
from ..session.sound import Sound, anonymous
from .asking import need_yes, plugin_asks, session_asks
from .check import Library
from .files import find_preset, read_preset, read_session
from .format import Preset, SessionFile
from .paths import absolute, full

replace = msgspec.structs.replace


def open_preset(name_or_path: str | Path, library: Library, trusted: bool = False) -> Preset:
    """Find, read and check a preset; see :meth:`~realtime.presets.check.Library.checked`.

    Parameters
    ----------
    trusted : bool
        Whether it may ask for anything, as nothing of it is played.

    Raises
    ------
    PresetError
        There is none, or the first mistake in it.
    Untrusted
        It asks for what the user has not said yes to.
    """
    path = find_preset(name_or_path)
    preset = read_preset(path)
    sound, _ = library.checked(_whole(preset.sound, path.parent), path.name)
    if not trusted:
        need_yes(plugin_asks(sound.stages), path)
    return replace(preset, sound=_as_in_files(sound))


def open_session(path: str | Path, library: Library) -> SessionFile:
    """Read and check a session file; return it as :func:`open_preset` does.

    Its mappings must name parameters, styles and presets that there are; parameters of a stage
    whose ranges the library does not know are left to the surface.

    Raises
    ------
    PresetError
        The first mistake in it.
    Untrusted
        It asks for what the user has not said yes to.
    """
    path = Path(path)
    session = read_session(path)
    sound, known = library.checked(_whole(session.preset.sound, path.parent), path.name)
    found = knobs(sound, known)
    for i, mapping in enumerate(session.midi, 1):
        try:
            _check_mapping(mapping, sound, found, library)
        except RestyleError as error:
            raise PresetError(f"{path.name}: [[midi]] {i}: {error}") from None
    record = session.record
    if record is not None:
        record = replace(record, folder=full(record.folder, path.parent))
    session = replace(
        session, preset=replace(session.preset, sound=_as_in_files(sound)), record=record
    )
    need_yes(session_asks(session, path), path)
    return session


def _whole(sound: Sound, folder: Path) -> Sound:
    return replace(sound, stages=absolute(sound.stages, folder))


def _as_in_files(sound: Sound) -> Sound:
    return replace(sound, stages=anonymous(sound.stages))


def _check_mapping(
    mapping: MidiMapping, sound: Sound, found: Sequence[Parameter], library: Library
) -> None:
    if mapping.target == "preset":
        find_preset(mapping.name)
    elif mapping.target == "style":
        library.card(mapping.name)
    else:
        place, _, own = mapping.name.rpartition(".")
        stage = dict(places(sound.stages)).get(f"{place}.")
        if stage is None or stage.plugin is None or own in ("bypass", "stage_mix"):
            mapping.ends(find_parameter(found, mapping.name))
