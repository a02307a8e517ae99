"""``python -m benchmarks.measures.trouble``: edits on a starved machine, controls that are killed.

Both play over JACK's dummy server.  ``edits``: eight busy loops begin beside what plays, and
restyle itself is at nice 10 without real-time priority; what is counted is restarts, edits that
came, edits that were pending for long, and the longest time without a callback beside that of a
bare copy (no model, no edits) under the same load.  ``controls``: the process of MIDI, OSC and page
is killed at random moments with SIGKILL and SIGSEGV in turn; what is counted is blocks that were
lost and the time until a knob works again.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from realtime.commands.common import check_writable
from realtime.errors import ConfigError, RestyleError
from realtime.host.host import Host
from realtime.models.catalog import find_model
from realtime.panel.controls import ControlsSettings, start_controls
from realtime.presets.format import OscSettings
from realtime.session.operations import Insert, Load, Remove, Swap
from realtime.session.sound import Device, Setup, Sound, Stage

from ..rig.child import call_apart
from ..rig.jack import dummy_server, unavailable
from ..rig.loads import _SPIN
from ..rig.sounds import one_model
from ..rig.tables import Report, Row

PERIOD, LOOPS, NICE = 256, 8, 10
# what root needs to have no real-time priority either
UNPRIVILEGED = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice")
JACK = Device(input="system JACK", output="system JACK", clocks="one", preferred_rate=48_000)
EFFECTS = ("Gain", "Compressor", "Chorus", "Delay")
LONG_S, LIMIT_S = 2.0, 120.0
EDITS = {
    "what": "what", "edits": "edits", "came": "came", "refused": "refused", "long": "over 2 s",
    "median_s": "median s", "worst_s": "longest s", "restarts": "restarts",
    "missed": "blocks missed", "bare_missed": "bare copy's", "gap_ms": "longest gap ms",
    "bare_ms": "bare copy's ms",
}  # fmt: skip
KILLS = {
    "what": "what", "times": "times", "lost": "blocks lost", "restarts": "engine restarts",
    "median_ms": "knob works after ms", "worst_ms": "worst ms",
}  # fmt: skip


@contextlib.contextmanager
def busy(loops: int) -> Iterator[Callable[[], None]]:
    """Other programs that compute without end, at ordinary priority; they wait to be called."""
    command = [sys.executable, "-S", "-c", _SPIN, str(os.getpid())]
    hogs = [subprocess.Popen(command) for _ in range(loops)]

    def begin() -> None:
        for hog in hogs:
            hog.send_signal(signal.SIGCONT)

    try:
        for hog in hogs:
            hog.send_signal(signal.SIGSTOP)
        yield begin
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def counted(host: Host) -> dict[str, Any]:
    """Callbacks, misses and the longest gap so far."""
    stats, record = host.stats(), host.board.record[0]
    return {
        "restarts": stats["restarts"],
        "missed": stats["callbacks_missed"],
        "gap_ms": round(1e-6 * int(record["longest_gap_ns"]), 1),
    }


def starved(edits: int, seed: int) -> dict[str, Any]:
    """Make `edits` edits on a starved machine (in this process, which stays nice).

    The bare copy plays all the while, on the same server and as nice.
    """
    rng, took, refused = random.Random(seed), [], 0
    with busy(LOOPS) as begin_to_compute:
        os.nice(NICE)
        with (
            Host(Setup(device=JACK), standby=False) as bare,
            Host(Setup(one_model(find_model("tape")), JACK), standby=True) as host,
        ):
            begin_to_compute()
            for k in range(edits):
                begin = time.monotonic()
                try:
                    one_edit(host, rng)
                except RestyleError:
                    refused += 1
                took.append(time.monotonic() - begin)
                if k % 20 == 19:
                    print(f"{k + 1} edits in {sum(took):.0f} s", file=sys.stderr, flush=True)
            found, beside = counted(host), counted(bare)
    return {
        "what": f"{LOOPS} busy loops, nice {NICE}",
        "edits": edits,
        "came": edits - refused,
        "refused": refused,
        "long": sum(t > LONG_S for t in took),
        "median_s": round(sorted(took)[len(took) // 2], 2),
        "worst_s": round(max(took), 2),
        **found,
        "bare_missed": beside["missed"],
        "bare_ms": beside["gap_ms"],
        "verdict": "ok" if not found["restarts"] and not refused else "not as it should be",
    }


def one_edit(host: Host, rng: random.Random) -> None:
    """Insert, remove, swap or load, as a player would."""
    kind, stages = rng.choice(["insert", "remove", "swap", "load"]), host.setup.sound.stages
    identity = host.new_identity()
    model = Stage(model=str(find_model(rng.choice(["tape", "tube-amp"]))), identity=identity)
    if kind == "remove" and stages:
        host.do(Remove(rng.choice(stages).identity))
    elif kind == "insert" and len(stages) < 4:
        stage = Stage(effect=rng.choice(EFFECTS), identity=identity)
        host.do(Insert(stage, rng.randrange(4)))
    elif kind == "load" or not stages:
        gain = Stage(effect="Gain", parameters={"gain_db": -3.0}, identity=host.new_identity())
        host.do(Load(Sound((model, gain))))
    else:
        models = [s for s in stages if s.model is not None] or stages
        host.do(Swap(models[0].identity, model))


def killed_controls(times: int, seed: int) -> dict[str, Any]:
    """Kill the controls `times` times while a session plays."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = ControlsSettings(osc=OscSettings("127.0.0.1", port))
    rng, took = random.Random(seed), []
    with (
        Host(Setup(one_model(find_model("tape")), JACK), standby=False) as host,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        host.start_controls(functools.partial(start_controls, settings))
        controls = host.supervisor.facts.controls
        assert controls is not None
        wait(lambda: host.board.record[0]["callbacks"] > 200)
        before = counted(host)["missed"]
        for k in range(times):
            time.sleep(rng.random())
            first = controls.pid
            os.kill(first, (signal.SIGKILL, signal.SIGSEGV)[k % 2])
            begin, value = time.monotonic(), (k % 90 + 5) / 100
            wait(lambda first=first: controls.pid not in (0, first))  # type: ignore[misc]
            while abs(host.get("mix") - value) > 1e-6:
                sender.sendto(osc_message("/restyle/mix", value), ("127.0.0.1", port))
                time.sleep(0.01)
            took.append(1000.0 * (time.monotonic() - begin))
        found = counted(host)
    took.sort()
    lost = found["missed"] - before
    return {
        "what": "MIDI, OSC and page killed",
        "times": times,
        "lost": lost,
        "restarts": found["restarts"],
        "median_ms": round(took[len(took) // 2], 1),
        "worst_ms": round(took[-1], 1),
        "verdict": "ok" if not found["restarts"] and lost <= 0 else "not as it should be",
    }


def osc_message(address: str, value: float) -> bytes:
    """One OSC message with one number."""
    from realtime.controllers.osc_packet import encode

    return encode(address, [value])


def wait(condition: Callable[[], object]) -> None:
    """Wait for something to come true.

    Raises
    ------
    RestyleError
        It does not.
    """
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise RestyleError(f"what was waited for did not come within {LIMIT_S:.0f} s")
        time.sleep(0.005)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it; 1 when the sound noticed."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.trouble", description=__doc__)
    parser.add_argument("--edits", type=int, default=200, help="(default 200, 0: none)")
    parser.add_argument("--kills", type=int, default=50, help="of the controls (default 50, 0)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    missing = unavailable()
    if missing is not None:
        raise ConfigError(missing)
    check_writable(options.json)
    command = (
        f"python -m benchmarks.measures.trouble --edits {options.edits} --kills {options.kills}"
    )
    report = Report("trouble", command)
    rows: list[Row] = []
    if options.edits:
        with dummy_server(PERIOD) as environment:
            report.progress(f"{options.edits} edits on a starved machine")
            ordinary = UNPRIVILEGED if os.geteuid() == 0 else ()
            job, many = "benchmarks.measures.trouble:starved", options.edits
            rows.append(
                call_apart(job, many, options.seed, environment=environment, under=ordinary)
            )
            report.table("edits", "Edits on a starved machine", rows[-1:], EDITS)
    if options.kills:
        with dummy_server(PERIOD) as environment:
            report.progress(f"{options.kills} kills of the controls")
            job, many = "benchmarks.measures.trouble:killed_controls", options.kills
            rows.append(call_apart(job, many, options.seed, environment=environment))
            report.table("controls", "Controls that are killed", rows[-1:], KILLS)
    report.note(f"JACK's dummy server, blocks of {PERIOD} samples at 48 kHz.")
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
