"""Another account of the machine neither hears, records, reads nor changes anything."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime.host.surface import HostSurface
from realtime.models.catalog import find_model
from realtime.native.cache import cache_home
from realtime.panel.console import HostConsole
from realtime.panel.server import PanelServer
from realtime.trust.consent import Ask, allow, consents
from realtime.trust.verdicts import Verdict, keep

from ..host.cards import playing
from .conftest import Desk

PYTHON = "/usr/bin/python3"  # the tests' own may lie in a folder of their user's

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root can make an account"
    ),
    pytest.mark.skipif(shutil.which("useradd") is None, reason="there is no useradd"),
    pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"there is no {PYTHON}"),
]

#: what the other account tries: each line of the answer is one try, and what came of it
TRIES = """
import http.client, json, os, socket, sys
asked = json.load(sys.stdin)
said = {}
def note(name, work):
    try:
        said[name] = work()
    except OSError as error:
        said[name] = type(error).__name__
def ask(method, path):
    connection = http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=30)
    connection.request(method, path, "{}", {"Content-Type": "application/json"})
    return connection.getresponse().status
for method, path in asked["requests"]:
    note(f"{method} {path}", lambda: ask(method, path))
for path in asked["read"]:
    look = os.listdir if os.path.isdir(path) else lambda path: open(path, "rb").read(16)
    note(f"read {path}", lambda: len(look(path)))
for path in asked["write"]:
    note(f"write {path}", lambda: open(os.path.join(path, "planted"), "w").write("x"))
def knock():
    found = socket.socket(socket.AF_UNIX)
    found.connect(asked["socket"])
    return "connected"
note("socket", knock)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def account() -> Iterator[str]:
    name = f"restyle-test-{secrets.token_hex(4)}"
    subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)
    yield name
    subprocess.run(["userdel", name], check=True)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that anyone may enter and read: what is in it protects itself."""
    found = Path(tempfile.mkdtemp())
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


def test_another_account_gets_nothing(
    account: str, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(public / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(public / "cache"))
    allow([Ask("run a plug-in", "key")])
    keep("model", Verdict("0" * 64, True))
    with playing(find_model("tape")) as played:
        console = HostConsole(played.host, HostSurface(played.host), (), public / "takes")
        with (
            console.midi,
            PanelServer(console, port=0) as server,
            PanelServer(console, socket_path=public / "panel.sock"),
        ):
            desk, mine = Desk(played, console, server), {"Authorization": f"Bearer {server.token}"}
            before = desk.ask("GET", "/api/state", headers=mine).data
            assert desk.ask("POST", "/api/recording", {}, mine).status == 200
            played.play_on(0.5)
            assert desk.ask("DELETE", "/api/recording", headers=mine).status == 200
            take = next((public / "takes").glob("*.*"))
            engine = played.host.link.process.pid
            asked: dict[str, Any] = {
                "port": server.address[1],
                "requests": [
                    ("GET", "/"), ("GET", "/api/state"), ("GET", "/api/recordings"),
                    ("GET", f"/api/recordings/{take.name}"), ("POST", "/api/recording"),
                    ("PUT", "/api/bypass"), ("PUT", "/api/parameters"), ("GET", "/api/live"),
                    ("GET", "/api/stream"), ("DELETE", "/api/recording"),
                ],
                "read": [str(public / "takes"), str(take), f"/proc/{engine}/fd",
                         f"/proc/{engine}/mem", f"/proc/{os.getpid()}/fd"],
                "write": [str(public / "takes"), str(consents()), str(cache_home() / "verdicts")],
                "socket": str(public / "panel.sock"),
            }  # fmt: skip
            done = subprocess.run(
                [PYTHON, "-I", "-c", TRIES],
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                user=account,
                group=account,
                extra_groups=[],
                cwd="/",
                check=True,
            )
            said = json.loads(done.stdout)
            after = desk.ask("GET", "/api/state", headers=mine).data
        for name, found in said.items():
            refused = 401 if name.split()[0].isupper() else "PermissionError"
            assert found == refused, (name, found)
        assert len(said) == 10 + 5 + 3 + 1
        same = ("path", "parameters", "bypass", "recording")
        assert {k: after[k] for k in same} == {k: before[k] for k in same}
        assert played.host.incidents == []
