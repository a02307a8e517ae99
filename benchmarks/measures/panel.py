"""``restyle bench panel``: what the panel costs itself and the engine, on and off in one run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.devices.shared_simulated import Tape
from realtime.dsp.meters import percentiles_us
from realtime.errors import ConfigError
from realtime.host.host import Host
from realtime.host.surface import HostSurface
from realtime.models.catalog import find_model
from realtime.panel.console import HostConsole
from realtime.panel.server import OPEN, PanelServer

from ..rig.sounds import on_tape
from ..rig.tables import Report, Row

RATE = 48_000
SETTLE_S = 1.0  # after a page has come or gone
STREAM_BLOCKS = (64, 256, 1024)

# a page, in a process of its own: reads everything, with the spectrogram on
_PAGE = """
import json, sys, time
from websockets.sync.client import connect
found = {"meters": 0, "columns": 0, "bytes": 0}
with connect(sys.argv[1], max_size=None) as ws:
    ws.send(json.dumps({"type": "spectrogram", "on": True}))
    print("ready", flush=True)
    begin, end = time.monotonic(), time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        message = ws.recv()
        found["bytes"] += len(message)
        if isinstance(message, bytes):
            found["columns"] += message[1]
        else:
            found["meters"] += json.loads(message)["type"] == "meters"
    found["seconds"] = time.monotonic() - begin
print(json.dumps(found))
"""


# a game, likewise: a block each time one is due, and how long its answer takes
_GAME = """
import json, sys, time
import numpy as np
from websockets.sync.client import connect
block, seconds = int(sys.argv[2]), float(sys.argv[3])
x = np.random.default_rng(0).uniform(-0.3, 0.3, block).astype("<f4").tobytes()
trips = []
with connect(f"{sys.argv[1]}/stream?block={block}&model={sys.argv[4]}") as ws:
    late = json.loads(ws.recv())["latency_samples"]
    due = begin = time.monotonic()
    while due - begin < seconds:
        due += block / 48000
        time.sleep(max(0.0, due - time.monotonic()))
        sent = time.monotonic()
        ws.send(x)
        ws.recv()
        trips.append(1e6 * (time.monotonic() - sent))
