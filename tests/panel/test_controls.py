"""The controls process: whatever ends it, it comes back and the sound never notices."""

from __future__ import annotations

import functools
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient

from benchmarks.rig.hostile import nested_loops
from realtime.errors import ControlError
from realtime.panel.controls import ControlsSettings, start_controls
from realtime.panel.server import PanelSettings
from realtime.parameters.mapping import MidiMapping
from realtime.presets.format import OscSettings
from realtime.session.operations import Swap
from realtime.session.sound import Stage

from ..graphs import fir_model
from ..host.cards import RATE, Played, playing
from ..signals import sine

ROOT = Path(__file__).parents[2]


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


TOKEN = "a-token-to-keep"


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    try:
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.fixture
def half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("RESTYLE_MODELS", str(folder))
    path = folder / "half.onnx"
    path.write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    yield path


def begin(played: Played, **settings: Any) -> dict[str, Any]:
    wanted = ControlsSettings(**settings)
    return dict(played.host.start_controls(functools.partial(start_controls, wanted)) or {})


def pid(played: Played) -> int:
    controls = played.host.supervisor.facts.controls
    assert controls is not None
    return controls.pid


def answers(port: int) -> bool:
    try:
        return bool(ask(port, "GET", "/api/state"))
    except (OSError, http.client.HTTPException):
        return False


def test_page_and_osc_turn_the_knobs_from_their_own_process(half: Path) -> None:
    osc = free_port(socket.SOCK_DGRAM)
    with playing(half) as played:
        up = begin(
            played, osc=OscSettings("127.0.0.1", osc), panel=PanelSettings("127.0.0.1", 0, TOKEN)
        )
        port = int(re.search(r":(\d+)/", up["panel"])[1])
        assert pid(played) not in (0, os.getpid())
        assert ask(port, "PUT", "/api/parameters", {"values": {"mix": 0.5}}) == {
            "values": {"mix": 0.5}
        }
        played.settles(0.225)
        assert played.host.get("mix") == 0.5
        client = SimpleUDPClient("127.0.0.1", osc)
        client.send_message("/restyle/mix", 1.0)
        played.until(lambda: played.host.get("mix") == 1.0)
        # what is turned elsewhere is seen there
        played.host.set("mix", 0.25)
        played.until(
            lambda: (
                {p["name"]: p["value"] for p in ask(port, "GET", "/api/state")["parameters"]}["mix"]
                == 0.25
            )
        )
        inserted = ask(port, "POST", "/api/path", {"stage": {"effect": "Gain"}})
        assert inserted["path"][-1]["id"] == inserted["id"]
        assert inserted["pending"] == [] and inserted["host"] == "playing"
        assert ask(port, "DELETE", "/api/pending/99")["error"].startswith("no change 99")
        client._sock.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_is_not_heard_and_knobs_work_again(half: Path, number: signal.Signals) -> None:
    rng, osc = random.Random(int(number)), free_port(socket.SOCK_DGRAM)
    mapping = MidiMapping(cc=7, parameter="mix")
    with playing(half) as played:
        up = begin(
            played,
            osc=OscSettings("127.0.0.1", osc),
            panel=PanelSettings("127.0.0.1", 0, "a-token-to-keep"),
        )
        assert up["panel"].endswith("?token=a-token-to-keep")
        played.until(lambda: "mappings" in played.host.view.kept)
        played.host.keep("mappings", (mapping,))  # as if it had been learnt there
        played.host.keep("preset", "warm")
        client = SimpleUDPClient("127.0.0.1", osc)
        before = played.tape.position
        for k in range(4):
            first = pid(played)
            time.sleep(rng.random() * 0.3)
            os.kill(first, number)
            played.until(lambda first=first: pid(played) not in (0, first))  # type: ignore[misc]
            value = 0.1 + 0.2 * k

            def turned(value: float = value) -> bool:
                client.send_message("/restyle/mix", value)
                return abs(played.host.get("mix") - value) < 1e-6

            played.until(turned)
        client._sock.close()
        # at a simulated card that goes on by the clock, only a lost block is silent
        assert played.silences(before).max() < 4800
        assert played.host.incidents == []
        kept = played.host.view.kept
        assert kept["mappings"] == (mapping,) and kept["preset"] == "warm"
        assert kept["panel_at"][1] == "a-token-to-keep"
        assert sum("broke off" in t for t in played.told) == 1


def test_an_address_that_cannot_be_had_is_refused_at_the_start(half: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, playing(half) as played:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ControlError, match="cannot listen"):
            begin(played, osc=OscSettings("127.0.0.1", taken.getsockname()[1]))
        assert played.host.active


def test_a_flood_of_messages_ends_at_the_last_value(half: Path) -> None:
    osc = free_port(socket.SOCK_DGRAM)
    with playing(half) as played:
        begin(played, osc=OscSettings("127.0.0.1", osc))
        client = SimpleUDPClient("127.0.0.1", osc)
        for k in range(2000):
            client.send_message("/restyle/mix", (k % 100) / 100)
            if k % 50 == 0:
                time.sleep(0.01)  # a datagram that finds no room is nobody's fault
        time.sleep(0.2)
        client.send_message("/restyle/mix", 0.75)
        played.until(lambda: abs(played.host.get("mix") - 0.75) < 1e-6)
        client._sock.close()


def test_the_supervisor_loads_no_midi_no_osc_and_no_web_server() -> None:
    code = (
        "import sys, realtime.commands.live.command, realtime.host.host;"
        "print([m for m in ('rtmidi', 'mido', 'pythonosc', 'uvicorn', 'starlette', 'websockets',"
        " 'realtime.controllers.osc', 'realtime.panel.app') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_edit_from_the_page_is_pending_until_it_is_called_off(
    half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that nobody has looked at: the engine has it opened apart, for its seconds."""
    monkeypatch.setattr("realtime.host.front.admit_stage", lambda stage: None)
    slow = tmp_path / "models" / "slow.onnx"
    slow.write_bytes(nested_loops())
    with playing(half, sine(300 * RATE, 220.0, 0.3)) as played:  # a slow machine is long about it
        up = begin(played, panel=PanelSettings("127.0.0.1", 0, TOKEN))
        port = int(re.search(r":(\d+)/", up["panel"])[1])
        done: list[Any] = []

        def edit() -> None:
            try:
                done.append(played.host.do(Swap(1, Stage(model=str(slow), identity=1))))
            except Exception as error:
                done.append(error)

        run_beside(edit)
        played.until(lambda: done or ask(port, "GET", "/api/state")["pending"])
        assert not done, done
        pending = ask(port, "GET", "/api/state")["pending"][0]
        assert pending["what"] == "change to slow"
        played.until(
            lambda: "slow.onnx" in ask(port, "GET", "/api/state")["pending"][0]["progress"]
        )
        # as long as it takes: the sound goes on, knobs turn, nobody is replaced
        before = played.tape.position
        played.play_on(3.0)
        ask(port, "PUT", "/api/parameters", {"values": {"mix": 0.5}})
        played.settles(0.225)
        assert played.silences(before).max() < 4800 and played.host.incidents == []
        ask(port, "DELETE", f"/api/pending/{pending['id']}")
        played.until(lambda: done)
        assert "cancelled" in str(done[0])
        played.until(lambda: not played.host.pending, 240)
        played.settles(0.225)
        assert played.host.setup.sound.stages[0].model == str(half) and played.host.incidents == []


def run_beside(job: Callable[[], None]) -> None:
    threading.Thread(target=job, daemon=True).start()
