"""The LV2 in a host of the tests' own: in real time, offline, its engine killed and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.commands.plugin import to_sound
from realtime.session.render import render

from ..signals import noise
from .lv2_host import Array, Lv2Host

RATE, LONGEST = 48000, 1024
SOUND = """format = 2
[[stage]]
effect = "LowpassFilter"
cutoff_frequency_hz = 700.0
"""
WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def host(built: Path) -> Iterator[Lv2Host]:
    made = Lv2Host(built / "restyle.lv2", RATE, LONGEST)
    made.restore({"sound": SOUND, "latency": "31"})
    made.activate()
    yield made
    made.close()


def expected(x: Array, late: int) -> Array:
    y = render(to_sound(SOUND), Clip(x, RATE)).samples
    return np.pad(y, ((0, 0), (late, 0)))[:, : x.shape[1]]


def test_an_offline_render_waits_and_equals_the_render_after_the_latency(host: Lv2Host) -> None:
    assert host.freewheels and host.freewheels[1] == "offline"
    x, k = noise(40_000, channels=2), 0
    host["offline"] = 1.0  # it begins anew, in the middle of whatever it played
    parts = []
    for n in np.random.default_rng(2).integers(1, LONGEST + 1, 500):
        parts.append(host.run(x[:, k : k + n]))
        if (k := k + n) >= x.shape[1]:
            break
    y = np.concatenate(parts, axis=1)
    late = int(host["lv2_latency"])
    assert late == LONGEST + 31  # a hop of 32 less one
    assert np.array_equal(y, expected(x, late))
    host["offline"] = 0.0


def played(host: Lv2Host, seconds: float, until: Callable[[Array], bool]) -> Array:
    """A steady tone in blocks of 480, paced; what came back until that holds."""
    end, begin, k, y = time.monotonic() + seconds, time.monotonic(), 0, np.zeros((2, 0))
    tone = 0.2 * np.sin(2 * np.pi * 6000 * np.arange(480) / RATE).astype(np.float32)
    while not until(y):
        assert time.monotonic() < end, "it does not come"
        y = host.run(np.stack([tone, tone]))
        k += 1
        time.sleep(max(0.0, begin + k * 480 / RATE - time.monotonic()))
    return y


def is_dry(y: Array) -> bool:
    """The low-pass lets next to nothing of a tone at 6 kHz through."""
    return y.size > 0 and float(np.abs(y).max()) > 0.19


def is_wet(y: Array) -> bool:
    return y.size > 0 and 0.0 < float(np.abs(y).max()) < 0.05


def engine() -> list[int]:
    """The engine processes under this one: children of a `restyle plugin` with a device."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for keeper in (task / "children").read_text().split():
            if b"plugin\0/proc/" not in Path(f"/proc/{keeper}/cmdline").read_bytes():
                continue
            for thread in Path(f"/proc/{keeper}/task").iterdir():
                found += [int(p) for p in (thread / "children").read_text().split()]
    return [p for p in found if "memfd:restyle-plugin" in Path(f"/proc/{p}/maps").read_text()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_an_engine_that_ends_is_heard_as_the_dry_sound_at_the_same_latency(
    host: Lv2Host, number: signal.Signals
) -> None:
    host.activate()
    played(host, WAIT_SECONDS, is_wet)
    late = host["lv2_latency"]
    os.kill(engine()[0], number)
    played(host, WAIT_SECONDS, is_dry)
    y = impulse_back(host)
    assert int(np.argmax(y[0])) == late and host["lv2_latency"] == late
    played(host, WAIT_SECONDS, is_wet)  # back by itself, with its sound
    assert host["lv2_latency"] == late
    assert to_sound(host.save()["sound"]) == to_sound(SOUND)


def impulse_back(host: Lv2Host) -> Array:
    """Silence, an impulse and silence, at once: the engine has no time to come back meanwhile."""
    silence = np.zeros((2, LONGEST), dtype=np.float32)
    for _ in range(3):
        host.run(silence)
    one = silence.copy()
    one[:, 0] = 0.5
    return np.concatenate([host.run(one), host.run(silence), host.run(silence)], axis=1)


def test_a_bypass_is_the_dry_sound_at_the_same_latency(host: Lv2Host) -> None:
    played(host, WAIT_SECONDS, is_wet)
    host["lv2_enabled"] = 0.0
    host.run(np.zeros((2, LONGEST), dtype=np.float32))
    assert int(np.argmax(impulse_back(host)[0])) == host["lv2_latency"]
    host["lv2_enabled"] = 1.0


COUNTED = """
import ctypes, sys, time
import numpy as np
from pathlib import Path
from tests.daw.lv2_host import Lv2Host
counter = ctypes.CDLL(sys.argv[2])
counter.counted_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint]
counter.counted_run.restype = ctypes.c_long
counts = []
def runs(run, handle, n):
    counts.append(counter.counted_run(ctypes.cast(run, ctypes.c_void_p), handle, n))
host = Lv2Host(Path(sys.argv[1]), 48000, 512, runs)
host.activate()
x = np.full((2, 512), 0.1, dtype=np.float32)
host.run(x)
host["offline"] = 1.0  # shows that the counter counts: this waits for the engine
host.run(x)
host["offline"] = 0.0
for k in range(1000):
    host["parameter_1"] = (k % 7) / 7
    host.run(x[:, : 1 + k % 512])
    time.sleep(0.001)
print(counts[0], counts[1] > 0, sum(counts[2:]), host["lv2_latency"])
host.close()
"""


def test_processing_neither_allocates_nor_locks_nor_sleeps(built: Path, tmp_path: Path) -> None:
    """In real time: before there is an engine, and with one."""
    library = tmp_path / "counter.so"
    source = Path(__file__).parent / "counter.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, built / "restyle.lv2", library],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    assert done.stdout.split() == ["0", "True", "0", "543.0"], done.stdout + done.stderr


def test_no_restyle_is_a_sentence_and_the_sound_passes(
    built: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESTYLE_COMMAND", "/no/such/command --word")
    lonely = Lv2Host(built / "restyle.lv2", RATE, 256)
    lonely.activate()
    lonely["offline"] = 1.0  # nothing to wait for
    x = noise(1024, channels=2)
    y = np.concatenate([lonely.run(x[:, k : k + 256]) for k in range(0, 1024, 256)], axis=1)
    late = 256 + 31  # as if an engine played no stages
    assert lonely["lv2_latency"] == late
    assert np.array_equal(y[:, late:], x[:, : 1024 - late])
    lonely.close()
    said = capfd.readouterr().err
    assert "cannot start '/no/such/command': No such file or directory" in said
