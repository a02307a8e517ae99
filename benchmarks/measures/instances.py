"""``python -m benchmarks.measures.instances``: many instances of the VST3 in one host.

As in a project with a track each: pedalboard loads them all, each gets a sound of its own, all play
side by side, block by block in turn, and what each gives is held against ``restyle render`` of its
sound.  Then some engines are killed, and the project is closed.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip
from realtime.commands.common import check_writable
from realtime.commands.plugin import to_sound
from realtime.errors import ConfigError
from realtime.session.render import render

from ..rig.juce_state import restored
from ..rig.processes import family, processor_s, proportional_mib
from ..rig.tables import Report, Row, Teller, as_command

RATE, LONGEST, SECONDS = 48_000, 1024, 1.0
PATIENCE_S = 60.0
SETTLE_S, IDLE_S = 3.0, 10.0
SOUNDS = (
    '[[stage]]\nmodel = "tube-amp"\n',
    '[[stage]]\nmodel = "tape"\n[[stage]]\neffect = "Reverb"\n',
    '[[stage]]\neffect = "Compressor"\n[[stage]]\neffect = "Delay"\n',
    '[[stage]]\nmodel = "radio-voice"\n',
)
COLUMNS = {
    "instances": "instances",
    "equal": "equal to render",
    "killed": "engines killed",
    "back": "equal again after it",
    "load_s": "all loaded s",
    "mib": "MiB each",
    "idle": "% of a core each, host stopped",
    "left": "processes left",
}


def sound_of(number: int) -> str:
    """The sound of an instance: each its own."""
    return f"format = 2\nmix = {1.0 - number % 10 / 20}\n{SOUNDS[number % len(SOUNDS)]}"


def played(plugins: list[object], x: npt.NDArray[np.float32], seed: int) -> list[bool]:
    """Play through all side by side, from their initial states; whether each gave its render."""
    parts: list[list[npt.NDArray[np.float32]]] = [[] for _ in plugins]
    sizes = np.random.default_rng(seed).integers(1, LONGEST + 1, x.shape[1])
    for p in plugins:
        p.reset()  # type: ignore[attr-defined]
    begin = 0
    for size in (LONGEST, *sizes):
        block = np.ascontiguousarray(x[:, begin : begin + size])
        for p, own in zip(plugins, parts, strict=True):
            own.append(p.process(block, RATE, buffer_size=LONGEST, reset=False))  # type: ignore[attr-defined]
        if (begin := begin + int(size)) >= x.shape[1]:
            break
    equal = []
    for k, own in enumerate(parts):
        y = np.concatenate(own, axis=1)
        expected = render(to_sound(sound_of(k)), Clip(x, RATE)).samples
        equal.append(y.shape[1] > x.shape[1] // 2 and np.array_equal(y, expected[:, : y.shape[1]]))
    return equal


def row(report: Teller, path: Path, count: int, kills: int) -> Row:
    """So many instances, from loading to the last process's end."""
    import pedalboard

    x = np.random.default_rng(5).uniform(-0.3, 0.3, (2, int(SECONDS * RATE))).astype(np.float32)
    here, begin = os.getpid(), time.monotonic()
    before = set(family(here))
    plugins: list[object] = []
    for k in range(count):
        plugin = pedalboard.load_plugin(str(path))
        restored(plugin, sound_of(k))
        plugins.append(plugin)
        report.progress(f"{k + 1} of {count} loaded")
    equal = played(plugins, x, 1)
    spent = time.monotonic() - begin
    processes = [p for p in family(here) if p not in before]
    mib = sum(proportional_mib(p) for p in processes) / count
    time.sleep(SETTLE_S)
    used = sum(map(processor_s, processes))
    time.sleep(IDLE_S)
    idle = 100.0 * (sum(map(processor_s, processes)) - used) / IDLE_S / count
    report.progress(f"{sum(equal)} of {count} equal; {len(processes)} processes")
    victims = [p for p in processes if is_engine(p)][:: max(1, count // max(1, kills))][:kills]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    again = [False] * count
    end = time.monotonic() + PATIENCE_S
    while victims and not all(again) and time.monotonic() < end:
        again = played(plugins, x, 2)
    plugins.clear()
    del plugin
    gc.collect()
    end = time.monotonic() + PATIENCE_S
    while (left := [p for p in family(here) if p not in before]) and time.monotonic() < end:
        time.sleep(0.2)
    good = all(equal) and (not kills or all(again)) and not left
    return {
        "instances": count,
        "equal": sum(equal),
        "killed": len(victims),
        "back": sum(again),
        "load_s": round(spent, 1),
        "mib": round(mib, 1),
        "idle": round(idle, 2),
        "left": len(left),
        "verdict": "ok" if good else "not as it should be",
    }


def is_engine(pid: int) -> bool:
    """Whether a process plays: an engine's, not the one that looks after it."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where one gave other samples or a process stayed."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.instances", description=__doc__)
    parser.add_argument("--plugin", type=Path, default=Path("build/plugin/restyle.vst3"))
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(argv)
    check_writable(options.json)
    if not 1 <= options.count <= 256 or not 0 <= options.kills <= options.count:
        raise ConfigError(
            "--count must be within 1..256 and --kills within 0..count,"
            f" got {options.count} and {options.kills}"
        )
    if not options.plugin.exists():
        raise ConfigError(f"{options.plugin} is not there; build it with: make plugin")
    os.environ.setdefault("RESTYLE_COMMAND", f"{sys.executable} -m realtime.cli")
    report = Report("instances", "python -m benchmarks.measures.instances")
    found = [row(report, options.plugin, options.count, options.kills)]
    report.table("instances", "Instances of the VST3 in one host", found, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return int(any(r["verdict"] != "ok" for r in found))


if __name__ == "__main__":
    as_command(main)
