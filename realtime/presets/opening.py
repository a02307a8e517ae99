"""Opening presets and sessions: found, read, their paths in full, checked; then they may change
what plays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ..errors import PresetError, RestyleError
from ..parameters.mapping import MidiMapping
from ..parameters.parameter import Parameter, find_parameter
from ..session.names import knobs
from ..session.sound import Sound, anonymous, places
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


def open_session(
    path: str | Path, library: Library, warn: Callable[[str], None] = lambda sentence: None
) -> SessionFile:
    """Read and check a session file; return it as :func:`open_preset` does.

    Its mappings must name parameters and styles that there are; parameters of a stage whose ranges
    the library does not know are left to the surface.

    Parameters
    ----------
    path : str or Path
    library : Library
    warn : callable
        Takes a sentence on what may wait: a preset of a mapping that is not there.

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
            if mapping.target == "preset":
                _warn_of_preset(mapping, f"{path.name}: [[midi]] {i}", warn)
            else:
                _check_mapping(mapping, sound, found, library)
        except RestyleError as error:
            raise PresetError(f"{path.name}: [[midi]] {i}: {error}") from None
    record = session.record
    if record is not None:
        record = replace(record, folder=full(record.folder, path.parent))
    session = replace(
        session,
        preset=replace(session.preset, sound=_as_in_files(sound)),
        record=record,
        setlist=session.setlist and _setlist(session.setlist, path.parent),
    )
    need_yes(session_asks(session, path), path)
    return session


def _setlist(named: str, folder: Path) -> str:
    """A setlist of a session: a name as it is, a path in full."""
    is_path = named.endswith(".toml") or len(Path(named).parts) > 1
    return full(named, folder) if is_path else named


def _whole(sound: Sound, folder: Path) -> Sound:
    return replace(sound, stages=absolute(sound.stages, folder))


def _as_in_files(sound: Sound) -> Sound:
    return replace(sound, stages=anonymous(sound.stages))


def _warn_of_preset(mapping: MidiMapping, where: str, warn: Callable[[str], None]) -> None:
    try:
        find_preset(mapping.name)
    except RestyleError as error:
        warn(f"{where}: {error}; {mapping.label} does nothing until it is there")


def _check_mapping(
    mapping: MidiMapping, sound: Sound, found: Sequence[Parameter], library: Library
) -> None:
    if mapping.target == "style":
        library.card(mapping.name)
    elif mapping.target == "parameter":
        place, _, own = mapping.name.rpartition(".")
        stage = dict(places(sound.stages)).get(f"{place}.")
        if stage is None or stage.plugin is None or own in ("bypass", "stage_mix"):
            mapping.ends(find_parameter(found, mapping.name))
