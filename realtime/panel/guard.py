"""Who may ask: an ASGI layer around everything the panel serves.

Every account of a machine reaches its loopback addresses, so a token is asked for there, too.  The
Host header must name the bound address, or a page of another site could reach the panel by a name
of its own that resolves to this machine (DNS rebinding).  An Origin, when sent, must be the panel's
own.  The token comes as ``Authorization: Bearer``, as the cookie, or once as ``/?token=`` which
sets the cookie.  Refusals are counted.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 << 10
LARGEST_FILE = 256 << 20  # that may be imported
IMPORT = "/api/import/"
SHOWN = "restyle.shown"  # in a request's scope: it may ask
COOKIE = "restyle_panel_"  # and the port: cookies know no ports
LOCAL = ("127.0.0.1", "localhost", "::1")
HEADERS = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none';"
     b" form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)  # fmt: skip


class Guard:
    """Lets through what may ask; answers the rest with one sentence.

    Parameters
    ----------
    app : ASGI application
    host : str
        Address the server is bound to.
    port : int
        Its port; 0 passes every port (a server that has none, in tests).
    token : str or None
        What must be shown, where it is asked for.
    counts : Counter
        ``refused_host``, ``refused_origin``, ``refused_token``, ``refused_size``.
    """

    def __init__(
        self, app: App, host: str, port: int, token: str | None, counts: Counter[str]
    ) -> None:
        self._app, self._host, self._port, self._counts = app, host, port, counts
        self._token = None if token is None else token.encode()
        self._cookie = f"{COOKIE}{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one WebSocket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {k.lower(): v for k, v in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, kind, sentence = refusal
            self._counts[f"refused_{kind}"] += 1
            await refuse(scope, send, status, sentence)
            return
        scope[SHOWN] = True
        if self._is_login(scope):
            await _redirect(send, self._kept())
            return

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, sending)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_ours(host):
            return 403, "host", "the Host header does not name this panel's address"
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() != f"http://{host}".lower():
            return 403, "origin", "another site's page may not use this panel"
        length = headers.get(b"content-length", b"0")
        most = LARGEST_FILE if scope.get("path", "").startswith(IMPORT) else LARGEST_BODY
        if not length.isdigit() or len(length) > 12 or int(length) > most:
            return 413, "size", f"a body has at most {most} bytes"
        if self._token is not None and not self._is_login(scope):
            if not hmac.compare_digest(_shown_token(headers, self._cookie), self._token):
                return 401, "token", "show the token the program printed: Authorization: Bearer …"
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a Host header names the address the server is bound to."""
        name, _, port = host.rpartition(":")
        if not name or host.endswith("]"):
            name, port = host, "80"
        if self._port and port != str(self._port):
            return False
        name = name.removeprefix("[").removesuffix("]").lower()
        if name == self._host.lower():
            return True
        if self._host in LOCAL:
            return name in LOCAL
        return name == "localhost" or _is_number(name)  # a number is no name to be rebound

    def _is_login(self, scope: Scope) -> bool:
        if self._token is None or scope["type"] != "http" or scope["path"] != "/":
            return False
        shown = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        return hmac.compare_digest(shown.encode(), self._token)

    def _kept(self) -> bytes:
        assert self._token is not None
        cookie = f"{self._cookie}={self._token.decode()}; HttpOnly; SameSite=Strict; Path=/"
        return cookie.encode("latin-1")


def _shown_token(headers: dict[bytes, bytes], cookie: str) -> bytes:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return token.strip()
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(cookie)
    except CookieError:
        return b""
    return found.value.encode("latin-1", "replace") if found is not None else b""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Answer a request or a WebSocket's handshake with an error."""
    begin = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    if scope["type"] == "websocket" and begin not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *HEADERS]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{begin}.start", "status": status, "headers": headers})
    await send({"type": f"{begin}.body", "body": body})


async def _redirect(send: Send, cookie: bytes) -> None:
    """Keep the token in a cookie and take it out of the address."""
    headers = [(b"location", b"/"), (b"set-cookie", cookie), (b"content-length", b"0"), *HEADERS]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