p50, p99, p99_9 = np.quantile(trips[len(trips) // 10 :], (0.5, 0.99, 0.999))
found = {"p50": round(p50, 1), "p99": round(p99, 1), "p99_9": round(p99_9, 1)}
print(json.dumps({"latency_samples": late, "blocks": len(trips), "trip_us": found}))
"""


class Round(NamedTuple):
    """One stretch of sound with the page or without.

    Attributes
    ----------
    calls : ndarray [int64]
        Histogram of callbacks.
    cpu_s, seconds : float
        Processor time of this process, and the clock's.
    late : int
        Callbacks over their deadline.
    pages : list of dict
        What each page counted.
    """

    calls: npt.NDArray[np.int64]
    cpu_s: float
    seconds: float
    late: int
    pages: list[dict[str, float]]


def one_round(host: Host, url: str, pages: int, seconds: float) -> Round:
    """Let the sound play for `seconds`, with so many pages open."""
    command = [sys.executable, "-c", _PAGE, url, str(seconds + 2 * SETTLE_S)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(pages)]
    for reader in readers:
        assert reader.stdout is not None
        reader.stdout.readline()
    time.sleep(SETTLE_S)
    board = host.board
    calls, late = board.calls.copy(), int(board.record[0]["deadline_misses"])
    cpu, begin = time.process_time(), time.monotonic()
    time.sleep(seconds)
    cpu_s, elapsed = time.process_time() - cpu, time.monotonic() - begin
    calls, late = board.calls - calls, int(board.record[0]["deadline_misses"]) - late
    counted = [json.loads(reader.communicate(timeout=30)[0]) for reader in readers]
    time.sleep(SETTLE_S)
    return Round(calls, cpu_s, elapsed, late, counted)


def measure(
    model: str, block: int, seconds: float, rounds: int, pages: int
) -> tuple[dict[str, list[Round]], list[Row]]:
    """Rounds without and with pages, in turn; then streams of a game."""
    length = int((rounds * 2 * (seconds + 5 * SETTLE_S) + 2 * seconds + 60) * RATE)
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.3, 0.3, (1, length)).astype(np.float32)
    tape = Tape.make(x, RATE, block, paced=True)
    setup = on_tape(tape.name, find_model(model))
    found: dict[str, list[Round]] = {"off": [], "on": []}
    try:
        with Host(setup, standby=False) as host:
            console = HostConsole(host, HostSurface(host), folder=Path(tempfile.gettempdir()))
            with console.midi, PanelServer(console, port=0, token=OPEN) as server:
                base = f"ws://127.0.0.1:{server.address[1]}"
                url = f"{base}/api/live"
                one_round(host, url, pages, 1.0)  # compiled and warm
                for _ in range(rounds):
                    found["off"].append(one_round(host, url, 0, seconds))
                    found["on"].append(one_round(host, url, pages, seconds))
                games = [stream_row(base, n, seconds, model) for n in STREAM_BLOCKS]
    finally:
        tape.close()
    return found, games


def stream_row(base: str, block: int, seconds: float, model: str) -> Row:
    """How long the answer to a block takes, with the live sound beside it."""
    command = [sys.executable, "-c", _GAME, base, str(block), str(seconds), model]
    cpu, begin = time.process_time(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    share = 100.0 * (time.process_time() - cpu) / (time.monotonic() - begin)
    found: Row = {"block": block, "block_us": round(1e6 * block / RATE)}
    return {**found, **json.loads(done.stdout), "control_percent": round(share, 1)}


def row(name: str, rounds: Sequence[Round]) -> Row:
    """All rounds of one kind as a row."""
    calls = np.sum([r.calls for r in rounds], axis=0)
    p50, p99, p99_9 = percentiles_us(calls)
    counted = [p for r in rounds for p in r.pages]
    heard = sum(p["seconds"] for p in counted) or 1.0
    return {
        "panel": name,
        "callbacks": int(calls.sum()),
        "callback_us": {"p50": round(p50, 1), "p99": round(p99, 1), "p99_9": round(p99_9, 1)},
        "p99_us_by_round": [round(percentiles_us(r.calls)[1], 1) for r in rounds],
        "late": sum(r.late for r in rounds),
        "control_percent": round(
            100.0 * sum(r.cpu_s for r in rounds) / sum(r.seconds for r in rounds), 2
        ),
        "meters_per_s": round(sum(p["meters"] for p in counted) / heard, 1),
        "columns_per_s": round(sum(p["columns"] for p in counted) / heard, 1),
    }


COLUMNS = {
    "panel": "page",
    "callbacks": "callbacks",
    "callback_us": "callback µs",
    "p99_us_by_round": "p99 µs by round",
    "late": "late",
    "control_percent": "control process, % of a core",
    "meters_per_s": "meters/s",
    "columns_per_s": "columns/s",
}


GAMES = {
    "block": "block",
    "block_us": "block µs",
    "latency_samples": "declared samples",
    "blocks": "blocks",
    "trip_us": "there and back µs",
    "control_percent": "control process, % of a core",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench panel", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="off and on each (default 3)")
    parser.add_argument("--pages", type=int, default=1, help="open at once (default 1)")
    parser.add_argument("--model", default="tube-amp")
    parser.add_argument("--block", type=int, default=64, help="samples (default 64)")
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    for name, low, high in (("seconds", 1, 600), ("rounds", 1, 50), ("pages", 1, 16)):
        if not low <= getattr(options, name) <= high:
            raise ConfigError(
                f"--{name} must be within {low}..{high}, got {getattr(options, name):g}"
            )
    report = Report("panel", " ".join(["restyle bench panel", *(arguments or [])]))
    found, games = measure(
        options.model, options.block, options.seconds, options.rounds, options.pages
    )
    rows = [row(name, rounds) for name, rounds in found.items()]
    title = (
        f"{options.model}, blocks of {options.block} at {RATE} Hz; page: meters and spectrogram,"
        f" {options.pages} open, off and on in turn"
    )
    report.table("panel", title, rows, COLUMNS)
    report.table("stream", f"/stream with {options.model}, blocks sent when due", games, GAMES)
    if options.json is not None:
        report.write(Path(options.json))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
