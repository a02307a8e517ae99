"""What may not ask is refused in one sentence and counted; the sound goes on as it was."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from realtime.errors import ControlError
from realtime.panel import live
from realtime.panel.server import OPEN, PanelServer, check_token

from .conftest import Desk


def test_only_our_address_and_our_page_may_ask(plain: Desk) -> None:
    port, counts = plain.port, plain.console.counts
    before = counts.total()
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://127.0.0.1:{port}"},
    ):
        answer = plain.ask("PUT", "/api/bypass", {"on": True}, headers)
        assert (answer.status, list(answer.data)) == (403, ["error"]), headers
    assert counts.total() - before == 7
    assert not plain.host.setup.sound.bypass
    for good in ({"Origin": f"http://127.0.0.1:{port}"}, {"Host": f"localhost:{port}"}):
        assert plain.ask("PUT", "/api/bypass", {"on": False}, good).status == 200
    for path in ("/api/live", "/stream"):
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            with pytest.raises(InvalidStatus), plain.open(path, additional_headers=headers):
                pass


def test_bodies_are_small_json_or_refused(plain: Desk) -> None:
    for body, status, says in (
        ("{", 400, "not valid JSON"),
        ("[" * 60_000, 400, "nested"),
        ("NaN", 400, "not valid JSON"),
        ('{"on": NaN}', 400, "not valid JSON"),
        (b'{"on": "\xff"}', 400, "not valid JSON"),
        ("[]", 400, "must be an object"),
        ('{"on": 1}', 400, "true or false"),
        ('{"on": true, "off": 1}', 400, "unknown key 'off'"),
        ("{}", 400, "needs on"),
        (b" " * 70_000, 413, "65536 bytes"),
    ):
        answer = plain.ask("PUT", "/api/bypass", body)
        assert answer.status == status and says in answer.data["error"], (body[:20], answer)
    assert (
        plain.ask("PUT", "/api/bypass", {"on": True}, {"Content-Type": "text/plain"}).status == 415
    )
    assert plain.ask("POST", "/api/bypass", {"on": True}).status == 405
    assert plain.ask("GET", "/api/nothing").status == 404
    assert not plain.host.setup.sound.bypass


def test_a_body_without_a_length_is_bounded_too(plain: Desk) -> None:
    with socket.create_connection(("127.0.0.1", plain.port), timeout=20) as raw:
        head = f"PUT /api/bypass HTTP/1.1\r\nHost: 127.0.0.1:{plain.port}\r\n"
        raw.sendall(
            (head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        )
        answer = b""
        try:
            for _ in range(200):
                raw.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        except OSError:
            pass  # it has hung up already
        raw.settimeout(5)
        try:
            answer = raw.recv(4096)
        except OSError:
            return
        assert b" 413 " in answer.split(b"\r\n")[0]


def test_paths_never_reach_the_file_system(plain: Desk) -> None:
    for path in (
        "/page/../server.py",
        "/page/..%2fserver.py",
        "/page/%2e%2e/server.py",
        "/page/",
        "/page/..%5cserver.py",
        "/page//etc/passwd",
        "/page/%00",
        "/api/models/..%2f..%2fx/sample",
        "/api/presets/..%2fx/load",
    ):
        method = "POST" if path.endswith("load") else "GET"
        answer = plain.ask(method, path)
        assert answer.status in (400, 404) and "error" in answer.data, path
    assert plain.ask("PUT", "/api/model", {"name": "../exported/tape.onnx"}).status == 400
    assert plain.ask("PUT", "/api/model", {"name": "exported/tape.onnx"}).status == 400
    assert plain.host.view.style == "tube-amp"


def test_the_page_comes_with_its_type_and_a_policy(plain: Desk) -> None:
    for path in ("/", "/page/index.html"):
        page = plain.ask("GET", path)
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"


def test_a_flood_of_messages_slows_its_sender_and_nobody_else(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RATE", 20.0)  # a busy server may do less than it allows
    monkeypatch.setattr(live, "BURST", 10.0)
    message = json.dumps({"type": "set", "values": {"mix": 1.0}})
    before, throttled = plain.played.tape.position, plain.console.counts["throttled"]
    begin = time.monotonic()
    with plain.open("/api/live") as ws:
        ws.socket.settimeout(0.25)
        sent = 0
        try:
            while sent < 10_000:
                ws.send(message)
                sent += 1
        except (OSError, ConnectionClosed):
            pass  # held back: nothing takes it any more
        assert plain.get("/api/state")["style"] == "tube-amp"  # others are answered meanwhile
        # what has been sent lies in buffers: a busy server takes a while to come to it
        plain.played.until(lambda: plain.console.counts["throttled"] > throttled)
        flooded = time.monotonic() - begin
    plain.played.play_on()
    end = plain.played.tape.position
    assert end - before > 0.5 * flooded * 48000  # the card played on by the clock
    assert plain.host.incidents == []
    quiet = np.abs(plain.played.tape.output[before:end, 0]) < 1e-7
    longest = np.diff(np.flatnonzero(np.concatenate([[True], ~quiet, [True]]))).max()
    assert longest < 64


def test_hostile_messages_are_answered_and_the_sound_is_the_same(plain: Desk) -> None:
    state = plain.get("/api/state")["parameters"]
    refused = plain.console.counts["refused_message"]
    with plain.open("/api/live") as ws:
        for text in (
            "{",
            "[]",
            "1",
            '{"type": "fly"}',
            '{"type": ["set"]}',
            '{"type": "set"}',
            '{"type": "set", "values": {"mix": "loud"}}',
            '{"type": "set", "values": {"mix": 1e999}}',
            '{"type": "blend", "weights": {"mix": 1}}',
        ):
            ws.send(text)
        errors = 0
        while errors < 9:
            found = ws.recv(timeout=20)
            errors += isinstance(found, str) and json.loads(found)["type"] == "error"
    assert plain.console.counts["refused_message"] == refused + 9
    for send in (b"binary", "x" * 20_000, "x" * 300_000):
        with plain.open("/api/live") as ws:
            ws.send(send)
            with pytest.raises(ConnectionClosed):
                while True:
                    ws.recv(timeout=20)
    assert plain.get("/api/state")["parameters"] == state


def test_many_connections_are_refused_not_served(plain: Desk) -> None:
    with ExitStack() as kept:
        for _ in range(32):
            kept.enter_context(plain.open("/api/live")).recv(timeout=20)
        with pytest.raises((ConnectionClosed, InvalidStatus)), plain.open("/api/live") as more:
            more.recv(timeout=20)
        assert plain.get("/api/state")["style"] == "tube-amp"


def test_a_token_is_asked_for_by_header_or_cookie(plain: Desk) -> None:
    token = "a-token-of-ours"
    counts: Counter[str] = Counter()
    with PanelServer(plain.console, "0.0.0.0", 0, token, counts=counts) as server:
        desk = Desk(plain.played, plain.console, server)
        assert server.url.endswith(f"?token={token}")
        assert desk.ask("GET", "/api/state").status == 401
        assert desk.ask("GET", "/").status == 401
        assert desk.ask("GET", f"/api/state?token={token}").status == 401
        for bad in ("Bearer x", f"Basic {token}", f"Bearer {token}x"):
            assert desk.ask("GET", "/api/state", headers={"Authorization": bad}).status == 401
        good = {"Authorization": f"Bearer {token}"}
        assert desk.ask("GET", "/api/state", headers=good).status == 200
        login = desk.ask("GET", f"/?token={token}")
        assert (login.status, login.headers["location"]) == (303, "/")
        cookie = login.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        ours = {"Cookie": cookie.partition(";")[0]}
        assert desk.ask("GET", "/", headers=ours).status == 200
        with pytest.raises(InvalidStatus), desk.open("/api/live"):
            pass
        with desk.open("/api/live", additional_headers=ours) as ws:
            assert json.loads(ws.recv(timeout=20))["type"] == "state"
        # bound to all addresses, numbers are ours and names are not
        assert (
            desk.ask("GET", "/", headers={**ours, "Host": f"evil.example:{desk.port}"}).status
            == 403
        )
        assert counts["refused_token"] == 7
    with PanelServer(plain.console, "0.0.0.0", 0) as server:
        assert server.token is not None and len(server.token) >= 32
    for bad in ("short", "with space", "with\nline", "ü" * 20):
        with pytest.raises(ControlError, match="8 to 200"):
            check_token(bad)


def test_the_next_port_is_taken_and_told(plain: Desk) -> None:
    told: list[str] = []
    with PanelServer(plain.console, port=plain.port, token=OPEN, tell=told.append) as second:
        assert plain.port < second.address[1] <= plain.port + 20
        assert told == [f"port {plain.port} is taken; the panel took {second.address[1]}"]
        assert Desk(plain.played, plain.console, second).get("/api/state")
    with pytest.raises(ControlError, match="address in numbers"):
        PanelServer(plain.console, "my.host", 0)


def test_a_body_that_trickles_is_not_waited_for(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.panel.app.BODY_SECONDS", 0.2)
    head = f"PUT /api/bypass HTTP/1.1\r\nHost: 127.0.0.1:{plain.port}\r\nContent-Length: 12\r\n"
    with socket.create_connection(("127.0.0.1", plain.port), timeout=20) as raw:
        raw.sendall((head + 'Content-Type: application/json\r\n\r\n{"on"').encode())
        assert b" 408 " in raw.recv(4096).split(b"\r\n")[0]
    assert not plain.host.setup.sound.bypass
