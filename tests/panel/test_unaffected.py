"""Whatever comes to the panel, the sound is bit for bit what it would have been without."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from realtime.host.surface import HostSurface
from realtime.models.catalog import find_model
from realtime.panel.console import HostConsole
from realtime.panel.server import OPEN, PanelServer

from ..host.cards import RATE, playing
from ..signals import noise
from .conftest import Desk, rendered


def flood(desk: Desk) -> None:
    """10,000 messages as fast as they go; most are wrong, the others ask for what is."""
    kinds = ('{"type":', '{"type":"set","values":{"mix":1.0}}', '{"type":"set","values":{"x":1}}')
    with desk.open("/api/live") as ws:
        ws.socket.settimeout(0.3)
        try:
            ws.send(json.dumps({"type": "spectrogram", "on": True}))
            for i in range(10_000):
                ws.send(kinds[i % 3])
        except (OSError, ConnectionClosed):
            return


def requests(desk: Desk) -> None:
    """Refused, each of them."""
    for _ in range(15):
        for method, path, body, headers in (
            ("PUT", "/api/bypass", {"on": True}, {"Origin": "http://evil.example"}),
            ("PUT", "/api/bypass", {"on": True}, {"Host": "evil.example"}),
            ("PUT", "/api/bypass", "{", {}),
            ("PUT", "/api/parameters", " " * 70_000, {}),
            ("PUT", "/api/model", {"name": "../../etc/passwd"}, {}),
            ("GET", "/page/..%2f..%2f..%2fengine.py", None, {}),
        ):
            assert desk.ask(method, path, body, headers).status >= 400


def test_a_hostile_hour_in_small_changes_no_sample(tmp_path: Path) -> None:
    x = noise(20 * RATE, level=0.3)
    path = find_model("tube-amp")
    with playing(path, x, paced=False, held=True) as played:
        console = HostConsole(played.host, HostSurface(played.host), (), tmp_path)
        with (
            console.midi,
            PanelServer(console, port=0, token=OPEN, counts=console.counts) as server,
        ):
            desk = Desk(played, console, server)
            calls: list[Callable[[Desk], None]] = [flood, flood, requests]
            threads = [threading.Thread(target=c, args=(desk,)) for c in calls]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                played.tape.hold(played.tape.position + 480)  # at about the clock's pace
                time.sleep(0.01)
            counts = dict(console.counts)
        latency = played.host.now["latency"]["declared_samples"]
        assert (played.host.now["lane"], played.host.incidents) == ("inline", [])
        goal = played.tape.position // 480 * 480
        played.tape.hold(goal)
        played.until(lambda: played.tape.position >= goal)
        end = played.tape.position
        y = played.tape.output[latency:end].T.copy()
    n = y.shape[1]
    made = rendered(x[:, :n], "tube-amp")
    assert n > RATE // 4
    assert np.array_equal(y, made)
    # each is counted: 15 times two headers, a size, a body and two names; and what was flooded
    assert (counts["refused_origin"], counts["refused_host"]) == (15, 15)
    assert counts["refused_size"] == 15 and counts["refused_request"] >= 45
    assert counts["refused_message"] > 10  # whether it is throttled, too, the pace decides


def test_a_state_shows_what_was_refused(plain: Desk) -> None:
    before = plain.get("/api/state")["panel"].get("refused_host", 0)
    plain.ask("GET", "/", headers={"Host": "evil.example"})
    assert plain.get("/api/state")["panel"]["refused_host"] == before + 1


@pytest.mark.parametrize("watch", [True, False])
def test_watching_takes_nothing_from_a_recording(plain: Desk, watch: bool, tmp_path: Path) -> None:
    import soundfile

    host = plain.host
    host.watch(watch)
    recorder = host.record({"dry": tmp_path / "x.wav", "wet": tmp_path / "y.wav"})
    seen = []
    for _ in range(10):
        plain.played.play_on(0.03)
        heard = plain.console.heard()
        seen.append(0 if heard is None else heard.dry.shape[1])
    assert host.stop_recording() is recorder
    host.watch(False)
    x, y = (soundfile.read(tmp_path / f"{n}.wav", dtype="float32")[0] for n in "xy")
    assert recorder.gaps == recorder.lost == 0
    assert (sum(seen) > 0.2 * RATE) == watch
    at = np.flatnonzero(plain.played.tape.input[:, 0] == x[0])
    starts = [a for a in at if np.array_equal(plain.played.tape.input[a : a + len(x), 0], x)]
    assert len(starts) == 1 and len(x) > 0.25 * RATE
    late = host.now["latency"]["declared_samples"]
    begin = starts[0] + late
    assert np.array_equal(plain.played.tape.output[begin : begin + len(y), 0], y)
