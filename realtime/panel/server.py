"""The panel's server: a port, a thread, an event loop."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..controllers.address import ip_version
from ..errors import ControlError
from .console_protocol import Console

PORT = 8765
TRIES = 20  # ports tried after the one asked for
OPEN = ""  # a token that nobody has to show
BACKLOG = 2048  # that wait to be let in: of one too many the kernel is silent for a second
CONNECTIONS = 64  # at once; more are told to come again
LARGEST_MESSAGE = 8 * 8192 * 4  # of a stream: channels, samples, bytes
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class PanelSettings:
    """Where the panel is served; see :class:`PanelServer`."""

    host: str = "127.0.0.1"
    port: int = PORT
    token: str | None = None
    socket_path: Path | None = None

    def check(self) -> PanelSettings:
        """Return it, or say what is wrong with it.

        Raises
        ------
        ControlError
        """
        check_address(self.host, self.port)
        if self.token == OPEN:
            raise ControlError("--panel-token must not be empty; leave it out to get one made")
        check_token(self.token)
        if self.socket_path is not None and not hasattr(socket, "AF_UNIX"):
            raise ControlError("this system has no Unix sockets; leave --panel-socket out")
        return self


class PanelServer:
    """Serves the panel until closed.

    Parameters
    ----------
    console : Console
    host : str
        An address of this machine in numbers, or ``localhost``.
    port : int
        The next free one is taken where it is in use; 0 for any.
    token : str or None
        What clients must show; one is made where none is given.  :data:`OPEN` asks for none.
    tell : callable
        Takes a sentence for the person.
    counts : Counter, optional
        Where refusals are counted.
    socket_path : Path, optional
        A Unix socket that is served instead; only its owner may open it, so no token is asked for.

    Attributes
    ----------
    address : tuple of str and int
    token : str or None

    Raises
    ------
    ControlError
        No port can be had, or the packages are missing.
    """

    def __init__(
        self,
        console: Console,
        host: str = "127.0.0.1",
        port: int = PORT,
        token: str | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        counts: Counter[str] | None = None,
        socket_path: Path | None = None,
    ) -> None:
        try:
            import uvicorn

            from .app import make_app
            from .idle import Timely
        except ModuleNotFoundError as error:
            raise ControlError(
                f"the panel needs the package '{error.name}'; install it with:"
                " pip install starlette uvicorn websockets"
            ) from None
        self.counts: Counter[str] = Counter() if counts is None else counts
        check_token(token)
        self.path = socket_path
        if socket_path is not None:  # only its owner may open it
            token, host, self._socket, number = OPEN, "localhost", _bind_path(socket_path), 0
        else:
            token = secrets.token_urlsafe(24) if token is None else token
            self._socket, number = _bind(host, port)
        self.token = token or None
        self.address = (host, number)
        if port and number != port and socket_path is None:
            tell(f"port {port} is taken; the panel took {number}")
        app = make_app(console, host=host, port=number, token=self.token, counts=self.counts)
        for name in ("uvicorn.error", "asyncio"):  # a full table of files would fill a terminal
            quiet = logging.getLogger(name)
            quiet.addHandler(logging.NullHandler())
            quiet.propagate = False
        self._server: Any = uvicorn.Server(
            uvicorn.Config(
                app,
                http=Timely,
                ws="websockets-sansio",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,
                limit_concurrency=CONNECTIONS,
                backlog=BACKLOG,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=16 << 10,
            )
        )
        self._thread = threading.Thread(target=self._run, name="restyle-panel", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the page is, with the token where one is needed."""
        if self.path is not None:
            return f"unix:{self.path}"
        host, port = self.address
        shown = f"[{host}]" if ":" in host else host
        query = f"?token={self.token}" if self.token is not None else ""
        return f"http://{shown}:{port}/{query}"

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """End all connections and the thread."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._server.force_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> PanelServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_token(token: str | None) -> None:
    """Refuse a token that no header and no cookie could carry.

    Raises
    ------
    ControlError
    """
    if token is None or token == OPEN:
        return
    plain = all(c.isascii() and (c.isalnum() or c in "-_.~") for c in token)
    if not plain or not 8 <= len(token) <= 200:
        raise ControlError(
            "a panel token has 8 to 200 letters, digits or - _ . ~; leave it out to get one made"
        )


def check_address(host: str, port: int) -> int:
    """The version of the Internet Protocol of an address to listen on.

    Raises
    ------
    ControlError
        The address is no number, or there is no such port.
    """
    return ip_version(host, port, "the panel", "the panel's port")


def _bind_path(path: Path) -> socket.socket:
    """A Unix socket that only its owner may open; one that nobody listens to any more is replaced.

    Raises
    ------
    ControlError
    """
    opened = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX) as other:
                if other.connect_ex(str(path)) == 0:
                    raise OSError("another program listens there; choose another")
            path.unlink()
        before = os.umask(0o177)
        try:
            opened.bind(str(path))
        finally:
            os.umask(before)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        reason = error.strerror or str(error)
        raise ControlError(f"the panel cannot listen on {path} ({reason})") from None
    return opened


def _bind(host: str, port: int) -> tuple[socket.socket, int]:
    """An open socket and its port: the one asked for, or the next that is free."""
    version, reason = check_address(host, port), ""
    for number in [port] if port == 0 else range(port, min(port + TRIES, 65535) + 1):
        opened = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6)
        if sys.platform != "win32":  # there it would take a port from another program
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, number))
            opened.listen(BACKLOG)  # whoever comes before the loop runs, waits
        except OSError as error:
            opened.close()
            reason = error.strerror or str(error)
            continue
        return opened, int(opened.getsockname()[1])
    raise ControlError(f"the panel cannot listen on {host} port {port} ({reason}); choose another")
