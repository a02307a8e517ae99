"""A panel on a real host with a simulated card, and a client that speaks HTTP to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.sync.client import ClientConnection, connect

from realtime.audio_files import Clip
from realtime.models.catalog import find_model
from realtime.native import packed
from realtime.panel.server import OPEN, PanelServer
from realtime.session.operations import Load
from realtime.session.render import render
from realtime.session.sound import Sound, Stage

from ..signals import Array, noise

JSON = {"Content-Type": "application/json"}


def rendered(x: Array, model: str, **controls: float) -> Array:
    """What ``restyle render`` makes of ``x [channels, n]``."""
    from ..host.cards import RATE

    return render(Sound((Stage(model=model, parameters=controls),)), Clip(x, RATE)).samples


class Answer(NamedTuple):
    """What came back; `data` is the JSON, or the bytes of what is none."""

    status: int
    headers: Mapping[str, str]
    data: Any


class Desk:
    """A served panel, the host behind it, and requests to it."""

    def __init__(self, played: Any, console: Any, server: PanelServer) -> None:
        self.played, self.console, self.server = played, console, server
        self.host, self.port = getattr(played, "host", None), server.address[1]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body that is neither text nor bytes is sent as JSON."""
        data = body if isinstance(body, str | bytes | None) else json.dumps(body)
        sent = {**(JSON if method in ("POST", "PUT") else {}), **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            found, raw = dict(response.headers), response.read()
        finally:
            connection.close()
        plain = found.get("content-type", "").startswith("application/json")
        return Answer(response.status, found, json.loads(raw) if plain else raw)

    def get(self, path: str) -> Any:
        """The data of a GET that must succeed."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.data

    def open(self, path: str, **options: Any) -> ClientConnection:
        """A WebSocket, to be used in a with statement."""
        options = {"open_timeout": 20, "close_timeout": 0.5, "max_size": None, **options}
        found: ClientConnection = connect(f"ws://127.0.0.1:{self.port}{path}", **options)
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A panel over noise through an amplifier; one for all tests of a file."""
    from realtime.host.surface import HostSurface
    from realtime.panel.console import HostConsole

    from ..host.cards import RATE, playing

    folder = tmp_path_factory.mktemp("panel")
    x = noise(900 * RATE, level=0.3)  # a file's tests take minutes on a busy machine
    with playing(find_model("tube-amp"), x) as played:
        console = HostConsole(played.host, HostSurface(played.host), (), folder / "takes")
        with (
            console.midi,
            PanelServer(console, port=0, token=OPEN, counts=console.counts) as server,
        ):
            yield Desk(played, console, server)


@pytest.fixture
def plain(desk: Desk) -> Desk:
    """The same, set back to how it began."""
    host = desk.host
    for _ in range(5):  # a machine that is busy while a lane is chosen is given the worker's
        identity = host.new_identity()
        host.do(Load(Sound((Stage(model=str(find_model("tube-amp")), identity=identity),))))
        if host.stats()["lane"] == "inline" or not packed.fits():
            break
    return desk


@pytest.fixture(autouse=True)
def no_models_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
