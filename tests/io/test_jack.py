"""Round trips through real PortAudio on JACK's dummy driver, to the sample."""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PERIODS = [64, 128, 256]
STYLES = sorted((ROOT / "exported").glob("*.onnx"))
SUBJECTS = ["pass-through", "identity", "fir", *(p.stem for p in STYLES)]

pytestmark = [
    pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed"),
    pytest.mark.skipif(
        not ctypes.util.find_library("portaudio"), reason="PortAudio is not installed"
    ),
]


@cache
def measured(period: int) -> dict[str, dict[str, Any]]:
    """All measurements on a server of this period, which ends in any case."""
    name = f"restyle-test-{os.getpid()}-{period}"
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "PYTHONPATH": str(ROOT)}
    arguments = json.dumps({"files": [str(p) for p in STYLES]})
    server = subprocess.Popen(
        ["jackd", "-n", name, "-d", "dummy", "-r", "48000", "-p", str(period)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.io.loopback", arguments],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    assert done.returncode == 0, done.stderr[-3000:]
    results: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return results


def result(period: int, subject: str, case: str) -> dict[str, Any]:
    found = measured(period)[f"{subject}, {case}"]
    assert found["clean"], f"no run without missed cycles in {found['attempts']}"
    return found


@pytest.mark.parametrize("period", PERIODS)
def test_the_device_brings_the_servers_period_and_costs_one_period(period: int) -> None:
    found = result(period, "pass-through", "inline")
    assert found["block_size"] == period
    assert found["blocks_seen"] == [period, period]
    assert found["device_trip"] == period
    assert found["declared"] == 0
    assert found["reported"] == period


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("period", PERIODS)
def test_what_comes_back_is_the_offline_stream_later_by_device_and_declared_latency(
    period: int, subject: str
) -> None:
    found = result(period, subject, "inline")
    assert found["device_trip"] == period
    assert found["compared"] > 15_000
    assert found["level"] > 0.1
    assert found["difference"] == 0.0


@pytest.mark.parametrize("subject", ["pass-through", "identity", "fir"])
@pytest.mark.parametrize("period", PERIODS)
def test_an_impulse_comes_back_after_device_and_declared_latency(period: int, subject: str) -> None:
    found = result(period, subject, "inline")
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("period", PERIODS)
def test_the_dry_impulse_of_every_style_comes_back_after_device_and_declared_latency(
    period: int, subject: str
) -> None:
    found = result(period, subject, "dry")
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]
    assert found["dry_equal"]


@pytest.mark.parametrize("period", PERIODS)
def test_the_worker_lane_declares_its_prefill_to_the_sample(period: int) -> None:
    found = result(period, "identity", "worker")
    assert found["lane"] == "worker"
    assert found["difference"] == 0.0
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]


@pytest.mark.parametrize("period", PERIODS)
def test_a_block_size_other_than_the_servers_costs_that_block_and_is_declared(
    period: int,
) -> None:
    found = result(period, "identity", "asked for 100")
    assert found["block_size"] == 100
    assert found["blocks_seen"] == [100, 100]
    assert found["device_trip"] == period + 100 == found["reported"]
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]
    assert found["difference"] == 0.0
