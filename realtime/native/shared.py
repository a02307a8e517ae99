"""Shared memory that goes quietly.

Arrays that still look at it keep the mapping alive until they go themselves; Python's own class
complains of that on standard error.
"""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory


class Shared(SharedMemory):
    """A piece of shared memory that another process may open by its name."""

    def __del__(self) -> None:
        with suppress(BufferError, OSError, AttributeError):
            self.close()

    def release(self, unlink: bool) -> None:
        """Close it, and remove its name where this process made it."""
        with suppress(BufferError):
            self.close()
        if unlink:
            with suppress(FileNotFoundError):
                self.unlink()
