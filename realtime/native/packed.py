"""Kernels compiled beforehand, in the wheel: the first start need not wait for a compiler.

A wheel made by ``make wheel`` holds what :mod:`realtime.native.cache` keeps on the disk, compiled
for any processor of a kind (x86-64 with AVX2: ``x86-64-v3``).  A kernel is taken from there where
this machine has none of its own; ``restyle doctor --warm`` makes those.  The folder is named for
sources, Python, Numba and kind of processor: those of another are left alone.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import shutil
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "kernels"
# what each kind of processor is called by LLVM, and what it must have
KINDS = {
    "x86_64": (
        "x86-64-v3",
        ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2"),
    )
}
LEFT_OUT = ("nam",)  # folders whose kernels are written for the registers of the machine
_STAMP, _ANY_PROCESSOR = "packed", None


def target() -> str | None:
    """LLVM's name of the processors that kernels are packed for here; None where they are not."""
    found = KINDS.get(platform.machine().replace("AMD64", "x86_64"))
    return found[0] if found else None


def name(sources: str) -> str:
    """The folder's name for sources of this fingerprint, this Python and Numba."""
    versions = "-".join(metadata.version(n) for n in ("numba", "llvmlite"))
    python = f"{sys.implementation.cache_tag}-{sys.platform}"
    return f"{sources}-{python}-{target()}-{versions}"


@cache
def folder() -> Path | None:
    """Where kernels lie that fit; None where there are none.

    One that ``NUMBA_CPU_NAME`` names is compiled for.
    """
    from .cache import fingerprint

    if target() is None or not FOLDER.is_dir() or os.environ.get("NUMBA_CPU_NAME"):
        return None
    chosen = FOLDER / name(fingerprint(PACKAGE))
    return chosen if chosen.is_dir() else None


@cache
def fits() -> bool:
    """Whether this processor has what packed kernels need."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    kind = KINDS.get(platform.machine().replace("AMD64", "x86_64"))
    return kind is not None and all(features.get(f) for f in kind[1])


def load(of: Any, signature: Any, context: Any) -> Any:
    """A kernel from the wheel, for ``numba.core.caching.Cache`` `of`; None where there is none."""
    where = folder()
    if where is None or not fits():
        return None
    from numba.core.caching import IndexDataCacheFile

    source = Path(of._py_func.__code__.co_filename)
    if not source.is_relative_to(PACKAGE):
        return None
    kept = where / source.parent.relative_to(PACKAGE)
    own, _, hashes = of._index_key(signature, context.codegen())
    file = IndexDataCacheFile(str(kept), of._impl.filename_base, _STAMP)
    data = file.load((own, _ANY_PROCESSOR, hashes))
    return None if data is None else of._impl.rebuild(context, data)


def pack(kept: Path, into: Path) -> int:
    """Copy what is kept in a cache folder to a folder of the package's; how many kernels.

    Parameters
    ----------
    kept : Path
        ``NUMBA_CACHE_DIR`` of processes that ran with ``NUMBA_CPU_NAME`` of :func:`target`.
    into : Path
        Replaced.
    """
    from numba.core.caching import IndexDataCacheFile

    shutil.rmtree(into, ignore_errors=True)
    count = 0
    for source in sorted({p.parent for p in PACKAGE.rglob("*.py")}):
        place = source.relative_to(PACKAGE)
        if any(part in LEFT_OUT for part in place.parts):
            continue
        hashed = hashlib.sha1(str(source).encode()).hexdigest()  # Numba's name of its folder
        for index in sorted((kept / f"{source.name}_{hashed}").glob("*.nbi")):
            with index.open("rb") as opened:
                pickle.load(opened)  # Numba's version
                _, entries = pickle.loads(opened.read())
            (into / place).mkdir(parents=True, exist_ok=True)
            file = IndexDataCacheFile(str(into / place), index.stem, _STAMP)
            for (own, _, hashes), data in entries.items():
                kernel = pickle.loads((index.parent / data).read_bytes())
                file.save((own, _ANY_PROCESSOR, hashes), kernel)
                count += 1
    return count
