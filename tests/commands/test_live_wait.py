"""`restyle live --wait` on a JACK server that comes late, goes and comes back."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "restyle-test-wait"  # recurring: JACK remembers eight names, dead ones too
PATIENCE = 240.0  # seconds; the most that a busy machine may take

pytestmark = pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed")


@contextmanager
def jackd() -> Iterator[None]:
    words = ["jackd", "-r", "-n", NAME, "-d", "dummy", "-r", "48000", "-p", "256"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(words, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Live:
    """A running command, and what it says."""

    def __init__(self, *words: str) -> None:
        environment = {
            **os.environ,
            "JACK_DEFAULT_SERVER": NAME,
            "JACK_NO_START_SERVER": "1",
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime.cli", "live", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(10)

    def until(self, words: str) -> None:
        """Wait for these words, on one line or wrapped over two."""
        end, heard = time.monotonic() + PATIENCE, ""
        while time.monotonic() < end:
            try:
                self.said.append(self._lines.get(timeout=1.0))
            except queue.Empty:
                assert self.process.poll() is None, self.said
                continue
            heard += self.said[-1].removesuffix("\n")
            if words in heard:
                return
        raise AssertionError(f"'{words}' was not said: {self.said}")


def test_a_server_is_waited_for_and_may_go_and_come_back() -> None:
    device = "system jack"
    live = Live("--wait", "--no-panel", "--input", device, "--output", device)
    try:
        live.until("waiting for the device")
        with jackd():
            live.until("the device is there, and it plays")
        live.until("trying again until it is back")
        with jackd():
            live.until("the engine was restarted")
            live.process.send_signal(signal.SIGINT)
            assert live.process.wait(60) == 0, live.said
    finally:
        live.close()


def test_without_it_a_device_that_is_not_there_is_a_sentence() -> None:
    live = Live("--no-panel", "--input", "system jack", "--output", "system jack")
    try:
        assert live.process.wait(PATIENCE) == 2
    finally:
        live.close()
