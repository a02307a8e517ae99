"""``restyle bench recovery``: how long sound is away when something breaks.

A host plays a sine from a simulated sound card that goes on by the clock.  Its engine is killed;
its model becomes ten times too slow for a moment; its model returns NaN.  What the card played
tells when sound was back.  The model halves what it hears, so that its level says whether the dry
or the restyled sound is heard.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.commands.common import check_writable
from realtime.devices.shared_simulated import Tape
from realtime.errors import ConfigError, RestyleError
from realtime.host.host import Host
from realtime.models.load import open_model

from ..rig import faults
from ..rig.sounds import on_tape
from ..rig.tables import Report, Row

RATE, BLOCK = 48_000, 64
PERIOD = 64  # samples of one cycle of the sine: 750 Hz
LEVEL = 0.3
SLOW_FACTOR = 10.0
SLOW_S, LEAD_S, REST_S = 0.1, 1.0, 4.0  # how long it is too slow; before and after it
NAN_EVERY_S = 2.0
WAIT_S = 60.0
COLUMNS = {
    "what": "what breaks", "times": "times", "gone": "until ms", "median_ms": "median ms",
    "worst_ms": "worst ms",
}  # fmt: skip
Array = npt.NDArray[np.float32]


def sine(seconds: float) -> Array:
    """What is played ``[n]``."""
    phase = 2.0 * np.pi * np.arange(int(seconds * RATE)) / PERIOD
    return np.asarray(LEVEL * np.sin(phase), dtype=np.float32)


@contextmanager
def playing(model: Path, x: Array, standby: bool = False) -> Iterator[tuple[Host, Tape]]:
    """A host that plays ``x [n]`` on a card of its own."""
    tape = Tape.make(x[None], RATE, BLOCK)
    try:
        with Host(on_tape(tape.name, model), standby=standby) as host:
            yield host, tape
    finally:
        tape.close()


def wait(condition: Callable[[], object], what: str) -> None:
    """Wait for something to come true.

    Raises
    ------
    RestyleError
        It does not.
    """
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise RestyleError(f"recovery: {what} did not come within {WAIT_S:.0f} s")
        time.sleep(0.005)


def play_on(tape: Tape, seconds: float) -> None:
    """Let the card play so much more."""
    goal = min(tape.position + int(seconds * RATE), len(tape.input) - BLOCK)
    wait(lambda: tape.position >= goal, "sound")


def longest_silence(y: Array) -> float:
    """Longest stretch without sound in ``y [n]``, its start and end included [ms]."""
    heard = np.flatnonzero(np.abs(y) > 1e-4)
    edges = np.concatenate([[-1], heard, [len(y)]])
    return float(1000.0 * (np.diff(edges).max() - 1) / RATE)


def levels(y: Array) -> Array:
    """Amplitude of the sine in each cycle ``[n // PERIOD]``; single samples do not count."""
    cycles = np.abs(y[: len(y) // PERIOD * PERIOD]).reshape(-1, PERIOD)
    return np.asarray(np.median(cycles, axis=1) / np.sin(np.pi / 4), dtype=np.float32)


def first_at(y: Array, start: int, level: float, cycles: int = 4) -> float | None:
    """Milliseconds from sample `start` to where the level is there to stay for `cycles` cycles."""
    near = np.abs(levels(y[start:]) - level) < 0.05 * level
    run = np.convolve(near, np.ones(cycles), "valid") == cycles
    found = np.flatnonzero(run)
    return float(1000.0 * found[0] * PERIOD / RATE) if found.size else None


def killed(model: Path, times: int, standby: bool) -> list[float]:
    """Kill the engine `times` times; how long each time nothing was heard [ms]."""
    found = []
    seconds = 20.0 + times * 12.0
    with playing(model, sine(seconds), standby=standby) as (host, tape):
        for k in range(times):
            if standby:
                wait(lambda: host.standby_ready, "a standby engine")
            play_on(tape, 0.5)
            before = tape.position
            os.kill(host.link.process.pid or 0, signal.SIGKILL)
            wait(lambda k=k: len(host.incidents) > k, "another engine")  # type: ignore[misc]
            play_on(tape, 0.5)
            found.append(longest_silence(tape.output[before - BLOCK : tape.position, 0]))
    return found


def slow_rounds() -> int:
    """How many products make a hop :data:`SLOW_FACTOR` times too slow on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slow.onnx"
        many = 64
        path.write_bytes(faults.slow_model(many))
        model = open_model(path)
        told = np.full(model.x.shape, 1.0, dtype=np.float32)
        spent = []
        for _ in range(7):
            begin = time.perf_counter()
            model.step(told)
            spent.append(time.perf_counter() - begin)
        model.close()
    period = faults.HOP / RATE
    return max(1, round(many * SLOW_FACTOR * period / float(np.median(spent))))


def too_slow(folder: Path, times: int) -> tuple[list[float], list[float]]:
    """Until the dry sound is heard, and from the end of the trouble until the model is [ms]."""
    path = folder / "slow.onnx"
    path.write_bytes(faults.slow_model(slow_rounds()))
    dry, back = [], []
    start, end = int(LEAD_S * RATE), int((LEAD_S + SLOW_S) * RATE)
    for _ in range(times):
        x = sine(LEAD_S + SLOW_S + REST_S)
        x[start:end:BLOCK] = 1.0
        with playing(path, x) as (_host, tape):
            play_on(tape, 1e9)
            y = tape.output[: tape.position, 0].copy()
        _keep(dry, first_at(y, start, LEVEL))
        _keep(back, first_at(y, end, LEVEL / 2))
    return dry, back


def gone_wrong(folder: Path, times: int) -> tuple[list[float], list[float]]:
    """The same after NaN: until the dry sound is heard, until the model is [ms]."""
    path = folder / "broken.onnx"
    path.write_bytes(faults.broken_model())
    x = sine(LEAD_S + times * NAN_EVERY_S)
    starts = [int((LEAD_S + k * NAN_EVERY_S) * RATE) for k in range(times)]
    x[starts] = 1.0
    with playing(path, x) as (_host, tape):
        play_on(tape, 1e9)
        y = tape.output[: tape.position, 0].copy()
    dry, back = [], []
    for start in starts:
        stretch = y[: start + int(NAN_EVERY_S * RATE)]
        until = first_at(stretch, start, LEVEL)
        _keep(dry, until)
        if until is not None:
            heard = start + int(until * RATE / 1000)
            after = first_at(stretch, heard, LEVEL / 2)
            _keep(back, None if after is None else until + after)
    return dry, back


def _keep(found: list[float], value: float | None) -> None:
    if value is not None:
        found.append(value)


def row(what: str, gone: str, times: int, found: list[float]) -> Row:
    """One row of the table; a time that never came makes ``verdict`` say so."""
    return {
        "what": what,
        "gone": gone,
        "times": times,
        "median_ms": round(float(np.median(found)), 1) if found else None,
        "worst_ms": round(max(found), 1) if found else None,
        "all_ms": [round(v, 1) for v in found],
        "verdict": "ok" if len(found) == times else f"{times - len(found)} never",
    }


def run(kills: int, rounds: int, tell: Callable[[str], None]) -> list[Row]:
    """Measure all of it."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="restyle-recovery-") as name:
        folder = Path(name)
        half = folder / "half.onnx"
        half.write_bytes(faults.broken_model())
        for standby, many in ((True, kills), (False, rounds)):
            what = f"engine killed, {'with a standby' if standby else 'no standby'}"
            tell(f"{what}, {many} times")
            rows.append(row(what, "sound", many, killed(half, many, standby)))
        tell(f"model {SLOW_FACTOR:.0f} times too slow, {rounds} times")
        dry, back = too_slow(folder, rounds)
        what = f"model {SLOW_FACTOR:.0f} times too slow for {1000 * SLOW_S:.0f} ms"
        rows.append(row(what, "the dry sound, from its start", rounds, dry))
        rows.append(row(what, "the model again, from its end", rounds, back))
        tell(f"model gives NaN, {rounds} times")
        dry, back = gone_wrong(folder, rounds)
        rows.append(row("model gives NaN", "the dry sound", rounds, dry))
        rows.append(row("model gives NaN", "the model again", rounds, back))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it; 1 when sound did not come back."""
    parser = argparse.ArgumentParser(prog="restyle bench recovery", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of the engine (default 20)")
    parser.add_argument("--rounds", type=int, default=5, help="of everything else (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    for name, value in (("--kills", options.kills), ("--rounds", options.rounds)):
        if not 1 <= value <= 200:
            raise ConfigError(f"{name} must be within 1..200, got {value}")
    check_writable(options.json)
    command = f"restyle bench recovery --kills {options.kills} --rounds {options.rounds}"
    report = Report("recovery", command)
    rows = run(options.kills, options.rounds, report.progress)
    report.table("recovery", "Time until it is heard", rows, COLUMNS)
    report.note(
        "A simulated card that goes on by the clock, blocks of 64 samples at 48 kHz; silence is"
        " measured on what it played, times of the dry sound in its samples."
    )
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
