"""A lighter model that took over is what panel, preset and replay name, and what a replay plays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from realtime.host.replay import replay
from realtime.host.session_log import SessionLog
from realtime.models.catalog import find_model
from realtime.presets.files import read_preset
from realtime.session.operations import Swap

from ..graphs import fir_model
from ..networks import slow_model
from ..signals import noise
from .conftest import RATE, heard
from .test_live_panel import TOKEN, ask, panel_port

ROOT = Path(__file__).parents[2]


def test_panel_preset_and_replay_agree_on_a_model_that_took_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "heavy.onnx").write_bytes(slow_model(rounds=2))
    lite = fir_model(np.array([0.25, 0.125], dtype=np.float32))
    (models / "heavy-lite.onnx").write_bytes(lite)
    x = noise(60 * RATE, level=0.05, seed=3)
    soundfile.write(tmp_path / "in.wav", x.T, RATE, subtype="FLOAT")
    words = [
        "live",
        "--model",
        "models/heavy.onnx",
        "--simulate",
        "in.wav",
        "--block",
        "64",
        "--lane",
        "inline",
    ]
    words += ["--panel", "--panel-port", "0", "--panel-token", TOKEN, "--capture", "session"]
    environment = {**os.environ, "RESTYLE_MODELS": str(models), "PYTHONPATH": str(ROOT)}
    monkeypatch.setenv("RESTYLE_MODELS", str(models))
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime.cli", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        port, end = panel_port(process), time.monotonic() + 60.0
        while "heavy-lite" not in json.dumps(state := ask(port, "GET", "/api/state")["path"]):
            assert time.monotonic() < end, state
            time.sleep(0.05)
        saved = ask(port, "PUT", "/api/presets/relieved", {})
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(60) == 0, said
    finally:
        process.kill()
        process.communicate()
    assert "error" not in saved
    preset = read_preset(Path(os.environ["RESTYLE_PRESETS"]) / "relieved.toml")
    text = (tmp_path / "session" / "session.json").read_bytes()
    changes = msgspec.json.decode(text, type=SessionLog).changes
    found = replay(tmp_path / "session")
    swap = next(c for c in changes if isinstance(c.operation, Swap))
    assert [s["name"] for s in state] == ["heavy-lite"]
    assert [find_model(str(s.model)).stem for s in preset.sound.stages] == ["heavy-lite"]
    assert Path(str(swap.operation.stage.model)).stem == "heavy-lite"
    # hops that rested live are not repeated, so the bits agree from the fade's end on
    played, begin = heard(tmp_path / "session" / "output.wav"), swap.position + RATE // 2
    assert played.shape[1] > begin + RATE // 2
    assert np.array_equal(found.output[:, begin:], played[:, begin : found.output.shape[1]])
    assert np.abs(played[:, begin:]).max() > 0.005
