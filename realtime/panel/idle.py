"""Connections that ask for nothing are closed: they would take places and file descriptors."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0  # within which a new connection has asked for something


class Timely(H11Protocol):
    """An HTTP connection that has to begin with a request soon."""

    def connection_made(self, transport: Any) -> None:
        """Count from now."""
        super().connection_made(transport)
        asyncio.get_running_loop().call_later(REQUEST_SECONDS, self._check)

    def _check(self) -> None:
        upgraded = self.transport.get_protocol() is not self
        if self.cycle is None and not upgraded and not self.transport.is_closing():
            self.transport.close()
