"""Memory that several processes see, and that goes when the last of them goes.

On Linux it is an anonymous file (``memfd_create``): it lies in no folder, so a small ``/dev/shm``
does not limit it and nothing is left behind however the processes end.  Others open it through the
owner's ``/proc`` entry.  Elsewhere it is the system's named shared memory.
"""

from __future__ import annotations

import errno
import mmap
import os
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory

from ..errors import ConfigError


class _Quiet(SharedMemory):
    """Python's own class complains on standard error of arrays that outlive it."""

    def __del__(self) -> None:
        with suppress(BufferError, OSError, AttributeError):
            self.close()


class Shared:
    """A piece of zeroed memory that another process of the same person may open by its name.

    Parameters
    ----------
    name : str, optional
        Of memory that another process made; without it, new memory is made and owned.
    size : int [bytes]
        Of new memory.

    Attributes
    ----------
    name : str
    buf : memoryview
        Arrays over it keep it mapped until they go themselves.

    Raises
    ------
    ConfigError
        There is not so much memory.
    OSError
        There is no memory of that name.
    """

    def __init__(self, name: str | None = None, size: int = 0) -> None:
        self._named: SharedMemory | None = None
        self._file, self._owner = -1, name is None
        if name is None:
            try:
                self._make(size)
            except OSError as error:
                self.release()
                raise ConfigError(_too_little(size, error)) from None
        elif name.startswith("/proc/"):
            opened = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            try:
                self.name, self.buf = name, _map(opened, os.fstat(opened).st_size)
            finally:
                os.close(opened)
        else:
            self._named = _Quiet(name)
            self.name, self.buf = self._named.name, _buffer(self._named)

    def _make(self, size: int) -> None:
        if _has_anonymous_files():
            self._file = os.memfd_create("restyle", os.MFD_CLOEXEC)
            os.ftruncate(self._file, size)
            self.name = f"/proc/{os.getpid()}/fd/{self._file}"
            self.buf = _map(self._file, size)
            return
        self._named = _Quiet(create=True, size=size)
        self.name, self.buf = self._named.name, _buffer(self._named)
        if hasattr(os, "posix_fallocate"):  # say now that it is full, not by a SIGBUS later
            _reserve(self._named, size)

    def release(self) -> None:
        """Let go of it: the owner takes its name away; what is mapped stays readable."""
        opened, self._file = self._file, -1
        if opened >= 0:
            os.close(opened)
        named, self._named = self._named, None
        if named is not None:
            if self._owner:
                with suppress(OSError):
                    named.unlink()
            with suppress(BufferError):
                named.close()

    def __del__(self) -> None:
        opened, self._file = getattr(self, "_file", -1), -1
        if opened >= 0:
            with suppress(OSError):
                os.close(opened)


def _has_anonymous_files() -> bool:
    """Whether other processes can open an anonymous file of this one."""
    if not hasattr(os, "memfd_create"):
        return False
    try:
        return os.stat(f"/proc/{os.getpid()}/fd").st_uid == os.geteuid()
    except OSError:
        return False


def _map(opened: int, size: int) -> memoryview:
    return memoryview(mmap.mmap(opened, size))


def _buffer(named: SharedMemory) -> memoryview:
    assert named.buf is not None
    return named.buf


def _reserve(named: SharedMemory, size: int) -> None:
    path = f"/dev/shm/{named.name}"
    if not os.path.exists(path):
        return
    opened = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(opened, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.ENOMEM):
            raise
    finally:
        os.close(opened)


def _too_little(size: int, error: OSError) -> str:
    return (
        f"there is no shared memory of {-(-size >> 20)} MiB ({error.strerror}); a container is"
        " given more by --shm-size, a system by a larger /dev/shm"
    )
