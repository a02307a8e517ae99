"""``restyle plugin`` as a process, with a plug-in's side in Python: restored, killed, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.commands.plugin import Keeper, to_sound
from realtime.session.render import render
from realtime.session.sound import Setup

from ..devices.plug_in import PlugIn
from ..signals import noise

RATE, BLOCK = 48000, 512
SOUND = """format = 2
[[stage]]
effect = "LowpassFilter"
cutoff_frequency_hz = 700.0
"""
OTHER = SOUND.replace("700.0", "3000.0")


def until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


def start(plug_in: PlugIn, log: Path, **more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "realtime.cli", "plugin", plug_in.record.name]
    environment = {**os.environ, **more}
    with open(log, "w") as file:
        return subprocess.Popen(command, env=environment, stderr=file)


@pytest.fixture
def plug_in() -> Iterator[PlugIn]:
    made = PlugIn(RATE, BLOCK)
    yield made
    made.close()


def engines(keeper: int, plug_in: PlugIn) -> list[int]:
    """The processes under the keeper that have the plug-in's memory."""
    inode = f" {os.stat(plug_in.record.name).st_ino} "
    return [p for p in under(keeper) if inode in text(Path(f"/proc/{p}/maps"))]


def under(pid: int) -> list[int]:
    """The processes that a process has started."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(p) for thread in threads for p in text(thread / "children").split()]


def text(path: Path) -> str:
    """What a file of /proc says; nothing where its process or thread has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def test_it_plays_what_was_restored_and_comes_back_after_whatever_ends_its_engine(
    plug_in: PlugIn, tmp_path: Path
) -> None:
    record, x = plug_in.record, noise(12_000, channels=2)
    record.write("wanted", SOUND)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/page\n')
    browser.chmod(0o755)
    process = start(plug_in, tmp_path / "log", BROWSER=str(browser))
    try:

        def take(sound: str) -> None:
            plug_in.wait(90.0)
            y, late = plug_in.play(x, [480, 37, 4096]), record["latency"]
            expected = render(to_sound(sound), Clip(x, RATE)).samples
            assert np.array_equal(y[:, late:], expected[:, : x.shape[1] - late])
            plug_in.prepare(RATE, BLOCK)

        take(SOUND)
        until(lambda: record["kept_for"] == 2)
        kept = record.read("kept")
        assert kept is not None and to_sound(kept[1]) == to_sound(SOUND)

        record.write("wanted", OTHER)  # the host restores another sound
        take(OTHER)
        record.write("wanted", "no = [sound")  # what cannot be read changes nothing
        take(OTHER)
        record.write("wanted", OTHER)
        take(OTHER)

        record["page"] += 1
        page = tmp_path / "page"
        until(lambda: page.exists() and page.read_text() != "")
        assert page.read_text().startswith("http://127.0.0.1:")

        for number in (signal.SIGKILL, signal.SIGSTOP):
            plug_in.prepare(RATE, BLOCK, offline=False)
            plug_in.wait()
            (engine,) = engines(process.pid, plug_in)
            os.kill(engine, number)
            until(lambda e=engine: _plays_again(plug_in, process.pid, e))
            plug_in.prepare(RATE, BLOCK)
            take(OTHER)
        record["closed"] = 1
        assert process.wait(20.0) == 0
        assert "cannot be played" in text(tmp_path / "log")
    finally:
        process.kill()
        process.wait()


def _plays_again(plug_in: PlugIn, keeper: int, before: int) -> bool:
    plug_in.push(np.zeros((2, 480), dtype=np.float32))
    found = engines(keeper, plug_in)
    return bool(found) and before not in found


def test_a_sound_that_cannot_be_played_here_stays_in_the_project(
    plug_in: PlugIn, capfd: pytest.CaptureFixture[str]
) -> None:
    record, lost = plug_in.record, SOUND.replace("LowpassFilter", "NoSuchEffect")
    record.write("wanted", lost)
    keeper = Keeper(record)
    host: Any = SimpleNamespace(setup=Setup(keeper._first()), now={"lane": "inline"}, pending=())
    keeper._keep(host)
    assert record["made"] == 2  # nobody waits for it
    assert record.read("kept") == (0, "")
    assert "cannot be played, and is passed over" in capfd.readouterr().err.replace("\n", " ")
    host.setup = Setup(to_sound(OTHER))
    keeper._keep(host)
    kept = record.read("kept")
    assert kept is not None and to_sound(kept[1]) == to_sound(OTHER)
    assert record["kept_for"] == 2


def test_what_is_no_plug_in_is_one_sentence() -> None:
    command = [sys.executable, "-m", "realtime.cli", "plugin", "/proc/self/fd/999"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("restyle: there is no plug-in behind /proc/self/fd/999: ")
    assert done.stderr.count("\n") == 1
