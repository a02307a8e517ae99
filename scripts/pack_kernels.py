"""Compile what a wheel carries: ``python -m scripts.pack_kernels``, part of ``make wheel``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from realtime.native import packed
from realtime.native.cache import fingerprint


def main() -> int:
    """Compile for the kind of processor and put the result into the package."""
    kind = packed.target()
    if kind is None:
        sys.stdout.write("no kernels are packed for this kind of processor\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="restyle-kernels-") as folder:
        own = {"NUMBA_CPU_NAME": kind, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": folder}
        subprocess.run(
            [sys.executable, "-m", "realtime.cli", "doctor", "--warm"],
            env={**os.environ, **own},
            check=True,
        )
        into = packed.FOLDER / packed.name(fingerprint(packed.PACKAGE))
        count = packed.pack(Path(folder), into)
    size = sum(p.stat().st_size for p in into.rglob("*.*")) / 2**20
    sys.stdout.write(f"{count} kernels for {kind}, {size:.1f} MiB: {into.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
