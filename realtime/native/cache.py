"""Where compiled kernels are kept between runs, and how several processes share them.

Numba's on-disk cache notices when the file a function stands in changes, but not when one it
inlines does: a kernel compiled against yesterday's record layout would read the wrong memory.  The
cache folder is therefore named by a fingerprint of all sources with kernels in them.

Two things are added to Numba's own cache by :func:`share_kernels`: a damaged entry (a full disk
leaves empty files) is compiled afresh, and of several processes that need a kernel at once one
compiles while the others wait for it.  The lock is the system's own and goes with its holder.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from . import packed

VARIABLE = "NUMBA_CACHE_DIR"
OWN_KERNELS = "RESTYLE_OWN_KERNELS"  # set: those of the wheel are not used
KEPT = 4  # folders of other fingerprints
LOCK_SECONDS = 120.0  # then a process compiles for itself
_POLL_SECONDS = 0.02
_KERNEL = re.compile(rb"^@(?:njit|cfunc)\(((?!inline).)*cache=True", re.MULTILINE)


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
    if folder is None or any(Path(folder).glob("*/*.nbi")):
        return False
    return packed.folder() is None


def private_folder(path: Path) -> bool:
    """Make a folder that is this user's alone; whether it is."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
    except (OSError, RuntimeError):
        return False
    if sys.platform == "win32":
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def use_own_cache() -> None:
    """Point Numba at the folder for these sources, unless the user chose one.

    Compiled code is believed where only this user can write; where there is no such folder, as
    without a home, one is made for this run.  Numba's own choice would be the install folder.
    """
    if os.environ.get(VARIABLE):
        return
    try:
        chosen = _private_cache(cache_root())
    except (OSError, RuntimeError):
        chosen = None
    if chosen is None:
        try:
            chosen = Path(tempfile.mkdtemp(prefix="restyle-kernels-"))
        except OSError:
            return
        atexit.register(shutil.rmtree, chosen, ignore_errors=True)
    os.environ[VARIABLE] = str(chosen)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(chosen)


def _private_cache(root: Path) -> Path | None:
    """The folder of these sources below `root`; None where others can write to it.

    One that is this user's, but open to others, is closed, and what is in it is not believed.

    Raises
    ------
    OSError
    """
    chosen = root / fingerprint(Path(__file__).parents[1])
    for folder in (root, chosen):
        if not private_folder(folder) and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
        if not private_folder(folder):
            return None
    if not any(chosen.iterdir()):
        old = sorted(root.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
        for folder in old[1 + KEPT :]:
            shutil.rmtree(folder, ignore_errors=True)
    return chosen if os.access(chosen, os.W_OK) else None


# -- progress ----------

Watcher = Callable[[str], None]
_watchers: list[Watcher] = []
_compiled = 0


@cache
def kernels() -> int:
    """How many kernels the sources hold: about what a first start compiles."""
    folder = Path(__file__).parents[1]
    return sum(len(_KERNEL.findall(p.read_bytes())) for p in folder.rglob("*.py"))


@contextmanager
def watched(tell: Watcher) -> Iterator[None]:
    """Tell of each kernel that is compiled, or waited for, meanwhile."""
    _watchers.append(tell)
    try:
        yield
    finally:
        _watchers.remove(tell)


def _tell(text: str) -> None:
    for watcher in _watchers:
        with suppress(Exception):  # a kernel is compiled whoever looks on
            watcher(text)


# -- sharing ----------


class _Lock:
    """The system's lock on a file; it goes with the process that holds it."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Take it if nobody has it."""
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give it back."""
        os.close(self._file)


class _Held(threading.local):
    """The locks of kernels that this thread compiles, by the path of the kernel's index."""

    def __init__(self) -> None:
        self.locks: dict[str, _Lock] = {}


_held = _Held()


def share_kernels() -> None:
    """Make Numba's cache as the head of this file says; once in a process."""
    from numba.core import event
    from numba.core.caching import Cache

    if hasattr(Cache, "restyle"):
        return
    load, save = Cache.load_overload, Cache.save_overload

    def sound(self: Any, sig: Any, target: Any) -> Any:
        """What is kept of a kernel; a damaged entry counts as none."""
        try:
            return load(self, sig, target)
        except Exception:  # whatever a damaged pickle raises
            with suppress(OSError):
                os.unlink(self._cache_file._index_path)
            return None

    def packed_kernel(self: Any, sig: Any, target: Any) -> Any:
        if os.environ.get(OWN_KERNELS):
            return None
        with suppress(Exception):  # as above: it is compiled
            return packed.load(self, sig, target)
        return None

    def load_overload(self: Any, sig: Any, target: Any) -> Any:
        found = sound(self, sig, target)
        path = str(self._cache_file._index_path)
        if found is None and path not in _held.locks:
            found = packed_kernel(self, sig, target)
        if found is not None or path in _held.locks:
            return found
        lock = _take(path, self._py_func.__name__)
        if lock is None:
            return None
        found = sound(self, sig, target)  # another process may have compiled it meanwhile
        if found is not None:
            lock.close()
        else:
            _held.locks[path] = lock
            _count(self._py_func.__name__)
        return found

    def save_overload(self: Any, sig: Any, data: Any) -> None:
        path = str(self._cache_file._index_path)
        try:
            save(self, sig, data)
        except OSError:  # a full disk: it is compiled again next time
            with suppress(OSError):
                os.unlink(path)
        finally:
            _give_back(path)

    class Failed(event.Listener):  # type: ignore[misc]
        """Gives the lock of a kernel back that cannot be compiled."""

        def on_start(self, event: Any) -> None:
            pass

        def on_end(self, event: Any) -> None:
            if (event._exc_details or (None,))[0] is not None:  # is_failed tells the contrary
                cache = getattr(event.data["dispatcher"], "_cache", None)
                if isinstance(cache, Cache):
                    _give_back(str(cache._cache_file._index_path))

    Cache.load_overload, Cache.save_overload, Cache.restyle = load_overload, save_overload, True
    event.register("numba:compile", Failed())


def _take(path: str, name: str) -> _Lock | None:
    """The lock of a kernel; None where it cannot be had, and everybody compiles for himself."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lock = _Lock(f"{path}.lock")
    except OSError:
        return None
    end, told = time.monotonic() + LOCK_SECONDS, 0.0
    while not lock.take():
        now = time.monotonic()
        if now > end:
            lock.close()
            return None
        if now - told > 1.0:
            told = now
            _tell(f"another restyle compiles '{name}'; waiting for it")
        time.sleep(_POLL_SECONDS)
    return lock


def _count(name: str) -> None:
    global _compiled
    _compiled += 1
    if _watchers:
        _tell(f"compiling kernel {_compiled} of at most {max(_compiled, kernels())}: {name}")


def _give_back(path: str) -> None:
    lock = _held.locks.pop(path, None)
    if lock is not None:
        lock.close()
