"""A child process and the two threads that carry messages to it and from it.

The threads only carry: whoever starts a child gets its messages handed over, the last of them
``("gone",)``, and never waits for a child that does not read.
"""

from __future__ import annotations

import multiprocessing
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from ..signals import held_back
from .permissions import raise_this_thread

Message = tuple[Any, ...]
CONTEXT: Any = multiprocessing.get_context("spawn")  # how a process is started, and its pipe made


class Child:
    """A spawned process with a pipe.

    Parameters
    ----------
    target : callable
        Called in the process with the arguments and its end of the pipe; of a module's top level.
    arguments : tuple
    name : str
    heard : callable
        Takes each message, in a thread of this object's.

    Raises
    ------
    OSError, RuntimeError
        No process, pipe or thread can be had.
    """

    def __init__(
        self,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        name: str,
        heard: Callable[[Message], None],
    ) -> None:
        self._heard = heard
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(
            target=target, args=(*arguments, theirs), name=name, daemon=True
        )
        try:
            with held_back():
                self.process.start()
        except BaseException:  # what was held back comes when it has started
            self._pipe.close()
            if self.process.pid:
                self.process.kill()
            raise
        finally:
            theirs.close()
        try:
            for run in (self._read, self._write):
                threading.Thread(target=run, name=f"{name}-{run.__name__}", daemon=True).start()
        except BaseException:
            self.process.kill()
            raise

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid or 0

    def send(self, message: Message) -> None:
        """Have a message sent; it is lost when the child is gone."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End the process at once; ``("gone",)`` comes when it has ended."""
        self.process.kill()

    def _read(self) -> None:
        pipe: Connection = self._pipe
        raise_this_thread()
        try:
            while True:
                wait([pipe, self.process.sentinel])
                if not pipe.poll():
                    break
                self._heard(pipe.recv())
        except Exception:  # it has closed the pipe, or sends what nobody understands
            pass
        with suppress(Exception):
            self.process.kill()
            self.process.join(10.0)
        self._outbox.put(None)
        self._heard(("gone",))

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self._pipe.send(message)
            except (OSError, ValueError):  # it reads no more; the other thread tells
                break
            except Exception:  # what cannot be sent is an answer nobody gets
                continue
        with suppress(Exception):
            self._pipe.close()


def processor_ns(pid: int) -> int:
    """Processor time of another process so far [ns]; 0 where the system does not tell."""
    if sys.platform != "linux" or not pid:
        return 0
    try:
        return time.clock_gettime_ns(~pid << 3 | 2)  # as clock_getcpuclockid(3) has it
    except OSError:  # it has ended
        return 0
