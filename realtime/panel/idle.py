"""Connections that ask for nothing, ask slowly or do not read are closed.

They would take places and file descriptors from the one whom the panel belongs to.  Whoever has not
shown the token yet is one of few; where there are too many of them, the oldest goes, so that a
flood of connections keeps nobody out who asks at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from .guard import SHOWN

REQUEST_SECONDS = 10.0  # within which a connection has asked for something, and again after each
STUCK_LOOKS = 3  # such times without reading on: a client that takes nothing
UNKNOWN, UNKNOWN_OF_ONE = 32, 16  # connections without the token: in all, of one other machine


class Timely(H11Protocol):
    """An HTTP connection that has to ask soon, to read on, and to show the token."""

    _unknown: list[Timely] = []  # of this process's panel, the oldest first

    def connection_made(self, transport: Any) -> None:
        """Count from now, and let the oldest go where there are too many."""
        super().connection_made(transport)
        self._answered: Any = None
        self._drained, self._stuck = True, 0
        self._later = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._check)
        waiting = [c for c in self._unknown if c.is_waiting()]
        mine = [c for c in waiting if c.is_of(self) and not self.is_local()]
        for many, most in ((mine, UNKNOWN_OF_ONE), (waiting, UNKNOWN)):
            if len(many) >= most:
                many[0].transport.abort()
        self._unknown[:] = [c for c in waiting if not c.transport.is_closing()] + [self]

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._later.cancel()
        with suppress(ValueError):
            self._unknown.remove(self)
        super().connection_lost(exc)

    def is_waiting(self) -> bool:
        """Whether it is open, no WebSocket, and has not shown the token."""
        here = not self.transport.is_closing() and self.transport.get_protocol() is self
        return here and not (getattr(self, "scope", None) or {}).get(SHOWN)

    def is_of(self, other: Timely) -> bool:
        """Whether both are of one machine."""
        return bool(self.client and other.client and self.client[0] == other.client[0])

    def is_local(self) -> bool:
        """Whether it comes from this machine, where all have one address."""
        return not self.client or str(self.client[0]) in ("127.0.0.1", "::1")

    def resume_writing(self) -> None:
        """Take note that the client reads."""
        self._drained = True
        super().resume_writing()

    def pause_writing(self) -> None:
        """Take note that it has to."""
        self._drained = False
        super().pause_writing()

    def _check(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # gone, or a WebSocket by now
        cycle = self.cycle
        works = cycle is not None and not cycle.response_complete
        self._stuck = self._stuck + 1 if works and not self._drained else 0
        if self._stuck >= STUCK_LOOKS:
            self.transport.abort()
            return
        if not works and cycle is self._answered:  # nothing was asked since the last look
            self.transport.close()
            return
        self._answered = cycle
        self._later = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._check)
