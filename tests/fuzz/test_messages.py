"""Any message of the network or of a controller is done, or answered with a sentence."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.controllers.bindings import Bindings
from realtime.controllers.osc_meters import Subscriptions
from realtime.controllers.osc_packet import decode, encode
from realtime.controllers.osc_space import AddressSpace
from realtime.errors import ControlError, RestyleError
from realtime.panel.app import make_app
from realtime.panel.broadcast import Hub
from realtime.panel.live import _Client
from realtime.panel.routes import ROUTES
from realtime.parameters.mapping import MidiMapping
from realtime.presets.dry_surface import MemorySurface
from realtime.presets.format import Preset
from realtime.session.sound import Sound, Stage

from ..panel.fake import FakeConsole
from .ledger import tried
from .mutate import PLAIN, TEXTS, blobs, trees

FUZZ = settings(settings.get_profile("fuzz"))
SOUND = Sound((Stage(model="amp-blend", identity=1), Stage(effect="Reverb", identity=2)))
BODIES = (
    {"values": {"mix": 0.5, "warm": 0.2}},
    {"weights": {"warm": 1.0}},
    {"name": "tape"},
    {"on": True},
    {"stage": {"effect": "Delay", "mix": 0.3}, "index": 0},
    {"stage": {"group": [{"stage": [{"model": "tape"}]}]}, "group": 0, "branch": 0},
    {"index": 1},
    {"note": "x", "replace": True},
    {"trust": "0123"},
    {"input": "hw:0", "output": None, "block": 64},
    {"dry": True, "format": "wav"},
    {"parameter": "mix"},
)
LIVE = (
    {"type": "set", "values": {"mix": 0.5}},
    {"type": "blend", "weights": {"warm": 1}},
    {"type": "bypass", "on": True},
    {"type": "spectrogram", "on": True},
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> FakeConsole:
    return FakeConsole(SOUND, tmp_path_factory.mktemp("takes"))


async def answered(app: Any, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """Status and body of one request, without a network between."""
    sent: list[Any] = []
    given_body = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return given_body.pop() if given_body else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:1"), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"", "root_path": "", "headers": headers, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:])


@FUZZ
@given(
    route=st.sampled_from(ROUTES),
    name=st.sampled_from(TEXTS) | st.integers().map(str) | st.text(max_size=8),
    body=trees(*BODIES).map(lambda v: json.dumps(v).encode())
    | blobs(*(json.dumps(b).encode() for b in BODIES)),
)
@tried("HTTP requests")
def test_requests(console: FakeConsole, route: Any, name: str, body: bytes) -> None:
    path = route.path
    for key in ("name", "id", "parameter"):
        path = path.replace(f"{{{key}}}", name.encode("utf-8", "replace").decode())
    app = make_app(console)
    status, said = asyncio.run(answered(app, route.method, path, body))
    assert status < 500, (route.method, quote(path), body[:200], said)
    if status >= 400:
        assert "\n" not in json.loads(said)["error"]


class _Page:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send_text(self, text: str) -> None:
        self.sent.append(text)


@FUZZ
@given(message=trees(*LIVE).map(json.dumps) | st.text(max_size=200))
@tried("WebSocket messages")
def test_messages_of_a_page(console: FakeConsole, message: str) -> None:
    counts: Counter[str] = Counter()
    page: Any = _Page()

    async def told() -> None:
        await _Client(page, console, Hub(console, counts), counts)._do(message)

    try:
        asyncio.run(told())
    except RestyleError as error:
        assert str(error) and "\n" not in str(error)


@FUZZ
@given(data=blobs(encode("/restyle/param", ["mix", 0.5]), encode("/restyle/blend/warm", [1.0])))
@tried("OSC packets")
def test_osc_packets(data: bytes) -> None:
    try:
        decode(data)
    except ControlError as error:
        assert "\n" not in str(error)


@FUZZ
@given(
    address=st.sampled_from(
        ["mix", "param", "param/1.warm", "blend", "blend/warm", "stage/2/room_size", "stage/x",
         "style", "preset", "bypass", "params", "status", "meters/subscribe", "tuner", "x", ""]
    ),
    arguments=st.lists(PLAIN, max_size=4),
)  # fmt: skip
@tried("OSC messages")
def test_osc_messages(address: str, arguments: list[Any]) -> None:
    space = AddressSpace(MemorySurface(Preset(sound=SOUND)), Subscriptions())
    try:
        space.do(f"/restyle/{address}", arguments, ("127.0.0.1", 9))
    except RestyleError as error:
        assert str(error) and "\n" not in str(error)


def test_a_number_beyond_all_floats_is_a_sentence() -> None:
    space = AddressSpace(MemorySurface(Preset(sound=SOUND)), Subscriptions())
    with pytest.raises(ControlError, match="mix takes a number"):
        space.do("/restyle/mix", [10**400], ("127.0.0.1", 9))


@FUZZ
@given(messages=st.lists(st.lists(st.integers(0, 255), max_size=8), max_size=8))
@tried("MIDI messages")
def test_midi_messages(messages: list[list[int]], tmp_path_factory: Any) -> None:
    surface = MemorySurface(Preset(sound=SOUND))
    bindings = Bindings(surface, [MidiMapping(cc=7, parameter="mix")])
    for data in messages:
        bindings.feed(data)
    assert 0.0 <= surface.get("mix") <= 1.0


def test_the_folder_of_takes_is_as_it_was(console: FakeConsole) -> None:
    assert list(Path(console.recordings_folder()).iterdir()) == []
