"""The panel as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route as WebRoute
from starlette.routing import WebSocketRoute

from ..errors import ControlError, RestyleError, StreamError
from ..schema import read, read_json
from ..trust.consent import Untrusted
from . import fields
from .api_sound import File
from .broadcast import Hub
from .console_protocol import Console
from .fields import Conflict, NotFound
from .files import kind_of, page_files
from .guard import LARGEST_BODY, LARGEST_FILE, App, Guard
from .live import live_socket
from .openapi import describe
from .routes import ROUTES, Route
from .stream import stream_socket

CHANGES = 64  # that may wait at once
BODY_SECONDS = 10.0  # a body that trickles in for longer is refused
FILE_SECONDS = 120.0  # or a file
STATUS: dict[type[RestyleError], int] = {NotFound: 404, Conflict: 409, Untrusted: 409}
Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(
    console: Console,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    counts: Counter[str] | None = None,
) -> App:
    """Build the application.

    Parameters
    ----------
    console : Console
    host, port : str, int
        Where it is served; port 0 passes any.
    token : str or None
        What a client must show, where that is asked for.
    counts : Counter
        Refusals by kind.
    """
    counts = Counter() if counts is None else counts
    hub = Hub(console, counts)
    # a change may take long: as many as there may be connections wait in threads of their own, so
    # that whoever asks what plays is answered meanwhile
    changes = ThreadPoolExecutor(CHANGES, "restyle-change")
    routes = [
        *(
            WebRoute(r.path, _endpoint(r, console, counts, changes), methods=[r.method])
            for r in ROUTES
        ),
        WebRoute("/api/openapi.json", _description, methods=["GET"]),
        WebSocketRoute("/api/live", live_socket(console, hub, counts)),
        WebSocketRoute("/stream", stream_socket(console, counts)),
        WebRoute("/", _page, methods=["GET"]),
        WebRoute("/page/{name:path}", _page, methods=["GET"]),
    ]

    async def refused(request: Request, error: Exception) -> Response:
        counts["refused_request"] += 1
        return _plain_error(request, error)

    inner = Starlette(routes=routes, exception_handlers={HTTPException: refused})
    inner.router.redirect_slashes = False
    return Guard(inner, host, port, token, counts)


def _endpoint(route: Route, console: Console, counts: Counter[str], changes: Executor) -> Endpoint:
    pool = None if route.method == "GET" else changes

    async def endpoint(request: Request) -> Response:
        folder: Path | None = None
        try:
            body: Any = fields.Body()
            if route.file:
                folder = Path(tempfile.mkdtemp(prefix="restyle-import-"))
                body = await _file(request, folder)
            if route.body is not None:
                data = await _body(request)
                body = read(data, route.body, "the body", error=ControlError, table="an object")
            names = {k: str(v) for k, v in request.path_params.items()}
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(pool, route.call, console, names, body)
        except HTTPException as error:
            counts["refused_request"] += 1
            return _error(error.status_code, error.detail)
        except RestyleError as error:
            counts["refused_request"] += 1
            status = 503 if isinstance(error, StreamError) else STATUS.get(type(error), 400)
            if isinstance(error, Untrusted):
                asks = [a.what for a in error.asks]
                said = {"error": str(error), "asks": asks, "trust": error.token}
                return _Json(said, status_code=status)
            return _error(status, str(error))
        except Exception as error:  # a fault of ours: told, and the server goes on
            counts["failed"] += 1
            return _error(500, f"{route.method} {route.path} failed: {error!r}")
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        if isinstance(answer, File):
            return FileResponse(answer.path, media_type=answer.kind)
        return _Json(answer)

    return endpoint


async def _body(request: Request) -> Any:
    """The body's JSON; nothing sent is an empty object."""
    data = bytearray()
    async for part in _parts(request, "application/json", LARGEST_BODY, BODY_SECONDS):
        data += part
    return read_json(bytes(data), ControlError, "the body") if data else {}


async def _file(request: Request, folder: Path) -> fields.Upload:
    """The body as a file in `folder`, of the name that the path ends with."""
    name = Path(str(request.path_params["name"])).name
    if name in ("", ".", "..") or not name.isprintable() or len(name.encode()) > 120:
        raise HTTPException(400, "a file's name has 1 to 120 printable characters")
    upload = fields.Upload(folder / name)
    with upload.path.open("wb") as file:
        async for part in _parts(request, fields.BINARY, LARGEST_FILE, FILE_SECONDS):
            file.write(part)
    return upload


async def _parts(request: Request, wanted: str, most: int, seconds: float) -> AsyncIterator[bytes]:
    """A body as it comes, of one media type, within limits of size and time."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise HTTPException(415, f"send Content-Type: {wanted}")
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise HTTPException(413, f"a body has at most {most} bytes")
                yield part
    except TimeoutError:
        raise HTTPException(408, f"a body must arrive within {seconds:g} s") from None


class _Json(JSONResponse):
    def render(self, content: Any) -> bytes:
        text = json.dumps(content, allow_nan=False, ensure_ascii=False)
        return text.encode("utf-8", "replace")  # a file's name can be no UTF-8


def _error(status: int, sentence: str) -> Response:
    return _Json({"error": sentence}, status_code=status)


def _plain_error(request: Request, error: Exception) -> Response:
    """What no route answers."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = error.detail if isinstance(error, HTTPException) else ""
    path = request.url.path[:80]
    sentence = {
        "Not Found": f"there is no {path}; see /api/openapi.json",
        "Method Not Allowed": f"{path} does not take {request.method}; see /api/openapi.json",
    }.get(said, said or "the request cannot be answered")
    return _error(status, sentence)


async def _description(request: Request) -> Response:
    return _Json(describe())


async def _page(request: Request) -> Response:
    name = request.path_params.get("name", "index.html")
    path = page_files().get(name)
    if path is None:
        raise HTTPException(404, f"the page has no file '{name[:80]}'")
    return FileResponse(path, media_type=kind_of(path), headers={"Cache-Control": "no-cache"})
