"""Where compiled kernels are kept between runs.

Numba's on-disk cache notices when the file a function stands in changes, but not when one it
inlines does: a kernel compiled against yesterday's record layout would read the wrong memory.  The
cache folder is therefore named by a fingerprint of all sources with kernels in them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
KEPT = 4  # folders of other fingerprints


def fingerprint(folder: Path) -> str:
    """Hash name and content of every file below `folder` that has to do with Numba."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        if b"numba" in content:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def cache_home() -> Path:
    """``$XDG_CACHE_HOME/restyle``, by default below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "restyle"


def cache_root() -> Path:
    """Where the folders of kernels are."""
    return cache_home() / "kernels"


def is_cold() -> bool:
    """Whether no kernel has been compiled for these sources yet, so that the start will be slow."""
    folder = os.environ.get(VARIABLE)
    return folder is not None and not any(Path(folder).glob("*/*.nbi"))


def use_own_cache() -> None:
    """Point Numba at the folder for these sources, unless the user chose one."""
    if os.environ.get(VARIABLE):
        return
    try:
        root = cache_root()
        chosen = root / fingerprint(Path(__file__).parents[1])
        if not chosen.exists():
            chosen.mkdir(parents=True)
            old = sorted(root.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
            for folder in old[1 + KEPT :]:
                shutil.rmtree(folder, ignore_errors=True)
    except (OSError, RuntimeError):
        return  # no home or no permission: Numba falls back to its own places
    os.environ[VARIABLE] = str(chosen)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(chosen)
