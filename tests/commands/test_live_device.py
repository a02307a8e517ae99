"""The device changed over the API while ``restyle live`` plays, to JACK's dummy card."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import soundfile

from ..signals import noise
from ..stream.test_jack import jack_server, pytestmark  # noqa: F401 (skips this file, too)
from .conftest import RATE
from .test_live_panel import TOKEN, ask, panel_port

PERIOD = 256


def test_the_sound_moves_to_another_card_and_stays_when_the_next_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", noise(60 * RATE).T, RATE, subtype="FLOAT")
    words = ["live", "--model", "tape", "--simulate", "in.wav", "--panel", "--panel-port", "0"]
    words += ["--panel-token", TOKEN]
    with jack_server(PERIOD) as (environment, _):
        process = subprocess.Popen(
            [sys.executable, "-m", "realtime.cli", *words, "--stats", "stats.json"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            port = panel_port(process)
            assert process.stderr is not None
            assert ask(port, "GET", "/api/state")["device"]["simulated"]
            listed = ask(port, "GET", "/api/devices")
            assert any(d["host_api"].startswith("JACK") for d in listed), listed
            jack = {"input": "JACK system", "output": "JACK system"}
            state = ask(port, "PUT", "/api/device", jack)
            there = {"input": "system", "output": "system", "simulated": False}
            assert state["device"] == {**there, "inputs": None, "outputs": None}
            assert (state["block"], state["style"]) == (PERIOD, "tape")
            for wanted in ({**jack, "input": "nobody"}, {**jack, "block": 100_000}):
                assert ask(port, "PUT", "/api/device", wanted)["error"]
            again = ask(port, "PUT", "/api/device", {**jack, "block": PERIOD})
            assert again["block"] == PERIOD
            time.sleep(1.0)
            assert ask(port, "GET", "/api/state")["device"] == state["device"]
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert process.wait(30) == 0, rest
        finally:
            process.kill()
            process.communicate()
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["callbacks_seen"] > 0.5 * RATE / PERIOD
    assert stats["restarts"] == 0 and "Traceback" not in rest, rest
