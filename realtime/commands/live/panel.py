"""The panel of ``restyle live``: its options, and its start beside the sound."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ControlError
from ...panel.console import HostConsole
from ...panel.server import PORT, PanelServer, check_address, check_token
from ..common import err

__all__ = ["PORT", "PanelSettings", "serve_panel"]


@dataclass(frozen=True)
class PanelSettings:
    """Where the panel is served; see :class:`realtime.panel.server.PanelServer`."""

    host: str = "127.0.0.1"
    port: int = PORT
    token: str | None = None

    def check(self) -> PanelSettings:
        """Return it, or say what is wrong with it.

        Raises
        ------
        ControlError
        """
        check_address(self.host, self.port)
        check_token(self.token)
        return self


def serve_panel(
    stack: contextlib.ExitStack,
    settings: PanelSettings,
    console: HostConsole,
    tell: Callable[[str], None],
) -> None:
    """Serve the panel until `stack` closes and print where; without it the sound plays on."""
    try:
        server = PanelServer(
            console, settings.host, settings.port, settings.token, tell, console.counts
        )
    except ControlError as error:
        tell(str(error))
        return
    stack.enter_context(server)
    err.print(f"panel: {server.url}", highlight=False, markup=False, soft_wrap=True)
    if settings.host in ("0.0.0.0", "::"):
        err.print("from elsewhere, with this machine's address in numbers in place of that one")
