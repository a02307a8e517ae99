"""A device that goes away and comes back at another rate: JACK's dummy server."""

from __future__ import annotations

import ctypes.util
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime.host.host import Host
from realtime.session.sound import Device, Setup, Sound, Stage

from ..graphs import fir_model
from ..stream.test_jack import jack_server

pytestmark = [
    pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed"),
    pytest.mark.skipif(
        not ctypes.util.find_library("portaudio"), reason="PortAudio is not installed"
    ),
]
PERIOD = 256


def until(condition: Callable[[], object], seconds: float, told: list[str]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain; told: {told}"
        time.sleep(0.02)


def test_a_device_that_is_gone_is_waited_for_and_taken_at_its_new_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "half.onnx"
    model.write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", f"restyle-test-{PERIOD}")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    jack = Device(input="system JACK", output="system JACK", preferred_rate=48000)
    told: list[str] = []
    host = Host(Setup(Sound((Stage(model=str(model), identity=1),)), jack), told.append)

    def calls() -> int:
        return int(host.board.record[0]["callbacks"])

    try:
        with jack_server(PERIOD):
            time.sleep(1.0)
            host.start()
            until(lambda: calls() > 50, 10, told)
            assert host.now["device"]["sample_rate"] == 48000
            until(lambda: host.standby_ready, 60, told)
        until(lambda: any("trying again" in t for t in told), 20, told)
        with jack_server(PERIOD, 44100):
            until(lambda: host.incidents, 60, told)
            until(lambda: calls() > 50, 10, told)
            assert host.now["device"]["sample_rate"] == 44100
            # the model still runs at its own rate, between converters
            assert host.stats()["path_rate"] == 48000
            names = [p["name"] for p in host.now["latency"]["parts"]]
            assert "rate conversion" in names
            assert host.setup.device == jack
            host.close()
    finally:
        host.close()
