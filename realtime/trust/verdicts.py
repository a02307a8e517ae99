"""What became of files that were opened apart, kept between runs by kind and content.

One small file each, written whole, so that processes need no lock.  A folder that others can write
to is not believed: whoever plants a verdict there would have his file opened.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from ..audio_files import whole_file
from ..native.cache import cache_home, private_folder

_READERS = ("restyle", "onnxruntime", "onnxruntime-gpu", "soundfile", "numba")
_RULES = "2"  # another number where the helper looks at other things
_KEPT = 20_000  # verdicts; the oldest go


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file is.

    Attributes
    ----------
    content : str
        SHA-256 of what was looked at.
    good : bool
    error : str
        Name of the class of the error where it is not good.
    reason : str
        The sentence; the file's name stands in it as :data:`NAME`.
    """

    content: str
    good: bool
    error: str = ""
    reason: str = ""


NAME = "\0"


@cache
def _readers() -> str:
    found = [_RULES]
    for name in _READERS:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def _place(kind: str, content: str) -> Path:
    key = hashlib.sha256(f"{kind}\0{content}\0{_readers()}".encode()).hexdigest()
    return cache_home() / "verdicts" / f"{key}.json"


def recall(kind: str, content: str) -> Verdict | None:
    """The verdict on a content, where there is one that can be believed."""
    path = _place(kind, content)
    try:
        if not path.exists() or not private_folder(path.parent):
            return None
        found = msgspec.json.decode(path.read_bytes(), type=Verdict)
    except (OSError, RuntimeError, msgspec.MsgspecError, UnicodeError):
        return None
    return found if found.content == content else None


def keep(kind: str, verdict: Verdict) -> None:
    """Keep a verdict where that is possible."""
    path = _place(kind, verdict.content)
    if not private_folder(path.parent):
        return
    with suppress(OSError):
        with whole_file(path) as partial:
            partial.write_bytes(msgspec.json.encode(verdict))
        if path.stat().st_ino % 256 == 0:  # now and then
            _thin(path.parent)


def _thin(folder: Path) -> None:
    found = sorted(folder.glob("*.json"), key=lambda p: p.stat().st_mtime)
    for path in found[: max(0, len(found) - _KEPT)]:
        path.unlink(missing_ok=True)
