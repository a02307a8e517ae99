"""``restyle live`` with its panel, and in the terminal."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from realtime.commands.live.terminal import run_with_terminal, view
from realtime.host.surface import HostSurface
from realtime.models.catalog import find_model
from realtime.panel.console import HostConsole

from ..host.cards import playing
from ..signals import Array, noise
from .conftest import RATE, Run, heard

TOKEN = "a-token-of-mine"


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


def panel_port(process: subprocess.Popen[str]) -> int:
    """Wait until ``restyle live`` has told where its panel is."""
    assert process.stderr is not None
    port = 0
    while not port:
        line = process.stderr.readline()
        assert line, "it ended"
        found = re.match(r"panel: http://127\.0\.0\.1:(\d+)/\?token=", line)
        port = int(found[1]) if found else 0
    return port


def test_ctrl_c_ends_sound_panel_and_recording(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", noise(30 * RATE).T, RATE, subtype="FLOAT")
    words = ["live", "--model", "tape", "--simulate", "in.wav", "--panel", "--panel-port", "0"]
    words += ["--panel-token", TOKEN]
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime.cli", *words, "--stats", "stats.json"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "RESTYLE_RECORDINGS": str(tmp_path / "takes"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    try:
        port = panel_port(process)
        assert process.stderr is not None
        assert ask(port, "GET", "/api/state")["style"] == "tape"
        assert ask(port, "PUT", "/api/bypass", {"on": 1})["error"]
        name = ask(port, "POST", "/api/recording", {"format": "wav"})["name"]
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    assert "stopped" in rest and "Traceback" not in rest
    assert heard(tmp_path / "takes" / name).shape[1] > 0.3 * RATE
    assert json.loads((tmp_path / "stats.json").read_text())["panel"] == {"refused_request": 1}


@pytest.mark.parametrize("words", [(), ("--panel", "--panel-port", "0")])
def test_a_simulated_run_is_the_same_with_and_without(run: Run, clip: Array, words: Any) -> None:
    common = (
        "live",
        "--model",
        "tape",
        "--simulate",
        "in.wav",
        "--simulate-out",
        "out.wav",
        "--force",
    )
    code, _, said = run(*common, "--fast", *words)
    assert code == 0
    assert ("panel: http" in said) == bool(words)
    made = heard("out.wav")
    run("render", "in.wav", "plain.wav", "--model", "tape")
    plain = heard("plain.wav")
    assert np.array_equal(made[:, -plain.shape[1] :], plain)


def test_without_its_packages_the_sound_plays_on(
    run: Run, clip: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("uvicorn.py").write_text("raise ModuleNotFoundError('gone', name='uvicorn')\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))  # in the process of the page, too
    code, _, said = run("live", "--model", "tape", "--simulate", "in.wav", "--fast", "--panel")
    assert code == 0 and "Traceback" not in said
    assert "the panel needs the package 'uvicorn'; install it with" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--panel-host", "my.host"), "address in numbers"),
        (("--panel-port", "70000"), "within 0..65535"),
        (("--panel-token", "a b"), "8 to 200"),
    ],
)
def test_wrong_settings_are_said_before_anything_opens(
    run: Run, clip: Array, words: tuple[str, ...], says: str
) -> None:
    code, _, said = run("live", "--simulate", "in.wav", "--fast", "--panel", *words)
    assert code == 2 and says in said and said.count("\n") == 1


def test_the_terminal_shows_levels_latency_processor_counters_and_knobs() -> None:
    with playing(find_model("amp-blend"), noise(120 * RATE, level=0.3)) as played:
        console = HostConsole(played.host, HostSurface(played.host))
        played.host.tell("something happened")
        played.insert(effect="Gain", engine="pedalboard", parameters={"gain_db": -6.0})
        played.play_on(0.5)
        console.figures()
        shown = Console(width=110, record=True, file=io.StringIO())
        shown.print(view(console))
        text = shown.export_text()
        begin = time.monotonic()
        run_with_terminal(played.host, 0.3)
        assert 0.2 < time.monotonic() - begin < 10
        console.midi.close()
    for words in (
        "amp-blend",
        "input",
        "output",
        "dB peak",
        "latency",
        "64 samples = 1.33 ms",
        "worker pre-fill 64",
        "cpu",
        "hop",
        "counters",
        "warm",
        "2.gain_db",
        "-6 dB",
        "something happened",
    ):
        assert words in text, words
