"""Processes that stand still (SIGSTOP) and a crowd at the panel, while a session plays on JACK."""

from __future__ import annotations

import functools
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from realtime.devices.shared_simulated import Tape
from realtime.errors import RestyleError
from realtime.host.host import Host
from realtime.host.shared_memory import LATENCY
from realtime.models.catalog import find_model
from realtime.panel.controls import ControlsSettings, start_controls
from realtime.panel.server import PanelSettings
from realtime.session.sound import Device, Setup, Sound

from ..rig.jack import dummy_server, unavailable
from ..rig.sounds import one_model
from ..rig.tables import Report, Row

PERIOD, RATE = 256, 48_000
JACK = Device(input="system JACK", output="system JACK", clocks="one", preferred_rate=RATE)
TOKEN = "0123456789abcdef" * 2
SLOW, ASKED_S, LIMIT_S = 100, 20.0, 120.0
STOPS = {
    "what": "SIGSTOP of", "for_s": "for s", "played": "callbacks meanwhile", "due": "due",
    "missed": "missed", "restarts": "restarts", "back_s": "sound again after s", "stale": "stale",
}  # fmt: skip
CROWD = {
    "what": "what", "idle": "idle", "slow": "slow", "asked": "asked", "median_ms": "median ms",
    "worst_ms": "worst ms", "missed": "blocks missed", "back_s": "page and sound again after s",
}  # fmt: skip


# -- a session in a process of its own ----------


def job() -> None:
    """Play ``tape`` on JACK with a panel, and answer each line with where everything stands."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = ControlsSettings(panel=PanelSettings("127.0.0.1", port, TOKEN))
    with Host(Setup(one_model(find_model("tape")), JACK), standby=True) as host:
        host.start_controls(functools.partial(start_controls, settings))
        host.wait(2.0)
        for _ in sys.stdin:
            controls = host.supervisor.facts.controls
            try:
                stats = host.stats()
            except RestyleError:  # none plays just now
                print(json.dumps({"engine": None, "restarts": -1, "callbacks": 0}), flush=True)
                continue
            said = {
                "engine": host.supervisor.crew.engine and host.link.process.pid,
                "controls": controls.pid if controls else 0,
                "spares": [
                    link.process.pid
                    for link in host.supervisor.crew.links
                    if link is not host.supervisor.crew.engine
                ],
                "port": port,
                "standby": host.standby_ready,
                "restarts": stats["restarts"],
                "missed": stats["callbacks_missed"],
                "callbacks": int(host.board.record[0]["callbacks"]),
            }
            print(json.dumps(said), flush=True)


class Session:
    """The job, asked from outside."""

    def __init__(self, environment: dict[str, str]) -> None:
        code = "import benchmarks.measures.stopped as s; s.job()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> dict[str, Any]:
        """Where everything stands."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RestyleError("kills: the session ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def until_it_plays(self, restarts: int = 0, first: bool = False) -> float:
        """Seconds until callbacks come, after so many restarts.

        Raises
        ------
        RestyleError
        """
        begin, before = time.monotonic(), -1
        while time.monotonic() < begin + LIMIT_S * (5 if first else 1):  # a first one compiles
            now = self.ask()
            if now["restarts"] >= restarts and now["engine"] and 0 <= before < now["callbacks"]:
                return time.monotonic() - begin
            before = now["callbacks"] if now["restarts"] >= restarts else -1
            time.sleep(0.02)
        raise RestyleError(f"kills: no sound within {LIMIT_S:.0f} s")


@contextmanager
def session() -> Iterator[tuple[Session, int]]:
    """A session on a JACK server of its own, and that server's process id."""
    missing = unavailable()
    if missing is not None:
        raise RestyleError(missing)
    with dummy_server(PERIOD) as environment:
        listed = subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "-x", "jackd"], capture_output=True, text=True
        )
        found = Session(environment)
        try:
            found.until_it_plays(first=True)
            yield found, int(listed.stdout.split()[0])
        finally:
            found.process.kill()
            found.process.wait()


# -- what stands still ----------


