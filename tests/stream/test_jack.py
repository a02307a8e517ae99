"""Round trips through real PortAudio on JACK's dummy driver, to the sample."""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.models.catalog import find_model, read_entry
from realtime.models.load import open_model

from ..nam.test_file import tiny, write

ROOT = Path(__file__).parents[2]
PERIODS = [64, 128, 256]
STYLES = [p for p in sorted((ROOT / "exported").glob("*.onnx")) if read_entry(p).converts]
# noise comes in: one takes it out, players hear no notes in it
LEAST = {"clean": 1e-4, **{p.stem: -1.0 for p in STYLES if p.stem.endswith("-player")}}
MADE = ["pass-through", "identity", "fir", "capture", "rig"]
PLAYED = [(p, s) for p in PERIODS for s in [*MADE, *(f.stem for f in STYLES if p == PERIODS[0])]]

pytestmark = [
    pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed"),
    pytest.mark.skipif(
        not ctypes.util.find_library("portaudio"), reason="PortAudio is not installed"
    ),
]


@contextmanager
def jack_server(period: int, rate: int = 48000) -> Iterator[tuple[dict[str, str], int]]:
    """Run a server; yield the environment that finds it, and its process id."""
    name = f"restyle-test-{period}"  # recurring: JACK remembers eight names, dead ones too
    server = subprocess.Popen(
        ["jackd", "-n", name, "-d", "dummy", "-r", str(rate), "-p", str(period)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "PYTHONPATH": str(ROOT)}
    try:
        yield environment, server.pid
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run_module(arguments: dict[str, Any], environment: dict[str, str]) -> Any:
    """Run loopback.py with `arguments`; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.stream.loopback", json.dumps(arguments)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@cache
def measured(period: int) -> dict[str, dict[str, Any]]:
    """All measurements on a server of this period."""
    with jack_server(period) as (environment, _):
        with tempfile.TemporaryDirectory() as folder:
            loud = tiny()
            loud["weights"][-1] = 2.0
            capture = write(Path(folder), loud, "capture.nam")
            styles = STYLES if period == PERIODS[0] else []  # theirs is the path's own, once in
            arguments = {"files": [str(p) for p in styles], "captures": [str(capture)]}
            arguments["rigs"] = folder
            found: dict[str, dict[str, Any]] = run_module(arguments, environment)
    return found


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


@pytest.mark.parametrize(("period", "subject"), PLAYED)
def test_what_comes_back_is_the_offline_stream_later_by_device_and_declared_latency(
    period: int, subject: str
) -> None:
    found = result(period, subject, "inline")
    assert found["device_trip"] == period
    assert found["compared"] > 15_000
    assert found["level"] > LEAST.get(subject, 0.1)
    assert found["difference"] == 0.0


@pytest.mark.parametrize("subject", ["pass-through", "identity", "fir"])
@pytest.mark.parametrize("period", PERIODS)
def test_an_impulse_comes_back_after_device_and_declared_latency(period: int, subject: str) -> None:
    found = result(period, subject, "inline")
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]


@pytest.mark.parametrize(("period", "subject"), PLAYED)
def test_the_dry_impulse_of_every_style_comes_back_after_device_and_declared_latency(
    period: int, subject: str
) -> None:
    found = result(period, subject, "dry")
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]
    assert found["dry_equal"]


@pytest.mark.parametrize("subject", ["capture", "rig"])
@pytest.mark.parametrize("period", PERIODS)
def test_captures_and_whole_rigs_add_no_sample_to_the_devices_own_round_trip(
    period: int, subject: str
) -> None:
    found = result(period, subject, "inline")
    assert found["declared"] == 0
    assert found["device_trip"] == period
    if subject == "rig":  # the capture alone plays full scale there, struck or not
        assert found["impulse_begins"] == found["device_trip"]


@pytest.mark.parametrize("period", PERIODS)
def test_the_worker_lane_declares_its_prefill_to_the_sample(period: int) -> None:
    found = result(period, "identity", "worker")
    assert found["lane"] == "worker"
    assert found["difference"] == 0.0
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]


@pytest.mark.parametrize("period", PERIODS)
def test_a_block_size_other_than_the_servers_changes_nothing(period: int) -> None:
    found = result(period, "identity", "asked for 100")
    assert found["block_size"] == period
    assert found["device_trip"] == period == found["reported"]
    assert found["impulse_trip"] == found["device_trip"] + found["declared"]
    assert found["difference"] == 0.0


@pytest.mark.parametrize("block", [None, 64])
@pytest.mark.parametrize(
    ("subject", "lane", "mix"),
    [("identity", "inline", 1.0), ("identity", "worker", 1.0), ("capture", "inline", 0.0)],
)
def test_a_period_that_changes_while_it_plays_is_followed_and_declared(
    subject: str, lane: str, mix: float, block: int | None, tmp_path: Path
) -> None:
    sizes = [64, 1024, 37, 256, 64]
    arguments = {"subject": subject, "lane": lane, "mix": mix, "block": block, "sizes": sizes}
    loud = tiny()
    loud["weights"][-1] = 2.0
    arguments |= {"files": [], "captures": [str(write(tmp_path, loud, "capture.nam"))]}
    with jack_server(64) as (environment, _):
        found = run_module(arguments, environment)
    for size, one in zip(sizes, found, strict=True):
        assert one["clean"] and one["lane"] == lane
        assert one["block_size"] == size
        assert one["device_trip"] == one["reported"]
        assert one["impulse_trip"] == one["device_trip"] + one["declared"]
        assert one["dry_equal"] or mix > 0.0


def test_a_server_that_dies_ends_the_stream_with_a_sentence_and_lets_the_process_end() -> None:
    with jack_server(128) as (environment, pid):
        found = run_module({"kill": pid}, environment)
    assert found["error"] == "StreamError"
    assert "stopped by itself" in found["message"]
    assert found["callbacks"] > 0


def test_a_generator_plays_without_an_input_what_it_makes_offline(tmp_path: Path) -> None:
    with jack_server(128) as (environment, _):
        words = [
            "live",
            "--source",
            "model",
            "--model",
            "endless-keys",
            "--seed",
            "2",
            "--seconds",
            "2",
            "--record",
            str(tmp_path / "played.wav"),
            "--no-panel",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "realtime.cli", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "none → system" in done.stderr + done.stdout
    y = soundfile.read(tmp_path / "played.wav", dtype="float32", always_2d=True)[0][:, 0]
    with closing(open_model(find_model("endless-keys"))) as player:
        player.controls[0, -2] = 2
        x = np.concatenate([player.step(player.x)[0, 0] for _ in range(len(y) // 128 + 40)])
    x, y = x[1024:], y[1024:-1024]  # without the fades of 20 ms
    places = {hop.tobytes(): k for k, hop in enumerate(x[: len(x) // 128 * 128].reshape(-1, 128))}
    hops = [hop.tobytes() for hop in y[: len(y) // 128 * 128].reshape(-1, 128) if np.any(hop)]
    # a busy machine may miss a cycle anywhere: its gap is silence, what follows comes later
    heard = [places[hop] for hop in hops if hop in places]
    assert len(heard) > 0.95 * len(hops) > 0.5 * len(y) / 128
    assert np.all(np.diff(heard) >= 1)  # each hop once, in order
    assert heard[-1] - heard[0] < 1.05 * len(heard)  # and hardly one left out
    assert np.abs(y).max() > 0.05
