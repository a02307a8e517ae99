"""A JACK server of our own with the dummy driver: real PortAudio without a sound card."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

API = "JACK Audio Connection Kit"
START_SECONDS = 8.0


def unavailable() -> str | None:
    """Why there can be no dummy server here, or None when there can."""
    if shutil.which("jackd") is None:
        return "jackd is not installed (Debian, Ubuntu: apt install jackd2)"
    if importlib.util.find_spec("jack") is None:
        return "the Python package JACK-Client is not installed"
    probe = "import sounddevice"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    if done.returncode != 0:
        return "PortAudio is missing (Debian, Ubuntu: apt install libportaudio2)"
    try:
        with dummy_server(256):
            return None
    except RuntimeError as error:
        return str(error)


@contextlib.contextmanager
def dummy_server(period: int, sample_rate: int = 48000) -> Iterator[dict[str, str]]:
    """Run ``jackd -d dummy`` with `period` samples; yields the environment its clients need.

    PortAudio lists JACK only when the server is up before it is loaded, so the clients have to be
    processes started inside this block.

    Raises
    ------
    RuntimeError
        The server does not come up.
    """
    # A server that was killed keeps one of the few places in JACK's registry until another one of
    # the same name starts: names that recur cannot fill it.
    failure = ""
    for name in (f"restyle-bench-{period}", f"restyle-bench-{os.getpid()}"):
        environment = {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
        command = ["jackd", "-n", name, "-d", "dummy", "-r", str(sample_rate), "-p", str(period)]
        with tempfile.TemporaryFile() as words:
            server = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)
            try:
                failure = _wait_until_up(server, environment)
                if not failure:
                    yield environment
                    return
            finally:
                _stop(server)
            words.seek(0)
            failure += _complaint(words.read().decode(errors="replace"))
    raise RuntimeError(failure)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(5.0)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _complaint(words: str) -> str:
    """What jackd says before its copyright notice."""
    lines = [w.strip() for w in words.partition("jackdmp")[0].splitlines()]
    said = [w for w in lines if w and "message buffer" not in w]
    return f" ({'; '.join(dict.fromkeys(said))})" if said else ""


def _wait_until_up(server: subprocess.Popen[bytes], environment: dict[str, str]) -> str:
    """Poll until a client gets in; return what went wrong, or nothing.

    Each attempt is a throw-away process: a failed one may leave libjack unusable.
    """
    probe = "import jack; jack.Client('probe', no_start_server=True).close()"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            return f"jackd ended at once with status {server.returncode}"
        done = subprocess.run(
            [sys.executable, "-c", probe], env={**os.environ, **environment}, capture_output=True
        )
        if done.returncode == 0 and server.poll() is None:
            return ""
        time.sleep(0.1)
    return f"jackd did not answer within {START_SECONDS:.0f} s"


def connect_loop() -> None:
    """Connect PortAudio's own output to its own input, and nothing else to that input."""
    import jack

    client: Any = jack.Client("loop", no_start_server=True)
    with client:
        outputs = client.get_ports("PortAudio.*", is_audio=True, is_output=True)
        inputs = client.get_ports("PortAudio.*", is_audio=True, is_input=True)
        for port in inputs:
            for source in client.get_all_connections(port):
                client.disconnect(source, port)
        client.connect(outputs[0], inputs[0])
