"""`/stream`: audio in, restyled audio out, for a game on the same machine."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import ControlError, RestyleError
from .console_protocol import Console, Pipe

MOST_STREAMS = 4
DEFAULTS = {"rate": 48_000, "channels": 1, "block": 64}
LIMITS = {"rate": (8_000, 192_000), "channels": (1, 8), "block": (1, 8192)}


def stream_socket(console: Console, counts: Counter[str]) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint; each connection has an engine and a thread of its own."""
    busy: set[WebSocket] = set()

    async def endpoint(socket: WebSocket) -> None:
        if len(busy) >= MOST_STREAMS:
            counts["refused_busy"] += 1
            await _end(socket, 1013, f"{MOST_STREAMS} streams play already; close one")
            return
        busy.add(socket)
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "restyle-stream")
        pipe: Pipe | None = None
        try:
            try:
                numbers, model = _query(socket)
                pipe = await loop.run_in_executor(
                    thread, lambda: console.open_pipe(**numbers, model=model)
                )
            except RestyleError as error:
                counts["refused_request"] += 1
                await _end(socket, 1008, str(error))
                return
            await socket.accept()
            await socket.send_text(json.dumps(pipe.hello()))
            await _trade(socket, pipe, thread, counts)
        finally:
            busy.discard(socket)
            if pipe is not None:
                await loop.run_in_executor(thread, pipe.close)
            thread.shutdown(wait=False)

    return endpoint


async def _trade(
    socket: WebSocket, pipe: Pipe, thread: ThreadPoolExecutor, counts: Counter[str]
) -> None:
    """A block in, a block out; whoever does not read is not read from."""
    loop = asyncio.get_running_loop()
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            try:
                if data is None:
                    raise ControlError("a stream takes binary messages: float32, interleaved")
                restyled = await loop.run_in_executor(thread, pipe.process, data)
            except RestyleError as error:
                counts["refused_message"] += 1
                await socket.close(1003, str(error)[:120])
                return
            await socket.send_bytes(restyled)


def _query(socket: WebSocket) -> tuple[dict[str, int], str | None]:
    """Rate, channels and block within their limits, and the model that was asked for."""
    given = socket.query_params
    for key in given:
        if key not in (*DEFAULTS, "model"):
            known = ", ".join((*DEFAULTS, "model"))
            raise ControlError(f"a stream takes {known}, got '{key[:40]}'")
    numbers = {}
    for key, default in DEFAULTS.items():
        text = given.get(key, str(default))
        low, high = LIMITS[key]
        if not (text.isascii() and text.isdigit() and len(text) < 8 and low <= int(text) <= high):
            raise ControlError(f"{key} must be within {low}..{high}, got '{text[:40]}'")
        numbers[key] = int(text)
    return numbers, given.get("model")


async def _end(socket: WebSocket, code: int, sentence: str) -> None:
    """Accept, say why not, and close: a browser shows no answer to a refused handshake."""
    await socket.accept()
    await socket.send_text(json.dumps({"error": sentence}))
    await socket.close(code, sentence[:120])
