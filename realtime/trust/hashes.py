"""What a file holds, as one number: SHA-256 of its content, of a bundle's files in their order."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

PART = 1 << 20
Stamp = tuple[str, int, int, int, int]


def stamp(path: Path) -> Stamp:
    """What another content would change: path, size, both times and the number of the file.

    Raises
    ------
    OSError
    """
    found = path.stat()
    return str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def content_hash(path: Path) -> str:
    """The hash of a file, or of all files of a folder; a file that stays as it is is read once.

    Raises
    ------
    OSError
    """
    path = path.resolve()
    if not path.is_dir():
        return _hashed(stamp(path))
    whole = hashlib.sha256()
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            one = Path(folder) / name
            if one.is_file():
                whole.update(
                    f"{one.relative_to(path).as_posix()}\0{_hashed(stamp(one))}\n".encode()
                )
    return whole.hexdigest()


@lru_cache(maxsize=4096)
def _hashed(found: Stamp) -> str:
    digest = hashlib.sha256()
    left = found[1]  # a file that grows meanwhile is another
    with open(found[0], "rb") as file:
        while left > 0 and (part := file.read(min(PART, left))):
            digest.update(part)
            left -= len(part)
    return digest.hexdigest()
