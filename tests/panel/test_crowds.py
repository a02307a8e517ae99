"""The panel is its owner's alone, and answers him whoever else is at the door."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import ControlError
from realtime.panel import idle
from realtime.panel.server import BACKLOG, PanelServer, PanelSettings, _bind
from realtime.session.sound import Sound, Stage

from .conftest import JSON, Desk
from .fake import fake


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PanelServer]:
    with PanelServer(fake(Sound((Stage(model="tube-amp"),)), tmp_path), port=0) as server:
        yield server


def knock(server: PanelServer, sent: bytes = b"") -> socket.socket:
    found = socket.create_connection(server.address, timeout=20)
    found.sendall(sent)
    return found


def owner(server: PanelServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def test_a_token_is_made_and_asked_for_on_this_machine_too(server: PanelServer) -> None:
    desk = Desk(None, None, server)
    assert server.token is not None and len(server.token) >= 32
    assert server.url == f"http://127.0.0.1:{desk.port}/?token={server.token}"
    for method, path in (
        ("GET", "/"),
        ("GET", "/api/state"),
        ("GET", "/api/recordings"),
        ("POST", "/api/recording"),
        ("PUT", "/api/bypass"),
        ("GET", "/api/openapi.json"),
    ):
        assert desk.ask(method, path, {} if method != "GET" else None).status == 401, path
    assert desk.ask("GET", "/api/state", headers=owner(server)).status == 200
    with pytest.raises(ControlError, match="must not be empty"):
        PanelSettings(token="").check()


def test_a_unix_socket_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "panel.sock"

    def state() -> int:
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request("GET", "/api/state", headers=JSON)
        status = connection.getresponse().status
        connection.close()
        return status

    console = fake(Sound((Stage(model="tube-amp"),)), tmp_path)
    with PanelServer(console, socket_path=path) as server:
        assert server.url == f"unix:{path}" and server.token is None
        assert path.stat().st_mode & 0o777 == 0o600
        assert state() == 200
        with pytest.raises(ControlError, match="another program listens there"):
            PanelServer(console, socket_path=path)
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as left:  # of a program that was killed
        left.bind(str(path))
    with PanelServer(console, socket_path=path):
        assert state() == 200
    path.write_text("a file of mine")
    with pytest.raises(ControlError):
        PanelServer(console, socket_path=path)
    assert path.read_text() == "a file of mine"


def test_a_crowd_keeps_the_owner_out_for_no_moment(server: PanelServer) -> None:
    head = f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1:{server.address[1]}\r\nX-Slow: ".encode()
    desk = Desk(None, None, server)
    mine = http.client.HTTPConnection(*server.address, timeout=20)
    mine.request("GET", "/api/state", headers=owner(server))  # one that stays open
    mine.getresponse().read()
    descriptors = len(os.listdir("/proc/self/fd"))
    with ExitStack() as crowd:
        for _ in range(250):
            crowd.enter_context(knock(server))
        for _ in range(50):
            crowd.enter_context(knock(server, head))
        assert desk.ask("GET", "/api/state", headers=owner(server)).status == 200
        mine.request("GET", "/api/state", headers=owner(server))
        assert mine.getresponse().status == 200
        end = time.monotonic() + 20
        while (held := len(os.listdir("/proc/self/fd")) - descriptors - 300) > 40:
            assert time.monotonic() < end, held
            time.sleep(0.05)
    mine.close()


def test_a_crowd_at_once_finds_room_to_wait(server: PanelServer) -> None:
    """A kernel without room lets whoever knocks try again only after a second, the owner, too."""
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    if most < 300:
        pytest.skip(f"this kernel lets {most} wait (net.core.somaxconn)")
    listening, port = _bind("127.0.0.1", 0)  # nobody lets in
    with listening, ExitStack() as crowd:
        for _ in range(290):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
    assert server._server.config.backlog == BACKLOG


def test_a_connection_asks_soon_and_again_or_is_closed(
    server: PanelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "REQUEST_SECONDS", 0.3)
    request = (
        f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1:{server.address[1]}\r\n"
        f"Authorization: Bearer {server.token}\r\n"
    ).encode()

    def closed(found: Any) -> bool:
        """Whether it is closed although something comes of it again and again."""
        try:
            for _ in range(600):
                found.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            return True
        return False

    with knock(server, b"") as silent:
        assert silent.recv(1) == b""
    with knock(server, request + b"X-Slow: ") as slow:
        assert closed(slow)
    with knock(server, request + b"\r\n") as again:
        assert b" 200 " in again.recv(65536)
        again.sendall(request + b"X-Slow: ")
        assert closed(again)


def test_who_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "REQUEST_SECONDS", 0.3)
    (tmp_path / "long.wav").write_bytes(bytes(64 << 20))
    with PanelServer(fake(Sound(), tmp_path), port=0) as server:
        with knock(server) as lazy:
            lazy.sendall(
                f"GET /api/recordings/long.wav HTTP/1.1\r\nHost: 127.0.0.1:{server.address[1]}\r\n"
                f"Authorization: Bearer {server.token}\r\n\r\n".encode()
            )
            connected, end = server._server.server_state.connections, time.monotonic() + 60
            while not connected:
                time.sleep(0.01)
            while connected:  # it reads not a byte
                assert time.monotonic() < end
                time.sleep(0.05)
            got = 0
            try:
                while part := lazy.recv(1 << 20):
                    got += len(part)
            except OSError:
                pass
            assert got < 64 << 20


def test_changes_that_take_long_keep_no_question_waiting(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def slow(*wanted: Any) -> None:
        begun.release()
        assert go_on.wait(60)

    monkeypatch.setattr(plain.console, "change_device", slow)
    body = {"input": "a", "output": "b"}
    asking = [
        threading.Thread(target=plain.ask, args=("PUT", "/api/device", body)) for _ in range(12)
    ]
    for thread in asking:
        thread.start()
    try:
        for _ in asking:  # all of them are under way, none is done
            assert begun.acquire(timeout=60)
        assert plain.get("/api/state")["style"] == "tube-amp"
    finally:
        go_on.set()
        for thread in asking:
            thread.join(60)
