"""Let a file in: one that is not known yet is opened in a helper process first.

:func:`admit` stands before every reader of files that may come from elsewhere.  The helper
(:mod:`realtime.proof.helper`) parses the file, runs it for a moment under limits of time and
memory, and says what it found; that verdict is kept by the file's content.  Bundled files are known
by their hashes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import stat
from functools import cache
from pathlib import Path

from .. import errors
from ..errors import ModelError, RestyleError, named
from .apart import Apart
from .hashes import content_hash
from .verdicts import NAME, Verdict, keep, recall

MODEL, CAPTURE, SOUND = "model", "capture", "sound"
DRAFT = "draft"  # a model that is being made: with a card, without a test vector
SCRIPT = "script"  # TorchScript, of which a model is made
LARGEST = {
    MODEL: 1 << 30,
    DRAFT: 1 << 30,
    SCRIPT: 1 << 30,
    CAPTURE: 64 << 20,
    SOUND: 1 << 40,
}  # bytes
SCRIPT_SECONDS, SCRIPT_WAIT = 300, 2000.0  # of a processor, and of patience
CPU_SECONDS = 20  # of a processor, what a small file may take
KNOWN = "hashes.json"  # beside the bundled files
_admitted: set[tuple[str, str]] = set()  # kind and content
_apart = Apart()


def admit(kind: str, path: Path, error: type[RestyleError], data: bytes | None = None) -> None:
    """Return if a file may be opened here; any thread may call.

    Parameters
    ----------
    kind : str
        :data:`MODEL`, :data:`DRAFT`, :data:`CAPTURE` or :data:`SOUND`.
    path : Path
    error : type
        What is raised where the file cannot be looked at, or took more than it may.
    data : bytes or None
        What the caller has read and will parse; None: the file as it is.

    Raises
    ------
    RestyleError
        What opening it in the helper raised, or that it took too much time or memory there.
    """
    if _apart.inside:
        return
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise error(f"{path.name} is not a file")
        if found.st_size > LARGEST[kind]:
            raise error(
                f"{path.name} has {found.st_size >> 20} MiB; a {kind} has at most"
                f" {LARGEST[kind] >> 20}"
            )
        content = content_hash(path) if data is None else hashlib.sha256(data).hexdigest()
    except OSError as problem:
        raise error(f"cannot read {path}: {problem.strerror}") from None
    if (kind, content) in _admitted or content in bundled():
        return
    verdict = recall(kind, content)
    if verdict is None:
        verdict = _looked(kind, path.absolute(), error)
        if verdict.content != content:
            raise error(f"{path.name} changed while it was being looked at; open it again")
        keep(kind, verdict)
    if not verdict.good:
        known = getattr(errors, verdict.error, None)
        known = known if isinstance(known, type) and issubclass(known, RestyleError) else error
        raise named(known(verdict.reason.replace(NAME, path.name)), path)
    _admitted.add((kind, content))


def unfold(path: Path, folder: Path) -> None:
    """Have the helper take a TorchScript file apart, and write what it made of it into a folder.

    Raises
    ------
    ModelError
        What running it there raised, or that it took too much time or memory.
    """
    if path.stat().st_size > LARGEST[SCRIPT]:
        raise ModelError(f"{path.name} has more than {LARGEST[SCRIPT] >> 20} MiB; a model has less")
    said = _apart.look(SCRIPT, path.absolute(), SCRIPT_SECONDS, folder, SCRIPT_WAIT)
    if not said.get("good"):
        raise ModelError(str(said.get("reason") or said.get("failed") or "it cannot be looked at"))


def read_file(path: Path) -> bytes:
    """The whole of a model file, where it is none too large.

    Raises
    ------
    ModelError
    """
    try:
        size = path.stat().st_size
        if size > LARGEST[MODEL]:
            raise ModelError(
                f"{path.name} has {size >> 20} MiB; a model has at most {LARGEST[MODEL] >> 20}"
            )
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {error.strerror}") from None


def _looked(kind: str, path: Path, error: type[RestyleError]) -> Verdict:
    """Have the helper look; only what depends on the content alone is a verdict.

    Raises
    ------
    RestyleError
        The helper could not look.
    """
    said = _apart.look(kind, path, CPU_SECONDS)
    if "content" not in said:
        raise error(f"{path.name}: {said.get('failed', 'it cannot be looked at')}")
    reason = str(said.get("reason", "")).replace(str(path), NAME).replace(path.name, NAME)
    return Verdict(str(said["content"]), bool(said["good"]), str(said.get("error", "")), reason)


@cache
def bundled() -> frozenset[str]:
    """Hashes of the files that come with restyle."""
    spec = importlib.util.find_spec("exported")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        try:
            return frozenset(json.loads((Path(folder) / KNOWN).read_text("utf-8")).values())
        except (OSError, ValueError, AttributeError):
            break
    return frozenset()


def inside() -> None:
    """Make this process the helper, which opens everything."""
    _apart.inside = True
