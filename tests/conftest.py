"""What all tests share: fresh machine code and no surprise between runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _kernel_digest() -> str:
    """Digest of every source file with a Numba kernel."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "realtime").rglob("*.py")):
        text = path.read_bytes()
        if b"numba" in text:
            digest.update(path.name.encode() + text)
    return digest.hexdigest()[:16]


# Numba's disk cache looks at a function's own file only: a kernel that inlines another file's
# kernel would stay stale after an edit there.  A folder per state of the sources cannot be stale.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba" / _kernel_digest()))