def _stop(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:  # replaced meanwhile
        pass


def stops(report: Report, seconds: float) -> list[Row]:
    """Stop the supervisor for `seconds`, the engine for 5 s (twice) and JACK for 5 s."""
    rows: list[Row] = []
    with session() as (playing, server):
        for what, length in (("the supervisor", seconds), ("the engine", 5.0), ("JACK", 5.0)):
            report.progress(f"SIGSTOP of {what}")
            time.sleep(2.0)
            before, begin = playing.ask(), time.monotonic()
            pids = {
                "the supervisor": playing.process.pid,
                "the engine": before["engine"],
                "JACK": server,
            }
            _stop(pids[what], length)
            took = time.monotonic() - begin
            wanted = before["restarts"] + (what == "the engine")
            back = playing.until_it_plays(wanted)
            after = playing.ask()
            while not after["engine"]:
                after = playing.ask()
            due = int((took - 0.2) * RATE / PERIOD) if what == "the supervisor" else 0
            played = after["callbacks"] - before["callbacks"]
            row = {
                "what": what,
                "for_s": length,
                "played": played if due else "–",
                "due": due or "–",
                "missed": after["missed"] - before["missed"] if due else "–",
                "restarts": after["restarts"] - before["restarts"],
                "back_s": round(back, 2),
            }
            good = row["missed"] == 0 and played >= due and not row["restarts"] if due else True
            rows.append({**row, "stale": "–", "verdict": "ok" if good else "not as it should be"})
    rows.append(stale(5.0))
    report.table("stops", "Processes that stand still", rows, STOPS)
    return rows


def stale(seconds: float) -> Row:
    """Stop the engine of a simulated card that hears a falling ramp.

    A sample that was heard before is larger than what is heard now, and a fade only makes smaller:
    what is larger is stale.
    """
    length = int(120.0 * RATE)
    x = np.linspace(0.8, 0.1, length, dtype=np.float32)[None]
    tape = Tape.make(x, RATE, 64)
    try:
        setup = Setup(Sound(), Device(kind="tape", tape=tape.name))
        with Host(setup, standby=True) as host:
            end = time.monotonic() + LIMIT_S
            while not host.standby_ready and time.monotonic() < end:
                time.sleep(0.02)
            host.wait(1.0)
            begin = tape.position
            os.kill(host.link.process.pid or 0, signal.SIGSTOP)
            stopped = time.monotonic()
            while not host.incidents and time.monotonic() < stopped + LIMIT_S:
                time.sleep(0.005)
            back = time.monotonic() - stopped
            host.wait(max(seconds, 3.0))
            y, restarts = tape.output[begin : tape.position, 0].copy(), len(host.incidents)
            latency = int(host.board.status[LATENCY])
        now = x[0, begin - latency : begin - latency + len(y)]
        late = int((y > now + 1e-4).sum())
    finally:
        tape.close()
    good = late == 0 and restarts == 1 and y[-64:].min() > 0.0
    return {
        "what": "the engine, a ramp is heard", "for_s": round(back + max(seconds, 3.0), 1),
        "played": "–", "due": "–", "missed": "–", "restarts": restarts, "back_s": round(back, 2),
        "stale": late, "verdict": "ok" if good else "not as it should be",
    }  # fmt: skip


# -- a crowd ----------


def _owner(port: int) -> float:
    """Milliseconds until the owner has the state; a connection of its own each time."""
    begin = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/api/state", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RestyleError(f"kills: the owner was answered with {answer.status}")
    return 1000.0 * (time.monotonic() - begin)


def crowd(report: Report, idle: int) -> list[Row]:
    """Keep connections open while the owner asks; then kill page and engine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, idle + SLOW + 200)), hard))
    with session() as (playing, _), ExitStack() as held:
        before = playing.ask()
        port = int(before["port"])
        report.progress(f"{idle} idle and {SLOW} slow connections")
        quiet, slow = [], []
        for k in range(idle + SLOW):
            one = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            one.setblocking(False)
            (quiet if k < idle else slow).append(one)
        took, end = [], time.monotonic() + ASKED_S
        while time.monotonic() < end:
            for k, one in enumerate(slow):
                try:
                    one.send(b"GET /api/state HTTP/1.1\r\nX-Slow: "[:1] if took else b"GET ")
                except OSError:  # let go: another comes
                    one.close()
                    slow[k] = held.enter_context(socket.create_connection(("127.0.0.1", port)))
                    slow[k].setblocking(False)
            took.append(_owner(port))
            time.sleep(0.2)
        after = playing.ask()
        report.progress("page and engine are killed")
        begin = time.monotonic()
        os.kill(after["controls"], signal.SIGKILL)
        os.kill(after["engine"], signal.SIGKILL)
        playing.until_it_plays(after["restarts"] + 1)
        while True:
            try:
                _owner(port)
                break
            except OSError:
                if time.monotonic() > begin + LIMIT_S:
                    raise RestyleError("kills: the page does not come back") from None
                time.sleep(0.02)
        back = time.monotonic() - begin
    missed = after["missed"] - before["missed"]
    row = {
        "what": "the owner asks",
        "idle": idle,
        "slow": SLOW,
        "asked": len(took),
        "median_ms": round(float(np.median(took)), 1),
        "worst_ms": round(max(took), 1),
        "missed": missed,
        "back_s": round(back, 2),
        "verdict": "ok" if max(took) < 1000.0 and not missed else "not as it should be",
    }
    report.table("crowd", "A crowd at the panel", [row], CROWD)
    return [row]
