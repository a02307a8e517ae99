"""`/api/live`: meters, spectrogram and changes to the page; knobs from it.

A connection that reads slowly misses meters, not changes; one that sends too fast is read more
slowly, which its own sending feels and nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import ControlError, RestyleError
from ..schema import read, read_json
from .api_sound import set_values
from .broadcast import Frame, Hub
from .console_protocol import Console
from .fields import Body, Flag, Values, Weights

LARGEST_MESSAGE = 16 << 10
RATE, BURST = 240.0, 120.0  # messages a second, and at once
MOST_CLIENTS = 32
MESSAGES: dict[str, type[Body]] = {
    "set": Values,
    "blend": Weights,
    "bypass": Flag,
    "spectrogram": Flag,
}


def live_socket(
    console: Console, hub: Hub, counts: Counter[str]
) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint."""

    async def endpoint(socket: WebSocket) -> None:
        if hub.clients >= MOST_CLIENTS:
            counts["refused_busy"] += 1
            await socket.close(1013)
            return
        await socket.accept()
        client = _Client(socket, console, hub, counts)
        hub.join()
        tasks = [asyncio.create_task(client.read()), asyncio.create_task(client.write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            hub.leave(client.watching)

    return endpoint


class _Client:
    """One connection."""

    def __init__(self, socket: WebSocket, console: Console, hub: Hub, counts: Counter[str]) -> None:
        self._socket, self._console, self._hub, self._counts = socket, console, hub, counts
        self.watching = False
        self._tokens, self._then = BURST, time.monotonic()

    # -- to the page ----------------------------------------------------------------------------

    async def write(self) -> None:
        """Send what there is, as fast as it is read."""
        number, state, midi = 0, None, self._console.midi.changes
        while True:
            frame: Frame = await self._hub.next(number)
            number = frame.number
            if frame.state is not state:
                message = difference(state, frame.state)
                state = frame.state
                if message is not None:
                    await self._send(message)
            if frame.midi_changes != midi:
                midi = frame.midi_changes
                found = await asyncio.to_thread(self._console.midi.state)
                await self._send({"type": "midi", **found})
            await self._socket.send_text(frame.meters)
            if self.watching and frame.columns:
                await self._socket.send_bytes(frame.columns)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message, allow_nan=False, ensure_ascii=False))

    # -- from the page --------------------------------------------------------------------------

    async def read(self) -> None:
        """Do what is asked until the connection ends."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                if text is None or len(text) > LARGEST_MESSAGE:
                    self._counts["refused_message"] += 1
                    await self._socket.close(1009 if text else 1003)
                    return
                try:
                    await self._do(text)
                except RestyleError as error:
                    self._counts["refused_message"] += 1
                    await self._send({"type": "error", "error": str(error)})
                except Exception as error:  # a fault of ours: told, and the connection goes on
                    self._counts["failed"] += 1
                    await self._send({"type": "error", "error": f"this failed: {error!r}"})
                await self._hold_back()

    async def _do(self, text: str) -> None:
        data = read_json(text, ControlError, "the message")
        kind = data.pop("type", None) if isinstance(data, dict) else None
        if not isinstance(kind, str) or kind not in MESSAGES:
            raise ControlError(f"a message's type is one of {', '.join(MESSAGES)}")
        body = read(data, MESSAGES[kind], "the message", error=ControlError, table="an object")
        if kind == "spectrogram" and isinstance(body, Flag):
            self._hub.watchers += int(body.on) - int(self.watching)
            self.watching = body.on
        else:
            await asyncio.to_thread(self._turn, body)

    def _turn(self, body: Body) -> None:
        surface = self._console.surface
        match body:
            case Values():
                set_values(surface, body.values)
            case Weights():
                surface.blend(body.weights)
            case Flag():
                surface.bypass(body.on)

    async def _hold_back(self) -> None:
        """Wait where messages come faster than :data:`RATE`; the network holds the rest back."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._then) * RATE) - 1.0
        self._then = now
        if self._tokens < 0.0:
            self._counts["throttled"] += 1
            await asyncio.sleep(-self._tokens / RATE)


def difference(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any] | None:
    """The message that brings a page from one state to another; None where they are equal."""
    whole = {"type": "state", "state": new}
    if old is None:
        return whole
    if _still(old) != _still(new):
        return whole
    before = {p["name"]: p["value"] for p in old["parameters"]}
    after = {p["name"]: p["value"] for p in new["parameters"]}
    changed = {name: value for name, value in after.items() if before[name] != value}
    return {"type": "values", "values": changed} if changed else None


def _still(state: dict[str, Any]) -> dict[str, Any]:
    """A state without what moves by itself or is sent as a value."""
    names = [{k: v for k, v in p.items() if k != "value"} for p in state["parameters"]]
    recording = state["recording"] and state["recording"]["name"]
    path = _without_values(state["path"])
    return {**state, "parameters": names, "path": path, "recording": recording, "panel": None}


def _without_values(path: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stages without bypass and mix, which are parameters, too."""
    found = []
    for stage in path:
        group = stage["group"] and [
            {**b, "stages": _without_values(b["stages"])} for b in stage["group"]
        ]
        found.append({**stage, "bypass": None, "mix": None, "group": group})
    return found
