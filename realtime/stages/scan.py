"""Find plug-in files and look at those that are new, each apart from this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .isolate import TIMEOUT_SECONDS, probe_apart
from .records import OK, Record, Records

SUFFIXES = (".vst3", ".component") if sys.platform == "darwin" else (".vst3",)


OTHERS = {
    ".lv2": "an LV2",
    ".clap": "a CLAP",
    ".so": "a VST2 or LADSPA",
    ".dylib": "a VST2 or LADSPA",
    ".dll": "a VST2",
    ".vst": "a VST2",
    ".component": "an Audio Unit",
    ".aaxplugin": "an AAX",
}


def unsupported(path: Path) -> str | None:
    """What a plug-in of another format is, in a sentence; None for one that may be loaded."""
    kind = OTHERS.get(path.suffix.lower())
    if kind is None or path.suffix.lower() in SUFFIXES:
        return None
    takes = "VST3 and Audio Units are" if sys.platform == "darwin" else "VST3 is"
    return f"{path.name} is {kind} plug-in, which is not supported; {takes}"


def find_others(places: Sequence[Path]) -> list[Path]:
    """Plug-ins of other formats directly in `places`."""
    found = []
    for place in places:
        try:
            found += [p for p in sorted(place.iterdir()) if unsupported(p)]
        except OSError:
            continue
    return found


def default_folders() -> list[Path]:
    """Where plug-ins are installed on this system; ``$VST3_PATH`` comes first."""
    named = [Path(p) for p in os.environ.get("VST3_PATH", "").split(os.pathsep) if p]
    home = Path.home()
    if sys.platform == "darwin":
        roots = (home / "Library/Audio/Plug-Ins", Path("/Library/Audio/Plug-Ins"))
        return [*named, *(root / kind for root in roots for kind in ("VST3", "Components"))]
    if sys.platform == "win32":
        places = (("LOCALAPPDATA", "Programs/Common/VST3"), ("COMMONPROGRAMFILES", "VST3"))
        return [*named, *(Path(os.environ[v]) / p for v, p in places if v in os.environ)]
    return [*named, home / ".vst3", Path("/usr/local/lib/vst3"), Path("/usr/lib/vst3")]


def is_plugin_file(path: Path) -> bool:
    """Whether a path is a plug-in by its ending: a bundle, or on Windows also a file."""
    return path.suffix.lower() in SUFFIXES and os.path.exists(path)


def find_bundles(places: Sequence[Path]) -> list[Path]:
    """All plug-in files among and below `places`, resolved, each once; loops are walked once."""
    found: dict[Path, None] = {}
    seen: set[Path] = set()
    waiting = [Path(p) for p in reversed(places)]
    while waiting:
        path = waiting.pop()
        real = path.resolve()
        if is_plugin_file(path):
            found[real] = None
        elif real.is_dir() and real not in seen:
            seen.add(real)
            try:
                waiting += sorted(path.iterdir(), reverse=True)
            except OSError:
                continue  # a folder that may not be read
    return list(found)


def scan(
    bundles: Sequence[Path], records: Records, timeout: float = TIMEOUT_SECONDS, retry: bool = False
) -> Iterator[tuple[Record, bool]]:
    """Yield the record of each file and whether it was loaded for it; records are kept one by one.

    Parameters
    ----------
    bundles : sequence of Path
        As :func:`find_bundles` returns them.
    records : Records
    timeout : float [s]
        For each file.
    retry : bool
        Load those anew that were bad when they were last loaded.
    """
    for path in bundles:
        record = records.get(path)
        fresh = record is None or (retry and record.status != OK)
        if record is None or fresh:
            record = records.put(probe_apart(path, timeout))
        yield record, fresh
